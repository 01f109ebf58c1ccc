#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Waking, giving and unlocking cost the same for 1 and for 100 tasks.

1. ./alula scale --short measures and finds every operation within its bounds.
2. alula-scale with a stand-in for QEMU: a flat operation that grows fails, and
   so does one that is new and not flat; a run that miscounts writes no file.
Fails if: a queue is walked where it must not be, or growth goes unnoticed.
"""
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks, judged, run, stand_in  # noqa: E402

checks = Checks()
RESULT = ROOT / "build/results/scale-short.json"
RESULT.unlink(missing_ok=True)
done = run(ROOT / "alula", "scale", "--short", timeout=300)
checks.check("every operation is within its bounds", done.returncode == 0,
             done.stderr[-600:])
found = json.loads(RESULT.read_text()) if RESULT.exists() else {}
checks.check("at three sizes each", len(found) > 15 and all(
    list(at) == ["1", "10", "100"] for at in found.values()), found)


def judge(folder, *rows, lines=None):
    """(status, result or None) for rows of "name n figure"."""
    said = "".join(f"scale {row}\n" for row in rows)
    result = folder / "scale.json"
    result.unlink(missing_ok=True)
    return judged(folder, "alula-scale",
                  f"{said}# done {lines or len(rows)}\n", result)


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    stand_in(folder)
    checks.equal("what is flat passes, and is on file", judge(
        folder, "sem_give 1 80", "sem_give 1000 99"),
        (0, {"sem_give": {"1": 80, "1000": 99}}))
    for title, rows in (
            ("flat that grows", ("sem_give 1 80", "sem_give 1000 130")),
            ("new that grows", ("brand_new 1 80", "brand_new 1000 130")),
            ("levels beyond the priorities", (
                "sem_take_block 1 100", "sem_take_block 1000 400")),
            ("log that is linear", ("sleep 1 100", "sleep 1000 1100")),
            ("linear that is steeper", (
                "tick_wake_all 1 100", "tick_wake_all 1000 700100"))):
        checks.equal(f"{title} fails", judge(folder, *rows)[0], 1)
    checks.equal("a run that miscounts fails", judge(
        folder, "sem_give 1 80", lines=2), (1, None))
sys.exit(checks.done())
