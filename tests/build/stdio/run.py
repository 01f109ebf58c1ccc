#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""printf() and getchar() of the C library work on each board's console.

1. A program of plain C builds with GCC and Clang, for each board, and once with
   the C library's integer-only printf().
2. What it prints comes out of the emulator's serial port, what is typed comes
   in; a death in the middle of a line leaves the stream usable.
Fails if: nothing starts the UART, or the stream's lock outlives its holder.
timeout: 900
"""
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
OUT = ROOT / "build/tests/stdio"
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

checks = Checks()
QEMU = {"stm32f405": ("netduinoplus2", "shift=4"),
        "mps2-an386": ("mps2-an386", "shift=7"),
        "mps2-an385": ("mps2-an385", "shift=7"),
        "integer": ("netduinoplus2", "shift=4")}
LINE = "  -42|left  |0000beef"


def run(*command):
    done = subprocess.run(command, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=400)
    return done.returncode, done.stdout


def answer(command, question, typed):
    """(status, output) of a program that is told `typed` when it has asked: what
    comes before the UART listens is lost, in the emulator as on silicon."""
    with subprocess.Popen(command, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as child:
        said = b""
        while not said.endswith(question):
            byte = child.stdout.read(1)
            if not byte:
                break
            said += byte
        try:
            child.stdin.write(typed)
            child.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: the output says why
        said += child.stdout.read()
        return child.wait(), said.decode(errors="replace")


def talk(compiler, image):
    machine, clock = QEMU[image]
    status, said = answer(
        ("timeout", "60", "qemu-system-arm", "-M", machine, "-icount",
         clock + ",sleep=off", "-display", "none", "-monitor", "none",
         "-serial", "stdio", "-semihosting-config", "enable=on,target=native",
         "-kernel", str(OUT / compiler / f"{image}.elf")),
        b"name? ", b"alula\n")
    line = LINE if image == "integer" else LINE + "|3.142"
    want = f"life 1\ndies life 2\n{line}\nname? hello, alula\n"
    checks.check(f"{compiler}, {image}: it talks and listens",
                 status == 0 and said == want, f"status {status}: {said!r}")


shutil.rmtree(OUT, ignore_errors=True)
for compiler in ("gcc", "clang"):
    tree = OUT / compiler
    status, said = run(
        "cmake", "-G", "Ninja", "-S", str(HERE / "project"), "-B", str(tree),
        f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/cmake/arm-{compiler}.cmake",
        f"-DALULA_SOURCE={ROOT}", "-DCMAKE_BUILD_TYPE=Release")
    if status == 0:
        status, said = run("cmake", "--build", str(tree), "-j", "2")
    if checks.check(f"{compiler} builds it", status == 0, said[-900:]):
        for image in QEMU:
            talk(compiler, image)
sys.exit(checks.done())
