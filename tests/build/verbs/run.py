#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The verb script lists every verb, and ends 2 for wrong usage.

Fails if: a verb goes undocumented, or a wrong word is let pass.
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

checks = Checks()
check = checks.check


def alula(*arguments, **more):
    done = subprocess.run([str(ROOT / "alula"), *arguments], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False, **more)
    return done.returncode, done.stdout, done.stderr


status, said, _ = alula("help")
script = (ROOT / "alula").read_text()
verbs = re.findall(r"(?m)^verb_(\w+)\(\)", script)
dispatch = script.split("case $verb in")[1]
check("help ends 0", status == 0 and len(verbs) > 9, status)
for verb in verbs:
    check(f"help lists {verb}", re.search(rf"(?m)^  {verb}\b", said))
    check(f"{verb} is dispatched", re.search(rf"\b{verb}\b", dispatch))
for words in (["fly"], ["run", "--fast"], ["run", "--board"],
              ["run", "--board", "none"], ["check", "me"], ["build", "none"],
              ["test", "--only", "no-such-test"]):
    status, _, error = alula(*words)
    check(f"\"{' '.join(words)}\" ends 2 with a sentence",
          status == 2 and error.count("\n") in (1, 2), f"{status} {error}")

# A machine without the tools: says in a line what is missing, and ends 2.
with tempfile.TemporaryDirectory() as folder:
    copy = Path(folder) / "alula"
    copy.write_text(re.sub(r"(?m)^PATH=.*$", "PATH=$PATH", script))
    copy.chmod(0o755)
    for tool in ("sh", "dirname", "mkdir", "nproc"):
        Path(folder, tool).symlink_to(f"/usr/bin/{tool}")

    def bare():
        done = subprocess.run(
            [str(copy), "check"], stdin=subprocess.DEVNULL, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PATH": folder})
        return done.returncode, done.stderr

    status, error = bare()
    check("no apt-get: ends 2 with the packages",
          status == 2 and "cmake" in error and error.count("\n") == 1, f"{status} {error}")
    for name, body in (("apt-get", "exit 1"), ("id", "echo 1000")):
        Path(folder, name).write_text(f"#!/bin/sh\n{body}\n")
        Path(folder, name).chmod(0o755)
    status, error = bare()
    check("neither root nor sudo: ends 2 with the apt line",
          status == 2 and "apt-get install" in error and
          error.count("\n") == 1,
          f"{status} {error}")
sys.exit(checks.done())
