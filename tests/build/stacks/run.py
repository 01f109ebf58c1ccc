#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What alula-stack says of a task's stack is what the task needs.

1. For each body (calls, recursion, circles, tables of functions, arrays of
   variable size, scopes, kernel calls, printf with floats, strtod, callbacks,
   soft division, a vendor's archive, both of them and strings by pointer) an
   image is linked, and alula-stack says what its task needs. With a stack of
   that many bytes it comes through; with 8 less it dies of an overflow, but where a way that is seldom taken is the deepest one.
2. A recursion that is one deeper needs exactly one frame more.
3. STACKS check: the link is refused, and leaves no image, when a stack is too
   small, or a recursion, a call through a pointer or a variable array has no
   statement; with one, or with AL_STACK_RUNTIME, and without STACKS, it links.
   A checked function that is handed to an archive without AL_CALLBACK is refused.
4. Statements about functions and tasks that do not exist, or that say less than
   the code shows, are refused with a sentence; so are files that are none.
5. ./alula stack ends 0 and 1, writes its JSON and a page whose trees unfold.
Fails if: a way through the code is missed or counted twice; an error of these
passes.

timeout: 900
"""
import json
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
OUT = ROOT / "build/tests/stacks"
STACK = ROOT / "tools/alula-stack"
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks, run  # noqa: E402

# Exact: 8 bytes less are too few.
BODIES = {"plain": True, "recursion": True, "circle": True, "pointer": True,
          "function": True, "variable": True, "scope": False, "heap": False,
          "kernel": True, "print": True, "console": True, "callback": True,
          "number": True, "divide": True, "string": True,
          "runtime": True, "vendor": True, "archive": True, "back": True}
VENDOR = ("--bounds", HERE / "project/vendor.bounds",
          "--notes", HERE / "project/vendor.notes")
UNSTATED = {"recursion": "recursion: descend -> descend",
            "circle": "recursion: ", "pointer": "body_pointer calls through a "
            "pointer", "function": "body_function calls through a pointer",
            "variable": "body_variable has a frame of variable size"}
checks = Checks()
check = checks.check


def build(images):
    """Builds what can be built; what was said."""
    done = run("cmake", "-G", "Ninja", "-S", HERE / "project", "-B", OUT,
               f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/cmake/arm-gcc.cmake",
               f"-DALULA_SOURCE={ROOT}", "-DCMAKE_BUILD_TYPE=Release",
               "-DIMAGES=" + ";".join(images))
    if done.returncode:
        return done.stdout + done.stderr
    done = run("cmake", "--build", OUT, "-j", "2", "--", "-k", "0",
               timeout=600)
    return done.stdout + done.stderr


def table(image, *arguments):
    """(status, data, what was said)."""
    out = OUT / "stack.json"
    out.unlink(missing_ok=True)
    done = run(STACK, "--tasks", "--json", out, *VENDOR, *arguments,
               OUT / f"{image}.elf")
    data = json.loads(out.read_text())["images"][0] if out.exists() else None
    return done.returncode, data, done.stdout + done.stderr


def user(image):
    _, data, said = table(image, "--runtime-checks")
    if data is None:
        check(f"{image}: there is a table", False, said)
        return None
    return next(t for t in data["tasks"] if t["name"] == "user")


def emulate(image):
    done = run("timeout", "20", "qemu-system-arm", "-M", "netduinoplus2",
               "-icount", "shift=4,sleep=off", "-display", "none", "-monitor",
               "none", "-serial", "null", "-semihosting-config",
               "enable=on,target=native", "-kernel", OUT / f"{image}.elf")
    return done.stdout + done.stderr


def measured():
    said = build([f"{b}|-|BODY={b},STATED" for b in BODIES])
    needs = {}
    for b in BODIES:
        if not check(f"{b}: links", (OUT / f"{b}.elf").exists(), said[-700:]):
            continue
        t = user(b)
        if t and check(f"{b}: has a bound", t["bounded"], t["open"]):
            needs[b] = t["needs"]
    said = build([f"{b}_{n - less}|STACKS,check|BODY={b},STATED,"
                  f"STACK={n - less},{'SUFFICES' if less else 'EXACT'}"
                  for b, n in needs.items() for less in (0, 8)])
    for b, n in needs.items():
        came = emulate(f"{b}_{n}")
        check(f"{b}: {n} bytes are enough", came == "came through\n", came)
        died = emulate(f"{b}_{n - 8}")
        wanted = f"died of {'vla' if b == 'variable' else 'overflow'}\n"
        if BODIES[b]:
            check(f"{b}: {n - 8} are not", died == wanted, died or said[-500:])


def recursion():
    build([f"times{n}|-|BODY=recursion,STATED,TIMES={n}" for n in (5, 6, 105)])
    five, six, more = (user(f"times{n}")["needs"] for n in (5, 6, 105))
    check("one recursion more is one frame more", six - five in (48, 56, 64),
          six - five)
    checks.equal("a hundred more are a hundred frames", more - five,
                 100 * (six - five))


def refused():
    images = [f"no_{b}|STACKS,check|BODY={b}" for b in UNSTATED]
    images += [f"yes_{b}|STACKS,check|BODY={b},STATED" for b in UNSTATED]
    images += [f"let_{b}|STACKS,check|BODY={b},SUFFICES" for b in UNSTATED]
    images += ["small|STACKS,check|BODY=plain,STACK=600",
               "default|-|BODY=recursion,STACK=600",
               "less|-|BODY=number,LESS", "nobody|-|BODY=plain,NOBODY",
               "bare|-|BODY=back,BARE"]
    said = build(images)
    for b, sentence in UNSTATED.items():
        check(f"{b}: not stated, no image", not (OUT / f"no_{b}.elf").exists()
              and sentence in said, said[-900:])
        check(f"{b}: stated", (OUT / f"yes_{b}.elf").exists(), said[-500:])
        check(f"{b}: run-time checks suffice",
              (OUT / f"let_{b}.elf").exists(), said[-500:])
    check("too small: no image", not (OUT / "small.elf").exists() and re.search(
        r"task user: its stack has 600 bytes and needs \d+", said), said[-900:])
    check("by default all of it links", (OUT / "default.elf").exists(),
          said[-500:])
    check("less than the code shows", not (OUT / "less.elf").exists() and
          "more than 8" in said, said[-900:])
    check("a callback without a veneer: no image",
          not (OUT / "bare.elf").exists() and "body_back" in said and
          "hands twice to vendor_each" in said and
          "make the pointer by AL_CALLBACK(twice)" in said, said[-900:])
    check("a task that is none", "the image has no task nobody" in said,
          said[-900:])


def stated():
    """Files of notes, good and bad, for one image."""
    file = OUT / "said.notes"

    def notes(name, text, status, sentence=""):
        file.write_text(text)
        got, _, said = table("no_sums", "--runtime-checks", "--notes", file)
        check(f"notes: {name}", got == status and sentence in said,
              f"{got}: {said[-500:]}")

    build(["no_sums|-|BODY=recursion"])
    notes("a function that is there", "recurses descend 5\n", 0)
    notes("one that is not", "calls nobody leaf\n", 1,
          "said.notes:1: calls: the image has no function nobody")
    notes("a callee that is not", "calls deep nobody\n", 1,
          "the image has no function nobody")
    notes("one that may be absent", "calls nobody? leaf?\n", 0)
    notes("never", "recurses descend 0\n", 1, "0 is less than 1")
    notes("a checked function's bytes", "uses descend 8\n", 1,
          "descend is not precompiled")
    notes("a kind that is none", "spins descend 5\n", 2, "is no annotation")
    notes("no number", "recurses descend often\n", 2, '"often" is no number')
    notes("too few words", "recurses descend\n", 2, "too few")
    got, data, said = table("no_sums", "--notes", file.parent / "none")
    check("notes: no such file", got == 2 and data is None, said)
    file.write_text("recurses descend 5\n")
    got, data, _ = table("no_sums", "--notes", file)
    check("a file bounds it", got == 0 and all(
        t["bounded"] for t in data["tasks"]), data)
    got, _, _ = table("no_sums")
    checks.equal("and nothing else does", got, 1)


def told():
    """The verb, its JSON and its page."""
    page = OUT / "page.html"
    done = run(ROOT / "alula", "stack", *VENDOR, "--html", page,
               OUT / "no_sums.elf")
    checks.equal("./alula stack: no bound", done.returncode, 1)
    done = run(ROOT / "alula", "stack", *VENDOR, "--runtime-checks", "--html",
               page, OUT / "no_sums.elf")
    checks.equal("./alula stack: it suffices", done.returncode, 0)
    data = json.loads((ROOT / "build/results/stack.json").read_text())
    image = data["images"][0]
    check("its JSON has the tasks and the levels",
          {t["name"] for t in image["tasks"]} == {"user", "watcher", "idle"}
          and image["interrupts"]["levels"][0]["level"] == "kernel", image)
    text = page.read_text()
    check("its page unfolds", text.count("<details") > 5 and
          text.count("<details") == text.count("</details>") and
          "descend" in text and "src=" not in text, text[:300])
    checks.equal("an image that is none", run(
        STACK, "--tasks", __file__).returncode, 2)


shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir(parents=True)
measured()
recursion()
refused()
stated()
told()
sys.exit(checks.done())
