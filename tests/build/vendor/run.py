#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Vendors' code and CMSIS-Core work with Alula.

1. An application includes CMSIS-Core (npm's @xpack-3rd-party/arm-cmsis-core) by
   a device header, links a vendor-like library with SystemInit, SysTick_Config,
   a tick and masks of its own, and defines the handlers by their CMSIS names,
   the tick's too. It runs: SystemInit was called, both count the ticks, those
   that a mask held off are made up.
2. The same with a Reset_Handler of the application's own, which leaves
   interrupts masked and one pending, and ends in al_boot(): its handler runs
   once memory is set up.
3. The audit names the library's masking functions as failures, until the
   application lists them.
Fails if: the library's SystemInit is not found, or the tick's handler cannot be
the application's.

timeout: 600
"""
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
OUT = ROOT / "build/tests/vendor"
CMSIS = (ROOT / "build/npm/node_modules/@xpack-3rd-party/arm-cmsis-core/CMSIS"
         "/Core/Include")
AUDIT = [sys.executable, str(ROOT / "tools/alula-audit"), "--list",
         str(ROOT / "tools/audit.list")]
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

checks = Checks()


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=300)
    return done.returncode, done.stdout


def audit(name, image):
    functions = ["hal_locked_add", "hal_raise_and_wait"]
    if image.stem == "own_reset":
        functions.append("Reset_Handler")
    status, said = run(*AUDIT, str(image))
    failed = [line for line in said.splitlines() if "FAILURE" in line]
    checks.check(f"{name}: the audit finds the vendor's masks",
                 status == 1 and all(any(f in x for x in failed)
                                     for f in functions) and
                 all(any(f in x for f in functions) for x in failed), said)
    status, said = run(*AUDIT, "--list", str(HERE / "project/audit.list"),
                       str(image))
    checks.check(f"{name}: the application lists them", status == 0 and
                 all(f"third-party" in said and f in said
                     for f in functions), said)


shutil.rmtree(OUT, ignore_errors=True)
checks.check("CMSIS-Core is installed", (CMSIS / "core_cm4.h").exists(),
             f"no {CMSIS}/core_cm4.h: ./alula setup installs it")
for compiler in ("gcc", "clang"):
    tree = OUT / compiler
    status, said = run(
        "cmake", "-G", "Ninja", "-S", str(HERE / "project"), "-B", str(tree),
        f"-DCMAKE_TOOLCHAIN_FILE={ROOT}/cmake/arm-{compiler}.cmake",
        f"-DALULA_SOURCE={ROOT}", "-DCMAKE_BUILD_TYPE=Release",
        f"-DCMSIS_CORE={CMSIS}")
    if status == 0:
        status, said = run("cmake", "--build", str(tree), "-j", "2")
    if not checks.check(f"{compiler}: builds", status == 0, said[-1500:]):
        continue
    for image in (tree / "app.elf", tree / "own_reset.elf"):
        name = f"{compiler}, {image.stem}"
        status, said = run(
            "timeout", "20", "qemu-system-arm", "-M", "netduinoplus2",
            "-icount", "shift=4,sleep=off", "-display", "none", "-monitor",
            "none", "-serial", "null", "-semihosting-config",
            "enable=on,target=native", "-kernel", str(image))
        good = said.count("\nok ") + said.startswith("ok ")
        checks.check(f"{name}: runs", status == 0 and "not ok" not in said and
                     good >= 12 and said.endswith("end\n"),
                     f"status {status}\n{said[-1500:]}")
        audit(name, image)
sys.exit(checks.done())
