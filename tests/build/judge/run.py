#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/run.py takes no result for a pass that is not one.

Fails if: judge() accepts an output that breaks the protocol of docs/tests.md.
"""
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/build"), str(ROOT / "tests")]
from check import Checks  # noqa: E402
import run  # noqa: E402

checks = Checks()
check = checks.check

BOARD = SimpleNamespace(target="x.gcc-O2", timeout=3.0)
TOOL = SimpleNamespace(target=None, timeout=3.0)


def passes(test, status, output):
    return run.judge(test, status, output)[0] == ""


check("a good run", passes(BOARD, 0, "ok a\nok b\n# note\n# done 2\n"))
check("no done line", not passes(BOARD, 0, "ok a\nok b\n"))
check("a check went missing", not passes(BOARD, 0, "ok a\n# done 2\n"))
check("a check too many", not passes(BOARD, 0, "ok a\nok b\n# done 1\n"))
check("no check at all", not passes(BOARD, 0, "# done 0\n"))
check("a bad status", not passes(BOARD, 1, "ok a\n# done 1\n"))
check("a timeout", not passes(BOARD, None, "ok a\n# done 1\n"))
check("done twice", not passes(BOARD, 0, "ok a\n# done 1\nok a\n# done 1\n"))
check("a failed check", not passes(BOARD, 0, "ok a\nnot ok b: why\n# done 2\n"))
check("a good tool test", passes(TOOL, 0, "ok a\n"))
check("a tool test without a check", not passes(TOOL, 0, "nothing\n"))
check("a tool test with a failure", not passes(TOOL, 0, "ok a\nnot ok b\n"))
check("a tool test with a bad status", not passes(TOOL, 1, "ok a\n"))

status, output, seconds = run.run(["sleep", "9"], 0.3)
check("a command that hangs is ended", status is None and seconds < 5)
status, output, _ = run.run(["sh", "-c", "yes | head -c 3000000"], 9)
check("an endless output is cut", len(output) == run.OUTPUT_CAP)
sys.exit(checks.done())
