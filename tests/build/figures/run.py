#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""alula-bench, alula-size and numbers write what was measured, only that.

1. An image made for the purpose, of known sections, has the sizes said. One
   above its goal is said.
2. With a stand-in for QEMU: figures reach the file; a bench that ends early,
   prints nothing or miscounts, and a sweep that left out an instruction, is a
   failure and writes no file; one above its goal is a failure that does.
3. What outranks interrupts is counted along its longest way.
4. numbers repeats figures, and finds a document that says others.
Fails if: a section is counted twice or not at all, or a broken run passes.
"""
import json
import os
import subprocess
import sys
import tempfile
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/build"), str(ROOT / "tools")]
from check import Checks, build, gcc, link  # noqa: E402

checks = Checks()
loader = SourceFileLoader("size", str(ROOT / "tools/alula-size"))
size = module_from_spec(spec_from_loader("size", loader))
loader.exec_module(size)
BENCH = ROOT / "tools/alula-bench"


SWEPT = "sweep 20 21 0 104 570 nothing, much\n# swept 1\n"


def bench(folder, output, sweep=SWEPT, *options):
    """(status, result or None) of alula-bench when QEMU prints `output` for the
    bench and `sweep` for the sweep."""
    result = Path(folder) / "bench.json"
    result.unlink(missing_ok=True)
    (Path(folder) / "bench.said").write_text(output)
    (Path(folder) / "sweep.said").write_text(sweep)
    done = subprocess.run(
        [sys.executable, str(BENCH), "--tree", folder, "--json", str(result),
         "--sweep", f"{folder}/sweep", *options, f"{folder}/bench"], check=False, capture_output=True, text=True,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
    return (done.returncode,
            json.loads(result.read_text()) if result.exists() else None)


with tempfile.TemporaryDirectory() as folder:
    obj = gcc(folder, "sized",
              "const char fixed[100] = {1}; char preset[40] = {1};"
              "char zeroed[60]; void _start(void) { zeroed[0] = preset[0] ="
              "fixed[1]; }", "-Os", "-fno-exceptions")
    elf = link(folder, "sized", obj)
    text = int(subprocess.run(
        ["arm-none-eabi-size", str(elf)], check=True, text=True,
        stdout=subprocess.PIPE).stdout.splitlines()[1].split()[0])
    flash, ram = size.memory(elf)
    for more, said in ((0, 0), (1, 1)):
        checks.equal(f"{more} bytes above the goals", [
            len(size.above({"minimal_full": {**size.GOALS["minimal_full"],
                                             key: goal + more}}))
            for key, goal in size.GOALS["minimal_full"].items()], [said] * 2)
    checks.equal("flash is code, constants and initial values", flash,
                 text + 40)
    checks.equal("RAM is what is initialised and what is zeroed", ram, 100)
    obj = gcc(folder, "structures",
              "struct al_task { char a[300]; } t; struct al_sem { int b[4]; };"
              "struct al_mutex { struct al_sem c; short d; } m;"
              "typedef struct al_mutex_like { char e; } al_mutex_like;"
              "al_mutex_like f; struct al_sem *s; void _start(void) {}", "-g",
              "-Os", "-fno-exceptions")
    checks.equal("structures are as long as the debug information says",
                 size.structures(link(folder, "structures", obj)),
                 {"tcb_bytes": 300, "sem_bytes": 16, "mutex_bytes": 20})

    # HardFault's longest way: 4 there, 5 in the shared part.
    stubs = """.syntax unified
        .global HardFault_Handler, MemManage_Handler, BusFault_Handler
        .global UsageFault_Handler, kernel_stop, _start
        .thumb_func
_start: .thumb_func
HardFault_Handler:
        tst lr, #4
        beq 1f
        cbz r0, 1f
        b shared
1:      bx lr
        .thumb_func
MemManage_Handler:
        .thumb_func
BusFault_Handler:
        .thumb_func
UsageFault_Handler:
shared: cmp r0, #0
        it eq
        bxeq lr
        bne 2f
        b kernel_stop
2:      bx lr
        .thumb_func
kernel_stop: b kernel_stop
"""
    def entries(name, source):
        elf = link(folder, name, build(folder, name, source, suffix=".s"))
        done = subprocess.run([sys.executable, str(
            ROOT / "tools/faultstubs.py"), "--most", "9", str(elf)],
            check=False, capture_output=True, text=True)
        return done.returncode, done.stdout.split()[2::3], done.stderr

    checks.equal("fault entries by their longest ways",
                 entries("bench", stubs)[:2], (0, ["9", "5", "5", "5"]))
    checks.equal("one that is too long", entries(
        "long", stubs.replace("2:", "2: nop\n"))[0], 1)
    for name, change in (("a loop", "b shared"), ("a call", "bl kernel_stop"),
                         ("a way that is not known", "bx r0")):
        checks.check(f"{name} has no bound", entries(
            "loop", stubs.replace("2:", f"2: {change}\n"))[0] == 1)
    (Path(folder) / "bench.elf").rename(Path(folder) / "bench")
    fake = Path(folder) / "qemu-system-arm"
    fake.write_text(
        f"#!/bin/sh\nfor image; do :; done\ncat $image.said\n")
    fake.chmod(0o755)
    (Path(folder) / "board.json").write_text(
        '{"board": "b", "qemu": "-M b"}')
    (Path(folder) / "compile_commands.json").write_text(json.dumps([
        {"file": "/x/benches/bench.c", "command": "cc -O2 -DX=1 -c bench.c"}]))
    status, got = bench(folder, "bench a 1 2 3\nbench b_c 4 4 4\n# done 2\n")
    checks.equal("a good run ends 0", status, 0)
    checks.equal("its figures", got["ops"], {
        "a": {"insns": {"min": 1, "median": 2, "max": 3}},
        "b_c": {"insns": {"min": 4, "median": 4, "max": 4}}})
    checks.equal("board and flags", (got["board"], got["flags"]), ("b", "-O2"))
    status, got = bench(folder, "bench defer 14 14 14\n# done 1\n")
    checks.equal("a goal that is met ends 0", status, 0)
    status, got = bench(folder, "bench defer 14 14 15\n# done 1\n")
    checks.equal("a goal that is missed ends 1, and is on file",
                 (status, got["ops"]["defer"]["insns"]["max"]), (1, 15))
    good = "bench a 1 2 3\n# done 1\n"
    status, got = bench(folder, good)
    checks.equal("the sweep's worst are numbers at the top",
                 (status, got["irq_to_task_worst"], got["masked_max"],
                  got["fault_stub_insns"]), (0, 104, 0, 9))
    checks.equal("and what was swept is there", got["swept"]["nothing, much"][
        "insns"], 20)
    status, got = bench(
        folder, good, "sweep 9 4 5 416 0 one\nsweep 9 9 0 1 0 two\n# swept 2\n")
    checks.equal("a sweep above its goals ends 1, and is on file",
                 (status, got["irq_to_task_worst"], got["masked_max"]),
                 (1, 416, 5))
    for name, said in (("that left out an instruction",
                        "sweep 20 19 0 104 570 one\n# swept 1\n"),
                       ("that ends early", "sweep 20 20 0 104 570 one\n"),
                       ("that says nothing", "")):
        checks.equal(f"a sweep {name} fails", bench(folder, good, said),
                     (1, None))
    status, got = bench(folder, good, SWEPT, f"--column=more={folder}/bench")
    checks.equal("a column is another image's medians",
                 (status, got["columns"]), (0, {"more": {"a": 2}}))
    for name, said in (("that ends early", "bench a 1 2 3\n"),
                       ("that says nothing", ""),
                       ("without figures", "# done 0\n"),
                       ("that miscounts", "bench a 1 2 3\n# done 2\n")):
        checks.equal(f"a run {name} fails", bench(folder, said), (1, None))
    def numbers(*options):
        return subprocess.run(
            [sys.executable, str(ROOT / "tools/numbers"), "--results", folder,
             "--document", f"{folder}/numbers.md", *options], check=False,
            stdout=subprocess.DEVNULL).returncode

    (Path(folder) / "scale.json").write_text(json.dumps(
        {"sem_give": {"1": 77, "10": 78}, "yield": {"1": 33, "10": 34}}))
    (Path(folder) / "size.json").write_text(json.dumps(
        {"minimal_full": {"flash": 7777, "ram": 888},
         "minimal_bare": {"flash": 4444, "ram": 333},
         "tcb_bytes": 213, "sem_bytes": 29, "mutex_bytes": 27,
         "checks": {"count": 3, "bytes_avg": 6.5}}))
    bench(folder, "bench defer 11 12 13\n# done 1\n")
    checks.equal("no document is a difference", numbers("--check"), 1)
    checks.equal("a document is written", numbers(), 0)
    text = (Path(folder) / "numbers.md").read_text()
    checks.equal("with the figures", [
        part in text for part in ("| 11 | 12 | 13 |", "| nothing, much | 20 |",
                                  " waiters | 77 | 78 |", "| 7777 | 888 |",
                                  "| 4444 | 333 |", "213 bytes", "mutex 27",
                                  "6.5 bytes", "\n## defer\n")], [True] * 9)
    checks.equal("which is then found right", numbers("--check"), 0)
    bench(folder, "bench defer 11 12 14\n# done 1\n")
    checks.equal("and wrong after another run", numbers("--check"), 1)
sys.exit(checks.done())
