#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random deaths leak nothing, leave nobody stuck, miss no deadline.

1. ./alula faults --short: 5000 deaths, and its result is on file.
2. alula-faults with a stand-in for QEMU: a leak, somebody stuck, a deadline
   missed, too few deaths, a run without its last line fail, and leave no file.
Fails if: a scope is forgotten by recovery; a failed campaign looks like a good
one.
"""
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks, judged, run, stand_in  # noqa: E402

checks = Checks()
RESULT = ROOT / "build/results/faults-short.json"
RESULT.unlink(missing_ok=True)
done = run(ROOT / "alula", "faults", "--short", timeout=300)
checks.check("5000 deaths", done.returncode == 0, done.stderr[-600:])
found = json.loads(RESULT.read_text()) if RESULT.exists() else {}
checks.check("all are on file", found.pop("faults_board", 0) >= 5000, found)
checks.equal("nothing is wrong", found,
             {"leaks": 0, "stuck": 0, "deadlines_missed": 0})


def judge(folder, said):
    """(status, result or None)"""
    result = folder / "faults.json"
    result.write_text("{}")
    return judged(folder, "alula-faults", said, result, "--deaths", "10",
                  "--seed", "3")


LINE = "# 9 of 10 deaths, 1 beats, 0 missed\nfaults deaths={} leaks={} " \
       "stuck={} deadlines_missed={} beats=7 causes=1f\n"
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    stand_in(folder)
    checks.equal("a good one is on file", judge(
        folder, LINE.format(11, 0, 0, 0)),
        (0, {"faults_board": 11, "leaks": 0, "stuck": 0,
             "deadlines_missed": 0}))
    for title, figures in (("a leak", (11, 1, 0, 0)),
                           ("somebody stuck", (11, 0, 1, 0)),
                           ("a deadline missed", (11, 0, 0, 2)),
                           ("too few deaths", (9, 0, 0, 0))):
        checks.equal(title, judge(folder, LINE.format(*figures)), (1, None))
    checks.equal("no end", judge(folder, "# 9 of 10 deaths, 1 beats\n"),
                 (1, None))
sys.exit(checks.done())
