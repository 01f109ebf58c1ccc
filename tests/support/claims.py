# SPDX-License-Identifier: MIT
"""What a tool test says to tests/run.py: `ok NAME`, `not ok NAME: why`.

    from claims import check, finish
    check(1 + 1 == 2, "one and one are two")
    finish()

Put tests/support on the path first:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
"""
import sys

_failed = 0
_count = 0


def check(ok, name, why="does not hold"):
    global _failed, _count
    _count += 1
    if ok:
        print(f"ok {name}", flush=True)
    else:
        _failed += 1
        why = str(why).strip().replace("\n", "\n#     ")
        print(f"not ok {name}: {why}", flush=True)
    return ok


def finish():
    print(f"# done {_count}")
    sys.exit(1 if _failed else 0)
