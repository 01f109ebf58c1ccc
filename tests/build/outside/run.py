#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Alula works as a part of somebody else's CMake project.

1. A tiny project with add_subdirectory(alula) builds with GCC and Clang, and
   its firmware runs.
2. The same project with one mistake (a library without alula::alula, a flag
   taken back) does not link, says why, and leaves no image.
3. A small kernel that GCC compiles in the link stands together in the image,
   unchecked but for its API, and the program does not; a program that the link
   compiles keeps its checks, and that kernel is not compiled with it.
Fails if: alula-link verifies nothing, or flags do not travel with the target.
"""
import shutil
import struct
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
OUT = ROOT / "build/tests/outside"
sys.path[:0] = [str(ROOT / "tests/build"), str(ROOT / "tools")]
from check import Checks  # noqa: E402
from elffile import Elf  # noqa: E402

checks = Checks()
check = checks.check


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=300)
    return done.returncode, done.stdout


def build(compiler, mistake="", level="-O2", lto="OFF"):
    """(status, output, image) of a fresh configuration and a build."""
    tree = OUT / compiler
    status, said = run(
        "cmake", "-G", "Ninja", "-S", str(HERE / "project"), "-B", str(tree),
        f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/cmake/arm-{compiler}.cmake",
        f"-DALULA_SOURCE={ROOT}", "-DCMAKE_BUILD_TYPE=Release",
        f"-DBREAK={mistake}", f"-DLEVEL={level}", f"-DAPP_LTO={lto}")
    if status == 0:
        status, said = run("cmake", "--build", str(tree), "-j", "2")
    return status, said, tree / "app.elf"


def refused(compiler, mistake, needle):
    status, said, image = build(compiler, mistake)
    check(f"{compiler} refuses: {mistake}",
          status != 0 and needle in said and not image.exists(), f"status {status}\n{said[-700:]}")


def runs(what, image):
    status, said = run("timeout", "20", "qemu-system-arm", "-M",
                       "netduinoplus2", "-icount", "shift=4,sleep=off",
                       "-display", "none", "-monitor", "none", "-serial",
                       "null", "-semihosting-config",
                       "enable=on,target=native", "-kernel", str(image))
    check(f"{what} runs", status == 0 and "outside: 42" in said,
          f"status {status}\n{said[-500:]}")


def small(lto):
    """An image with a kernel at -Os: what alula-stack knows of each function,
    whether it stands in the kernel's code."""
    status, said, image = build("gcc", level="-Os", lto=lto)
    if not check(f"lto {lto}: builds", status == 0 and image.exists(),
                 said[-700:]):
        return
    runs(f"lto {lto}:", image)
    elf = Elf(str(image))
    at = {s.name: s.value & ~1 for s in elf.symbols if s.defined}
    records = {}
    data = elf.section(".alula.fn").data
    for word in range(0, len(data), 16):
        address, _, _, form = struct.unpack_from("<4I", data, word)
        records[address] = form & 7
    low, high = at["__al_kernel_low"], at["__al_kernel_high"]
    for name, inside in (("helper_sum", False), ("al_panic", True),
                         ("SVC_Handler", True), ("al_boot", True)):
        check(f"lto {lto}: {name}'s place", name in at and
              (low <= at[name] < high) == inside)
    form = records[at["helper_sum"]]
    check(f"lto {lto}: helper_sum is checked", form == 2, form)
    inner = [form for address, form in records.items() if low <= address < high]
    check(f"lto {lto}: the kernel is not", inner.count(5) > 20, len(inner))
    called_once = "arch_boot_tick" in at
    check(f"lto {lto}: the kernel as a whole", called_once == (lto == "ON"))


shutil.rmtree(OUT, ignore_errors=True)
for compiler in ("gcc", "clang"):
    status, said, image = build(compiler)
    if check(f"{compiler} builds it", status == 0 and image.exists(),
             said[-700:]):
        runs(f"{compiler}'s", image)
    refused(compiler, "-fno-exceptions", "without -fexceptions")
refused("gcc", "no target", "alula-as never saw it")
for mistake in ("-fshrink-wrap", "-fno-non-call-exceptions", "-fcall-used-r9",
                "-msched-prolog"):
    refused("gcc", mistake, "code was compiled without")
for switch in ("OFF", "ON"):
    small(switch)
refused("gcc", "handler", "multiple definition of `EXTI2_IRQHandler'")
sys.exit(checks.done())
