#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Depths that alula-stack computes, against those that test programs reach.

The emulator tells the stack pointer before each instruction; the lowest one in
each task's stack, outside of handlers, is the task's high-water mark. Of each
task that has a bound, the computed depth is never less, and at most 25 % more
where the task takes its deepest way.
A line for each says both.
Fails if: a way through the code is missed, or one is counted that is none.

timeout: 600
"""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
OUT = ROOT / "build/tests/highwater"
sys.path[:0] = [str(ROOT / "tests/build"), str(ROOT / "tools")]
from check import Checks, run  # noqa: E402
from elffile import Elf  # noqa: E402

# Programs in which nobody dies and each task takes its deepest way.
PROGRAMS = ("sem_semantics", "timer_semantics", "timer_callbacks",
            "chan_semantics")
# Never less, but more: what it calls could wait to a deadline, and it never does.
NOT_DEEPEST = {("system/timer_semantics", "parker")}
BOARDS = ("stm32f405", "mps2-an386")
DEF_BYTES, NAME, STACK, STACK_BYTES = 36, 4, 20, 24    # struct al_task_def
# Numbers of eight hexadecimal digits are in order as texts.
LOWEST = """
/^R12=/ { sp = substr($2, 5, 8); next }
/^XPSR=/ && /thread/ {
  for (i = 1; i <= n; i++)
    if (sp > low[i] && sp <= high[i]) { if (sp < least[i]) least[i] = sp; break }
}
BEGIN {
  n = split(LOW, low, " "); split(HIGH, high, " ")
  for (i = 1; i <= n; i++) least[i] = high[i]
}
END { for (i = 1; i <= n; i++) print least[i] }
"""
checks = Checks()


def stacks(image):
    """name -> (low, high) of each task's stack."""
    elf = Elf(str(image))
    at = {s.name: s.value for s in elf.symbols}
    out = {}
    for d in range(at["__al_taskdefs_low"], at["__al_taskdefs_high"],
                   DEF_BYTES):
        text = elf.read(elf.word(d + NAME), 32) or b""
        low = elf.word(d + STACK)
        out[text.split(b"\0")[0].decode()] = (
            low, low + elf.word(d + STACK_BYTES))
    return out


def used(image, qemu):
    """name -> bytes of its stack that the task's code reaches."""
    rows = stacks(image)
    emulator = subprocess.Popen(
        ["timeout", "120", "qemu-system-arm", *qemu.split(), "-display",
         "none", "-monitor", "none", "-serial", "null", "-semihosting-config",
         "enable=on,target=native", "-singlestep", "-d", "cpu,nochain",
         "-kernel", str(image)], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = subprocess.run(
        ["awk", "-v", "LOW=" + " ".join(f"{a:08x}" for a, _ in rows.values()),
         "-v", "HIGH=" + " ".join(f"{b:08x}" for _, b in rows.values()),
         LOWEST], stdin=emulator.stderr, capture_output=True, text=True,
        check=False).stdout.split()
    emulator.stderr.close()
    status = emulator.wait()
    return status, {name: high - int(least, 16) for (name, (_, high)), least
                    in zip(rows.items(), said)}


def compare(board, test):
    image, out = Path(test["image"]), OUT / "stack.json"
    what = f"{test['name']} [{board}]"
    out.unlink(missing_ok=True)
    run(ROOT / "tools/alula-stack", "--tasks", "--runtime-checks", "--json",
        out, image)
    status, marks = used(image, test["qemu"])
    if not checks.check(f"{what} runs", status == 0 and out.exists(), status):
        return
    for t in json.loads(out.read_text())["images"][0]["tasks"]:
        mark = marks.get(t["name"], 0)
        if mark == 0 or not t["bounded"]:
            continue
        most = mark * 1.25 if (test["name"], t["name"]) not in NOT_DEEPEST \
            else t["depth"]
        checks.check(f"{what} {t['name']}: {mark} reached, {t['depth']} "
                     "computed", mark <= t["depth"] <= most, t["deepest"])


OUT.mkdir(parents=True, exist_ok=True)
for b in BOARDS:
    preset = f"{b}-gcc-release"
    done = run(ROOT / "alula", "build", preset,
               *(f"{p}.gcc-O2" for p in PROGRAMS), timeout=500)
    if checks.check(f"{b}: builds", done.returncode == 0, done.stderr[-700:]):
        for row in json.loads((ROOT / f"build/{preset}/tests.json")
                              .read_text()):
            if row["build"] == "gcc-O2" and row["name"].removeprefix(
                    "system/") in PROGRAMS:
                compare(b, row)
sys.exit(checks.done())
