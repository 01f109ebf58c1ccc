#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Options out of range, and configurations of another version, do not build.

Claim: include/alula/config.h refuses each option one below and one above its
range with that option's sentence, and takes both ends; an alula_config.h needs
AL_CFG_VERSION, of this version; docs/config.md lists each option.
Fails if: a range in the comment is not the one that is checked, or an option
has no sentence of its own.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CONFIG = ROOT / "include/alula/config.h"
STEP = {"AL_CFG_IDLE_STACK": 8, "AL_CFG_IRQ_STACK": 8,
        "AL_CFG_CLEANUP_STACK": 8}

failed = 0


def compiles(*flags):
    done = subprocess.run(
        ["arm-none-eabi-gcc", "-fsyntax-only", "-x", "c", *flags,
         "-I", ROOT / "include", "-include", CONFIG, "/dev/null"],
        capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


def check(name, ok, why=""):
    global failed
    failed += not ok
    print(f"ok {name}" if ok else f"not ok {name}: {why[:300]!r}")


def ranges():
    text = CONFIG.read_text(encoding="utf-8")
    for comment, name in re.findall(
            r"/\*((?:(?!\*/).)*)\*/\s*#ifndef (AL_CFG_\w+)", text, re.S):
        found = re.search(r"(\d+) \.\. (\d+)", comment)
        yield name, *(map(int, found.groups()) if found else (0, 1))


def options():
    documented = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    count = 0
    for name, least, most in ranges():
        count += 1
        step = STEP.get(name, 1)
        for value in (least, most):
            ok, text = compiles(f"-D{name}={value}")
            check(f"{name} {value} builds", ok, text)
        for value in {least - step, most + step, least + step - 1} - \
                set(range(least, most + 1, step)):
            ok, text = compiles(f"-D{name}={value}")
            check(f"{name} {value} does not",
                  not ok and f"{name} must be" in text, text)
        check(f"{name} is documented", f"`{name}`" in documented)
    check("some options, at most twenty", 10 <= count <= 20, str(count))


def versions():
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "alula_config.h"
        for text, sentence in (
                ("#define AL_CFG_VERSION 1\n", None),
                ("#define AL_CFG_VERSION 1\n#define AL_CFG_TICK_HZ 100\n", None),
                ("", "does not say for which version"),
                ("#define AL_CFG_VERSION 0\n", "written for other options"),
                ("#define AL_CFG_VERSION 2\n", "written for other options"),
                ("#define AL_CFG_VERSION 1\n#define AL_CFG_TICK_HZ 9\n",
                 "AL_CFG_TICK_HZ must be")):
            file.write_text(text, encoding="utf-8")
            ok, said = compiles("-I", folder)
            good = ok if sentence is None else not ok and sentence in said
            check(f"a file with {text!r}", good, said)


options()
versions()
sys.exit(1 if failed else 0)
