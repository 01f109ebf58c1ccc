#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/hopter.md has one row for each behaviour, defect and test of Hopter's.

The ids stand here; each row has all its cells, and names a test of ours that
exists, or says "not yet". Tables with one fault planted at a time are refused.
Fails if: a row may be missing, be there twice, be empty, or name no test.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

BEHAVIOURS = """1-4 10-18 20-29 30-34 40-43 45-46 48-54 56 60-65 70-74 80-85
    90-98 100-105 110 120-121"""
COLUMNS = 5
ROW = re.compile(r"^\| *(B-\d+|D-\d+|\d+) *\|")
TEST = re.compile(r"`((?:unit|build|system)/[a-z0-9_]+)`")


def wanted():
    for part in BEHAVIOURS.split():
        first, _, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"B-{number:02d}"
    for number in range(1, 19):
        yield f"D-{number}"
    for number in range(1, 49):
        yield str(number)


def exists(test):
    folder, name = test.split("/")
    return (ROOT / "tests" / folder /
            (f"{name}/run.py" if folder == "build" else f"{name}.c")).is_file()


def faults(text):
    """What is wrong with the tables, a sentence each."""
    rows = [line for line in text.splitlines() if ROW.match(line)]
    ids = [ROW.match(row)[1] for row in rows]
    for name in wanted():
        if ids.count(name) != 1:
            yield f"{name} has {ids.count(name)} rows"
    for name in sorted(set(ids) - set(wanted())):
        yield f"{name} is no id"
    for name, row in zip(ids, rows):
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        if len(cells) != COLUMNS or not all(cells):
            yield f"{name} does not have {COLUMNS} cells"
            continue
        shown = cells[3]
        if not TEST.search(shown) and shown != "not yet":
            yield f"{name} names no test: {shown}"
    for test in sorted(set(TEST.findall(text))):
        if not exists(test):
            yield f"{test} does not exist"


def main():
    checks = Checks()
    text = (ROOT / "docs/hopter.md").read_text(encoding="utf-8")
    found = list(faults(text))
    checks.check("every id has its row, every row its test", not found,
                 "; ".join(found))
    row = next(l for l in text.splitlines() if l.startswith("| B-26 |"))
    for name, changed, says in (
            ("a missing row", "", "B-26 has 0 rows"),
            ("a row twice", row + "\n" + row, "B-26 has 2 rows"),
            ("an id of nobody's", row + "\n" + row.replace("B-26", "B-47"),
             "B-47 is no id"),
            ("an empty cell", "| B-26 | | x | `system/irq_sweep` | x |",
             "B-26 does not have 5 cells"),
            ("no test", "| B-26 | x | x | x | x |", "B-26 names no test: x"),
            ("a test that is none", "| B-26 | x | x | `system/no_such` | x |",
             "system/no_such does not exist")):
        said = list(faults(text.replace(row, changed)))
        checks.check(f"{name} is refused", says in said, said)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
