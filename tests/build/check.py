# SPDX-License-Identifier: MIT
"""What the tool tests share: counting checks, compiling small inputs."""
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CPU = ('-mcpu=cortex-m4', '-mthumb', '-mfloat-abi=hard', '-mfpu=fpv4-sp-d16')
CLANG = ('clang-19', '--target=arm-none-eabi')
GCC = ('arm-none-eabi-gcc',)


class Checks:
    """ok/not ok lines, and the closing line that tests/run.py reads."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, name, good, why=''):
        if good:
            self.passed += 1
            print(f'ok {name}')
        else:
            self.failed += 1
            why = ' | '.join(str(why).strip().splitlines()[:12])
            print(f'not ok {name}: {why}')
        return bool(good)

    def equal(self, name, got, want):
        return self.check(name, got == want, f'is {got!r}, wanted {want!r}')

    def done(self):
        print(f'# {self.passed} passed, {self.failed} failed')
        return 1 if self.failed or not self.passed else 0


def run(*command, timeout=120):
    return subprocess.run([str(w) for w in command], capture_output=True,
                          text=True, errors='replace', timeout=timeout)


def build(tmp, name, source, *flags, compiler=GCC, suffix='.c', cpu=CPU):
    """Compile or assemble a text; the object's path."""
    src, obj = Path(tmp) / f'{name}{suffix}', Path(tmp) / f'{name}.o'
    src.write_text(source)
    done = run(*compiler, *cpu, *flags, '-c', '-o', obj, src)
    if done.returncode:
        raise RuntimeError(f'{name}{suffix} does not compile: {done.stderr}')
    return obj


def gcc(tmp, name, source, *flags):
    return build(tmp, name, source, *flags)


def link(tmp, name, *args):
    elf = Path(tmp) / f'{name}.elf'
    done = run(*GCC, *CPU, '-nostdlib', '-Wl,--build-id=sha1',
               '-Wl,-Ttext=0x08000000', '-Wl,-Tdata=0x20000000',
               '-Wl,--defsym=al_frame_support=0',
               '-Wl,--defsym=al_action_support=0', '-o', elf,
               *args)
    if done.returncode:
        raise RuntimeError(f'{name}.elf does not link: {done.stderr}')
    return elf


def stand_in(folder):
    """A QEMU that prints the file `said`, and a board's tree, for judged()."""
    (folder / 'board.json').write_text('{"board": "b", "qemu": "-M b"}')
    fake = folder / 'qemu-system-arm'
    fake.write_text(f'#!/bin/sh\ncat {folder}/said\n')
    fake.chmod(0o755)


def judged(folder, tool, said, result, *options):
    """(status, what is in the file `result` or None) of a tool that runs an
    image which prints `said`."""
    (folder / 'said').write_text(said)
    done = subprocess.run(
        [sys.executable, str(ROOT / 'tools' / tool), '--tree', str(folder),
         '--json', str(result), *options, 'image'], check=False,
        capture_output=True, text=True, timeout=120,
        env={**os.environ, 'PATH': f'{folder}:{os.environ["PATH"]}'})
    return (done.returncode,
            json.loads(result.read_text()) if result.exists() else None)
