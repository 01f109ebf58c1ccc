#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A task written in C++17 that dies runs its destructors, in order with scopes.

Fails if: the walk skips C++ landing pads, runs one twice, or in another order
than the scopes; if a header does not work in a C++ program.
"""
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
OUT = ROOT / "build/tests/cpp"
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

checks = Checks()


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=300)
    return done.returncode, done.stdout


shutil.rmtree(OUT, ignore_errors=True)
for level in ("-O0", "-O2", "-Os"):
    tree = OUT / level.lstrip("-")
    status, said = run(
        "cmake", "-G", "Ninja", "-S", str(HERE / "project"), "-B", str(tree),
        f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/cmake/arm-gcc.cmake",
        f"-DALULA_SOURCE={ROOT}", f"-DCMAKE_CXX_FLAGS={level}")
    if status == 0:
        status, said = run("cmake", "--build", str(tree), "-j", "2")
    if not checks.check(f"builds at {level}", status == 0, said[-700:]):
        continue
    status, said = run(
        "timeout", "20", "qemu-system-arm", "-M", "netduinoplus2", "-icount",
        "shift=4,sleep=off", "-display", "none", "-monitor", "none", "-serial",
        "null", "-semihosting-config", "enable=on,target=native", "-kernel",
        str(tree / "app.elf"))
    checks.check(f"destructors at {level}", status == 0, f"status {status}")
sys.exit(checks.done())
