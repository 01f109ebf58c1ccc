#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/recovery: docs/recovery.md is what the tests' heads say, and complete.

Claim: the document is up to date; a row that makes no sense, a cause or a case
without a test, and a stale document are told, each by a line of its own.
Fails if: a row is skipped, or a case counts as shown by a row of another place.
"""
import importlib.machinery
import importlib.util
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks    # noqa: E402 pylint: disable=wrong-import-position


def load():
    loader = importlib.machinery.SourceFileLoader(
        "recovery", str(ROOT / "tools/recovery"))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("recovery", loader))
    loader.exec_module(module)
    return module


def head(folder, text):
    path = Path(folder) / "a_test.c"
    path.write_text(f"/* SPDX-License-Identifier: MIT */\n/*\n{text} */\nint x;\n"
                    " * recovers: none | not | in | head\n")
    return path


def main():
    checks, tool = Checks(), load()
    table = list(tool.rows())
    document = tool.document()
    checks.equal("the document is up to date", list(tool.differences()), [])
    for test, cause, _, what, _ in table:
        checks.check(f"{test}: {' '.join(cause)[:40]}: its row is there",
                     f"| {', '.join(cause)} | {what} |" in document)

    def told(name, changed, line):
        tool.rows = lambda: iter(changed)
        found = [d for d in tool.differences() if "out of date" not in d]
        checks.check(name, line in found, f"told: {found}")

    extra = ("a_test", ["panic"], ["running"], "it dies", ["-"])
    told("no such cause", [*table, (extra[0], ["hunger"], *extra[2:])],
         'a_test: crash.h has no cause "hunger"')
    told("no such place", [*table, (*extra[:2], ["abroad"], *extra[3:])],
         'a_test: there is no place "abroad"')
    told("no such figure", [*table, (*extra[:4], ["panic_to_nothing"])],
         'a_test: nothing measures "panic_to_nothing"')
    told("an empty part", [*table, (*extra[:3], "", ["-"])],
         "a_test: a part of a row is empty")
    told("a case that is said not to be",
         [*table, (*extra[:2], ["waiting"], *extra[3:])],
         "a call that ends its caller, a task that waits: said to be none, but "
         "has a test")
    for cause in set(tool.causes()) - {"none"}:
        told(f"cause {cause} without a test",
             [(t, [c for c in cs if c != cause] or
               ["panic" if cause == "null" else "null"], *rest)
              for t, cs, *rest in table],
             f'no test says what happens at cause "{cause}"')
    told("nothing about handlers",
         [(t, c, [p for p in ps if p != "handler"] or ["running"], *rest)
          for t, c, ps, *rest in table],
         "no test has a fault: in an interrupt handler")
    tool.rows = lambda: iter([*table, extra])
    checks.check("one row more is a document that is out of date",
                 any("out of date" in d for d in tool.differences()))

    with tempfile.TemporaryDirectory() as folder:
        path = head(folder, " * recovers: a b | c |\n *     d e\n *     f | g\n"
                            " * builds: gcc-O2\n * recovers: h | i | j | k\n")
        checks.equal("rows over several lines", [
            " ".join(r.split()) for r in tool.tests.head_rows(path, "recovers", 4)],
            ["a b | c | d e f | g", "h | i | j | k"])
        path = head(folder, " * recovers: a | b | c\n")
        try:
            list(tool.tests.head_rows(path, "recovers", 4))
            checks.check("a part is missing", False, "taken")
        except ValueError as error:
            checks.check("a part is missing", "a_test.c" in str(error), error)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
