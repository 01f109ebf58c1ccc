#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/run.py takes no result for a pass that is not one.

Fails if: judge() accepts an output that breaks the protocol of docs/tests.md.
"""
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests")]
from claims import check, finish  # noqa: E402
import run  # noqa: E402

BOARD = SimpleNamespace(target="x.gcc-O2", timeout=3.0)
TOOL = SimpleNamespace(target=None, timeout=3.0)


def passes(test, status, output):
    return run.judge(test, status, output)[0] == ""


check(passes(BOARD, 0, "ok a\nok b\n# note\n# done 2\n"), "a good run")
check(not passes(BOARD, 0, "ok a\nok b\n"), "no done line")
check(not passes(BOARD, 0, "ok a\n# done 2\n"), "a check went missing")
check(not passes(BOARD, 0, "ok a\nok b\n# done 1\n"), "a check too many")
check(not passes(BOARD, 0, "# done 0\n"), "no check at all")
check(not passes(BOARD, 1, "ok a\n# done 1\n"), "a bad status")
check(not passes(BOARD, None, "ok a\n# done 1\n"), "a timeout")
check(not passes(BOARD, 0, "ok a\n# done 1\nok a\n# done 1\n"), "done twice")
check(not passes(BOARD, 0, "ok a\nnot ok b: why\n# done 2\n"), "a failed check")
check(passes(TOOL, 0, "ok a\n"), "a good tool test")
check(not passes(TOOL, 0, "nothing\n"), "a tool test without a check")
check(not passes(TOOL, 0, "ok a\nnot ok b\n"), "a tool test with a failure")
check(not passes(TOOL, 1, "ok a\n"), "a tool test with a bad status")

status, output, seconds = run.run(["sleep", "9"], 0.3)
check(status is None and seconds < 5, "a command that hangs is ended")
status, output, _ = run.run(["sh", "-c", "yes | head -c 3000000"], 9)
check(len(output) == run.OUTPUT_CAP, "an endless output is cut")
finish()
