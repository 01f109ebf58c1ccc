#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A raw handler is built without a stack check, and must call nothing.

1. Handlers with a frame, with an assertion, with each al_irq_raw_ function,
   and empty ones link, with GCC and Clang, at -O0, -O2 and -Os; there is no
   check in them, and each vector has its own. What the raw start of a timer
   asks for is in the image.
2. One that calls a checked function of the kernel's or the application's, jumps
   to one, calls through a pointer, calls the C library, or has a frame of no
   fixed size fails the build with a sentence that names it, and leaves no
   image. So do a plain function under a vector's name, and handlers that need
   more than the interrupt stack when they nest.
Fails if: alula-stack does not look at raw handlers' calls, or alula-as checks
them.

timeout: 900
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
OUT = ROOT / "build/tests/raw"
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

RAW = ("but it is a raw interrupt handler: no limit protects what it calls, so "
       "that it may call the inline al_irq_raw_ functions only; define it by "
       "AL_IRQ to call others")
REFUSED = {
    "calls_kernel": ("TIM2_IRQHandler (main.c.obj): calls al_irq_sem_give", RAW),
    "calls_chan": ("TIM2_IRQHandler (main.c.obj): calls al_irq_chan_send", RAW),
    "calls_timer": ("TIM2_IRQHandler (main.c.obj): calls al_", RAW),
    "calls_wake": ("TIM2_IRQHandler (main.c.obj): calls al_irq_task_wake", RAW),
    "calls_own": ("TIM2_IRQHandler (main.c.obj): calls helper", RAW),
    "calls_pointer": ("TIM2_IRQHandler (main.c.obj): calls through a pointer",
                      RAW),
    "calls_library": ("TIM2_IRQHandler (main.c.obj): calls ", "memcpy", RAW),
    "plain": ("TIM5_IRQHandler (main.c.obj): handles an interrupt as a plain "
              "function, so that it would be checked against the limit of the "
              "task that it interrupts: define it by AL_IRQ(TIM5_IRQHandler)",),
    "deep": ("nested handlers may take", "TIM5_IRQHandler 15",
             "which has 2560: set AL_CFG_IRQ_STACK to "),
    "jumps": ("TIM2_IRQHandler (main.c.obj): calls helper", RAW),
    "variable": ("function `TIM2_IRQHandler': it is a raw interrupt handler, "
                 "which nothing checks, and its frame has no fixed size; way "
                 "out: give its arrays a fixed size, or define it by AL_IRQ",),
}
GOOD = ("framed", "asserts", "every")
checks = Checks()


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=300)
    return done.returncode, done.stdout


def code(image, function):
    _, text = run("arm-none-eabi-objdump", "-d", "--no-show-raw-insn",
                  f"--disassemble={function}", str(image))
    return re.findall(r"(?m)^ *[0-9a-f]+:\t(\S+)", text)


def address(image, name):
    _, text = run("arm-none-eabi-nm", str(image))
    return re.search(rf"(?m)^(\w+) \w {name}$", text).group(1)


shutil.rmtree(OUT, ignore_errors=True)
for compiler, levels in (("gcc", ("-O2", "-O0", "-Os")), ("clang", ("-Os", "-O0"))):
    for level in levels:
        tree = OUT / (compiler + level)
        status, said = run(
            "cmake", "-G", "Ninja", "-S", str(HERE / "project"), "-B",
            str(tree),
            f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/cmake/arm-{compiler}.cmake",
            f"-DALULA_SOURCE={ROOT}", f"-DLEVEL={level}",
            f"-DCASES={';'.join([*GOOD, *REFUSED])}")
        if not checks.check(f"{compiler} {level}: configures", status == 0, said):
            continue
        for case in GOOD:
            name = f"{compiler} {level}: {case}"
            status, said = run("cmake", "--build", str(tree), "--target", case)
            image = tree / f"{case}.elf"
            if not checks.check(name, status == 0 and image.exists(), said):
                continue
            insns = code(image, "TIM2_IRQHandler")
            checks.check(f"{name}: no check in it",
                         insns and not any("svc" in i for i in insns), insns)
            if case == "every":
                checks.check(f"{name}: timers are there",
                             code(image, "timer_settle_held"))
            checks.check(f"{name}: handlers of their own",
                         address(image, "TIM3_IRQHandler") !=
                         address(image, "TIM4_IRQHandler"))
        for case, needles in REFUSED.items():
            if level == "-O0" and case == "jumps":
                continue        # a call then, as in calls_own
            status, said = run("cmake", "--build", str(tree), "--target", case)
            checks.check(f"{compiler} {level}: {case} is refused",
                         status != 0 and all(n in said for n in needles) and
                         not (tree / f"{case}.elf").exists(),
                         f"status {status}: {said[-600:]}")
sys.exit(checks.done())
