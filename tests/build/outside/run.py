#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Alula works as a part of somebody else's CMake project.

1. A tiny project with add_subdirectory(alula) builds with GCC and Clang, and
   its firmware runs.
2. The same project with one mistake (a library without alula::alula, a flag
   taken back) does not link, says why, and leaves no image.
Fails if: alula-link verifies nothing, or flags do not travel with the target.
"""
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
OUT = ROOT / "build/tests/outside"
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

checks = Checks()
check = checks.check


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=300)
    return done.returncode, done.stdout


def build(compiler, mistake=""):
    """(status, output, image) of a fresh configuration and a build."""
    tree = OUT / compiler
    status, said = run(
        "cmake", "-G", "Ninja", "-S", str(HERE / "project"), "-B", str(tree),
        f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/cmake/arm-{compiler}.cmake",
        f"-DALULA_SOURCE={ROOT}", "-DCMAKE_BUILD_TYPE=Release",
        f"-DBREAK={mistake}")
    if status == 0:
        status, said = run("cmake", "--build", str(tree), "-j", "2")
    return status, said, tree / "app.elf"


def refused(compiler, mistake, needle):
    status, said, image = build(compiler, mistake)
    check(f"{compiler} refuses: {mistake}",
          status != 0 and needle in said and not image.exists(), f"status {status}\n{said[-700:]}")


shutil.rmtree(OUT, ignore_errors=True)
for compiler in ("gcc", "clang"):
    status, said, image = build(compiler)
    if check(f"{compiler} builds it", status == 0 and image.exists(),
             said[-700:]):
        status, said = run("timeout", "20", "qemu-system-arm", "-M",
                           "netduinoplus2", "-icount", "shift=4,sleep=off",
                           "-display", "none", "-monitor", "none", "-serial",
                           "null", "-semihosting-config",
                           "enable=on,target=native", "-kernel", str(image))
        check(f"{compiler}'s runs", status == 0 and "outside: 42" in said,
              f"status {status}\n{said[-500:]}")
    refused(compiler, "-fno-exceptions", "without -fexceptions")
refused("gcc", "no target", "alula-as never saw it")
for mistake in ("-fshrink-wrap", "-fno-non-call-exceptions", "-fcall-used-r9",
                "-msched-prolog"):
    refused("gcc", mistake, "code was compiled without")
sys.exit(checks.done())
