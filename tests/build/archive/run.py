#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Calls into an archive that knows nothing of Alula are covered.

An archive of C, compiled without unwind tables, stack checks or a reserved r9,
and an application that states its depths, on both boards, by both compilers:

1. a task that dies in it, or in what it calls back, leaves nothing: its scopes,
   its lock, its heap block;
2. with less stack than stated the task dies before the call; with as much, the
   call comes back;
3. a depth that is stated too small does not link.
Fails if: a call is not led to a stub, or the walk's end loses scopes.

timeout: 600
"""
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
OUT = ROOT / "build/tests/archive"
BOARDS = {"stm32f405": "-M netduinoplus2 -icount shift=4,sleep=off",
          "mps2-an386": "-M mps2-an386 -icount shift=7,sleep=off"}
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

checks = Checks()


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=300)
    return done.returncode, done.stdout


def archive():
    """Its path; no flag of Alula's is used."""
    made = OUT / "vendor.o"
    status, said = run(
        "arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard",
        "-mfpu=fpv4-sp-d16", "-O2", "-fno-unwind-tables",
        "-fno-asynchronous-unwind-tables", "-c", "-o", str(made),
        str(HERE / "project/vendor.c"))
    checks.check("the archive compiles", status == 0, said)
    library = OUT / "libvendor.a"
    status, said = run("arm-none-eabi-ar", "rcs", str(library), str(made))
    checks.check("the archive is made", status == 0, said)
    status, said = run("arm-none-eabi-readelf", "-S", str(made))
    checks.check("it has no tables", "exidx" not in said, said)
    return library


def build(name, board, compiler, level, bounds):
    """(status, output, image)"""
    tree = OUT / name
    status, said = run(
        "cmake", "-G", "Ninja", "-S", str(HERE / "project"), "-B", str(tree),
        f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/cmake/arm-{compiler}.cmake",
        f"-DALULA_SOURCE={ROOT}", "-DCMAKE_BUILD_TYPE=Release",
        f"-DVENDOR={OUT}/libvendor.a", f"-DBOARD={board}",
        f"-DLEVEL={level}", f"-DBOUNDS={bounds}")
    if status == 0:
        status, said = run("cmake", "--build", str(tree), "-j", "2",
                           "--target", "app")
    return status, said, tree / "app.elf"


shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir(parents=True)
archive()
for board, qemu in BOARDS.items():
    for compiler, level in (("gcc", "-O2"), ("gcc", "-O0"), ("clang", "-O2")):
        name = f"{board}-{compiler}{level}"
        status, said, image = build(name, board, compiler, level,
                                    HERE / "project/vendor.bounds")
        if not checks.check(f"{name} builds", status == 0, said[-900:]):
            continue
        status, said = run(
            "timeout", "60", "qemu-system-arm", *qemu.split(), "-display",
            "none", "-monitor", "none", "-serial", "null",
            "-semihosting-config", "enable=on,target=native", "-kernel",
            str(image))
        checks.check(f"{name} holds", status == 0 and "# done 6" in said and
                     "not ok" not in said, f"status {status}\n{said[-900:]}")
wrong = OUT / "wrong.bounds"
wrong.write_text((HERE / "project/vendor.bounds").read_text().replace(
    "vendor_sum 264", "vendor_sum 64"))
status, said, image = build("mps2-an386-gcc-O2", "mps2-an386", "gcc", "-O2",
                            wrong)
checks.check("too small a depth is refused", status != 0 and
             "vendor_sum" in said, f"status {status}\n{said[-600:]}")
sys.exit(checks.done())
