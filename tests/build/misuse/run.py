#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tables of misuse are complete, by what the public headers say.

tests/system/misuse_in_handlers.def and misuse_of_objects.def have rows of wrong
uses, each with the function that is used; the board tests beside them run them.
Here each function of include/alula/*.h must be in them:

1. one whose @context is not "irq" or "any" is called from a handler;
2. one that is given an object, or names a task, is given what is none; one for
   handlers also address 0;
3. each @panics of a function has a row that provokes it;
4. no row names what does not exist, nor a panic that its function's contract
   does not have;
5. one without a contract is a part of what others do: a header calls it;
6. one that a task may call is in overflow_at_entries.def, by which it is called
   with little stack left.
Then the same on a header with one function more, and on tables without one row.
Fails if: a public function, or a check that can end its caller, is added and
no row is.
"""
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

TABLES = ("tests/system/misuse_in_handlers.def",
          "tests/system/misuse_of_objects.def")
LITTLE_STACK = "tests/system/overflow_at_entries.def"
# Never come back, or never run: they reset the board, or are the application's.
NOT_SWEPT = {"al_reset", "al_idle_hook", "al_irq_storm_hook"}
# Parts of others that no header calls: lib/ does.
PARTS = {"al_lease_lose", "al_scope_leave", "al_scope_newer", "al_scope_next",
         "al_scope_unlink"}
# The application's to define; ends the caller whatever it is given.
NOT_CALLED = {"al_idle_hook", "al_panic"}
OBJECTS = re.compile(r"struct al_(sem|mutex|cond|event|mailbox|timer|"
                     r"timer_service|task) \*|struct al_task_id (?!\*)|^c\b")
# Tell of an object by its type, or make one of memory that is none.
MAKERS = re.compile(r"_init(_\w+)?$|^al_heap_add$")


class Function:
    def __init__(self, name, arguments, contract, before):
        same = before if "The same" in contract.split("@")[0] else None
        self.name = name
        self.arguments = arguments
        found = re.search(r"@context +([^@]*)", contract)
        self.context = found[1] if found else same.context if same else ""
        told = " ".join(re.findall(r"@panics +([^@]*)", contract))
        self.panics = set(re.findall(r"\b[A-Z]+\.\d+", told))
        self.like = set(re.findall(r"\bas (al_\w+)\(", told))
        if same and not told and not name.startswith("al_irq_"):
            self.like.add(same.name)

    def for_handlers(self):
        return re.search(r"\b(irq|any)\b", self.context) is not None


def functions(texts):
    """All with a contract, by name; and the names of those that have none,
    nor a use in a header."""
    known, named, used = {}, set(), Counter()
    for text in texts:
        before = None
        for contract, declared in re.findall(
                r"/\*\*\n(.*?)\*/\n(.*?)(?=\n\n|[;{\\])", text, re.S):
            found = re.search(r"\b(al_\w+)\((.*)", declared, re.S)
            if found:
                contract = re.sub(r"\n \*", " ", contract)
                before = Function(found[1], found[2], contract, before)
                known[before.name] = before
        code = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        code = re.sub(r"\\\n", " ", code)
        named |= set(re.findall(
            r"(?m)^(?:#define |(?!#)[^\n=(,]*?\b)(al_\w+)\(", code))
        used.update(re.findall(r"\bal_\w+", code))
    for function in known.values():
        todo = set(function.like)
        while todo:
            other = known[todo.pop()]
            function.panics |= other.panics
            todo |= other.like - {function.name}
    return known, {n for n in named - set(known) if used[n] < 2}


def rows(texts):
    """(macro, function, MODULE.n or "") of each."""
    for text in texts:
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        for macro, name, rest in re.findall(
                r"(?m)^([A-Z_]+)\((\w+), ([^;]*?)(?=\n[A-Z]|\Z)", text + "\n"):
            site = re.search(r"\b([A-Z]+),\s+(\d+),\s", rest) \
                if macro in ("DIES", "OBJECT", "LOOSE", "WRONG") else None
            yield macro, name, f"{site[1]}.{site[2]}" if site else ""


def gaps(headers, tables):
    known, parts = functions(headers)
    listed = [set(rows([table])) for table in tables]
    in_handlers, of_objects = ({name for _, name, _ in each} for each in listed)
    null = {name for macro, name, _ in listed[0] if macro != "DIES"}
    provoked = {(name, site) for each in listed for _, name, site in each}
    for name in sorted(parts - PARTS):
        yield f"{name} has no contract, and no header calls it"
    for name in sorted((in_handlers | of_objects) - set(known)):
        yield f"a row names {name}, which no header has"
    for function in known.values():
        name = function.name
        if name in NOT_CALLED:
            continue
        if not function.for_handlers() and name not in in_handlers:
            yield f"{name} is called from no handler"
        if OBJECTS.search(function.arguments) and not MAKERS.search(name):
            if name not in of_objects:
                yield f"{name} is given no false object"
            if re.match(r"al_irq_", name) and name not in null:
                yield f"{name} is not called with address 0 in a handler"
        for site in sorted(function.panics):
            if (name, site) not in provoked:
                yield f"{name}: nothing provokes {site}"
        for _, site in sorted(p for p in provoked if p[0] == name and p[1]):
            if site not in function.panics:
                yield f"{name}: its contract does not have {site}"


def not_swept(headers, table):
    known, _ = functions(headers)
    listed = {name for _, name, _ in rows([table])}
    for name in sorted(listed - set(known)):
        yield f"a row names {name}, which no header has"
    for function in known.values():
        if function.context.split() != ["irq"] and \
                function.name not in listed | NOT_SWEPT:
            yield f"{function.name} is not called with little stack left"


checks = Checks()
headers = [p.read_text() for p in sorted((ROOT / "include/alula").glob("*.h"))]
tables = [(ROOT / path).read_text() for path in TABLES]
known, _ = functions(headers)
checks.check("the headers are read", len(known) > 90 and
             known["al_chan_try_send"].panics == {"CHAN.1", "CHAN.2"} and
             known["al_heap_give"].panics == {f"HEAP.{n}" for n in (1, 2, 3, 6)}
             and not known["al_task_spawn"].for_handlers(), len(known))
found = list(gaps(headers, tables))
checks.check("every wrong use is in the tables", not found, "\n".join(found))
little = (ROOT / LITTLE_STACK).read_text()
checks.equal("every entry is swept", list(not_swept(headers, little)), [])
checks.equal("an entry that is not swept is missed",
             list(not_swept(headers, little.replace("\nCALLS(al_yield,",
                                                    "\n/* ("))),
             ["al_yield is not called with little stack left"])

MORE = """/**
 * New.
 *
 * @context   task
 * @panics    SEM.1  a handler
 */
void al_sem_shake(struct al_sem *sem);

void al_bare(void);
"""


def beside(headers, tables):
    """The gaps that are there beside those found above."""
    return [gap for gap in gaps(headers, tables) if gap not in found]


checks.equal("a new function is missed", beside([*headers, MORE], tables), [
    "al_bare has no contract, and no header calls it",
    "al_sem_shake is called from no handler",
    "al_sem_shake is given no false object",
    "al_sem_shake: nothing provokes SEM.1"])
for gone, said in (
        ("DIES(al_yield,", ["al_yield is called from no handler",
                            "al_yield: nothing provokes TASK.1"]),
        ("READS(al_event_get,", ["al_event_get is given no false object"]),
        ("WRONG(al_task_join, TASK, 6,",
         ["al_task_join: nothing provokes TASK.6"]),
        ("FAULTS(al_irq_event_set,",
         ["al_irq_event_set is not called with address 0 in a handler"])):
    less = [re.sub(rf"(?m)^{re.escape(gone)}", "/* ", t) for t in tables]
    less = [re.sub(r"(?m)^/\* .*", "", t) for t in less]
    checks.equal(f"a row less is missed: {gone}", beside(headers, less),
                 said)
sys.exit(checks.done())
