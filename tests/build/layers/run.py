#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/check-layers refuses what kernel/LAYERS forbids.

A made-up kernel of three modules, with one service, passes; with one breach
planted at a time, it fails and names the breach.
Fails if: a rule of check-layers is not applied.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

checks = Checks()
check = checks.check

GOOD = {
    "LAYERS": "# lowest first\nlow 3\nmiddle 9\nhigh 9\n",
    "low.c": '#include "low.h"\n/* not\ncode */\nint low;\n',
    "low.h": "int low_x;\n",
    "middle.c": '#include "middle.h"\n#include "low.h"\n#include <x.h>\n',
    "middle.h": "int middle_x;\n",
    "high.c": '#include "middle.h"\n#include "ring.h"\nint h;\n',
    "services/LAYERS": "over 3\n",
    "services/over.c": '#include "services/over.h"\n#include "high.h"\n',
    "services/over.h": "int over;\n",
}


def run(files):
    with tempfile.TemporaryDirectory() as folder:
        services = Path(folder) / "services"
        services.mkdir()
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        done = subprocess.run(
            [sys.executable, str(ROOT / "tools/check-layers"), folder,
             str(services)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False)
    return done.returncode, done.stdout


def refuses(name, needle, **changed):
    files = {**GOOD, **{k.replace("_", "."): v for k, v in changed.items()}}
    status, said = run({k: v for k, v in files.items() if v is not None})
    check(name, status == 1 and needle in said, f"status {status}, {said}")


status, said = run(GOOD)
check("a kernel in order passes", status == 0 and said == "", said)
refuses("an include upwards", "low.c includes high.h",
        low_c='#include "high.h"\n', high_h="int h;\n")
refuses("an include upwards from a header", "low.h includes middle.h",
        low_h='#include "middle.h"\n')
refuses("a module that LAYERS does not name", "does not name stray",
        stray_c="int s;\n")
refuses("a name without a module", "there is no module high", high_c=None)
refuses("a module over its budget", "low: 4 lines of code", low_h="a\nb\n")
refuses("a kernel that includes a service's", "high.c includes services/over.h",
        high_c='#include "services/over.h"\n')
refuses("a service over its budget", "over: 4 lines of code",
        **{"services/over_h": "a\nb\n"})
check("a module named twice",
      run({**GOOD, "LAYERS": GOOD["LAYERS"] + "low 3\n"})[0] != 0)
check("a kernel without modules", run({"LAYERS": ""})[0] == 1)
sys.exit(checks.done())
