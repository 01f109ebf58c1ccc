#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stated bound that changes is built into all objects, at once.

In a copy of what a build reads:
1. an object is built once, and not again when nothing has changed;
2. the bound of memcpy becomes one that no RAM holds: the next build compiles
   the object that calls it again, and is refused with a sentence;
3. the bound is put back: the next build compiles it again, and it is right.
Fails if: objects do not depend on the files of bounds that alula-as reads.
"""
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
OUT = ROOT / "build/tests/bounds"
READ = ("CMakeLists.txt", "arch", "boards", "chips", "cmake", "drivers",
        "include", "kernel", "lib", "tools")
OBJECT = "CMakeFiles/app.dir/main.c.obj"
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(bounds C)
add_subdirectory(../alula alula)
add_executable(app main.c)
target_link_libraries(app PRIVATE alula::alula)
alula_firmware(app BOARD stm32f405)
"""
MAIN = """#include <string.h>
void copy(char *to, const char *from, unsigned bytes);
void copy(char *to, const char *from, unsigned bytes)
{
    memcpy(to, from, bytes);
    to[0] = 1;
}
"""
checks = Checks()


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, timeout=300)
    return done.returncode, done.stdout


def build():
    """(status, was it compiled, what was said)."""
    status, said = run("cmake", "--build", str(OUT / "tree"), "--target", OBJECT)
    return status, "Building C object " + OBJECT in said, said


shutil.rmtree(OUT, ignore_errors=True)
(OUT / "alula").mkdir(parents=True)
(OUT / "project").mkdir()
for name in READ:
    if (ROOT / name).is_dir():
        shutil.copytree(ROOT / name, OUT / "alula" / name)
    else:
        shutil.copy(ROOT / name, OUT / "alula" / name)
(OUT / "project/CMakeLists.txt").write_text(PROJECT)
(OUT / "project/main.c").write_text(MAIN)
status, said = run(
    "cmake", "-G", "Ninja", "-S", str(OUT / "project"), "-B", str(OUT / "tree"),
    f"-DCMAKE_TOOLCHAIN_FILE={OUT}/alula/cmake/arm-gcc.cmake")
checks.check("configures", status == 0, said[-600:])

status, compiled, said = build()
checks.check("is compiled", status == 0 and compiled, said[-600:])
status, compiled, said = build()
checks.check("and is not again", status == 0 and not compiled, said[-600:])

bounds = OUT / "alula/tools/bounds/picolibc.bounds"
before = bounds.read_text()
after = re.sub(r"(?m)^memcpy +\d+", "memcpy 1000000", before)
checks.check("memcpy has a bound", after != before)
bounds.write_text(after)
status, compiled, said = build()
checks.check("a changed bound compiles it again, and is refused",
             status != 0 and "`copy'" in said,
             f"status {status}: {said[-600:]}")
bounds.write_text(before)
status, compiled, said = build()
checks.check("as before, it is compiled again", status == 0 and compiled,
             f"status {status}: {said[-600:]}")
sys.exit(checks.done())
