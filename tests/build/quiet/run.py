#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cc-quiet drops GCC's two notes, and nothing else of a stage.

Fails if: another line, the standard output, a status or a signal is lost.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/build"))
from check import Checks  # noqa: E402

checks = Checks()
NOTE = "cc1: note: disable pass tree-nothrow for functions in the range of "


def quiet(script):
    return subprocess.run([tool, "sh", "-c", script], text=True, check=False,
                          capture_output=True)


with tempfile.TemporaryDirectory() as folder:
    tool = str(Path(folder) / "cc-quiet")
    subprocess.run(["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall",
                    "-Wextra", "-Werror", "-o", tool,
                    str(ROOT / "tools/cc-quiet.c")], check=True)
    done = quiet(f"echo out; echo a >&2; echo '{NOTE}[0, 4294967295]' >&2; "
                 "echo 'x.c:1: warning: b' >&2; exit 3")
    checks.equal("standard output passes", done.stdout, "out\n")
    checks.equal("the note goes, other lines stay", done.stderr,
                 "a\nx.c:1: warning: b\n")
    checks.equal("the status passes", done.returncode, 3)
    checks.equal("a clean end passes", quiet("exit 0").returncode, 0)
    checks.equal("a signal passes", quiet("kill -9 $$").returncode, -9)
    done = quiet("yes | head -c 300000 >&2")
    checks.equal("long messages pass", len(done.stderr), 300000)
    checks.equal("a last line without its end passes",
                 quiet("printf end >&2").stderr, "end")
    done = subprocess.run([tool, "/nonexistent"], capture_output=True,
                          check=False)
    checks.equal("a missing program is reported", done.returncode, 127)
    done = subprocess.run(
        ["arm-none-eabi-gcc", "-wrapper", tool, "-mcpu=cortex-m4", "-O2",
         "-fdisable-tree-nothrow", "-fdisable-rtl-nothrow", "-S", "-xc", "-",
         "-o", "/dev/null"], input="int f(void) { return 1; }", text=True,
        capture_output=True, check=False)
    checks.check("GCC is silent through it",
                 done.returncode == 0 and done.stderr == "", done.stderr)
sys.exit(checks.done())
