#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A board that the kernel has stopped can be inspected by a debugger.

1. Two tasks' deaths and the kernel stop, typed to the console; a client of
   QEMU's debugger port waits at board_stop().
2. There the registers are those of the stop, the crash ring is whole in memory,
   and its newest record says what stopped the kernel, where and in whose name;
   the two before it are still there.
3. The debugger lets it go on: the image ends with status 1.
Fails if: the record is closed after the board's last word, or the stop loses
the stack pointer or the ring.
"""
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tools"))
sys.path.insert(0, str(ROOT / "tests/build"))
import crashrecord  # noqa: E402
from check import Checks, run  # noqa: E402

BOARDS = ("stm32f405", "mps2-an386")
TYPED = b"null\noverflow\nstop\n"
CHUNK = 1024    # bytes of memory per question


class Debugger:
    """The remote serial protocol, as far as it is needed."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        end = time.monotonic() + 20
        while self.socket.connect_ex(str(path)) != 0:
            if time.monotonic() > end:
                raise TimeoutError("no debugger port")
            time.sleep(0.05)
        self.got = b""

    def send(self, text):
        data = text.encode()
        self.socket.sendall(b"$%s#%02x" % (data, sum(data) & 255))

    def answer(self):
        while not (found := re.search(rb"\$([^#]*)#([0-9a-f]{2})", self.got)):
            data = self.socket.recv(4096)
            if not data:
                raise EOFError("the debugger port is closed")
            self.got += data
        self.got = self.got[found.end():]
        if sum(found[1]) & 255 != int(found[2], 16):
            raise ValueError(f"checksum of {found[0]!r}")
        self.socket.sendall(b"+")
        return found[1].decode()

    def ask(self, text):
        self.send(text)
        return self.answer()

    def registers(self):
        """r0 to r15"""
        data = bytes.fromhex(self.ask("g")[:16 * 8])
        return [int.from_bytes(data[at:at + 4], "little")
                for at in range(0, 64, 4)]

    def memory(self, at, size):
        return b"".join(
            bytes.fromhex(self.ask(f"m{a:x},{min(CHUNK, at + size - a):x}"))
            for a in range(at, at + size, CHUNK))


def symbols(image):
    """name -> (address, bytes)"""
    lines = run("arm-none-eabi-nm", "-S", image).stdout.splitlines()
    return {w[3]: (int(w[0], 16) & ~1, int(w[1], 16))
            for w in map(str.split, lines) if len(w) == 4}


def within(pc, place):
    return place[0] <= pc & ~1 <= place[0] + place[1]


def look(checks, board, debugger, names, image):
    """At board_stop(), and at what lies in memory there."""
    registers = debugger.registers()
    checks.equal(f"{board}: it stands at board_stop()", registers[15] & ~1,
                 names["board_stop"][0])
    checks.check(f"{board}: called by the kernel stop",
                 within(registers[14], names["recover_kernel_stop"]),
                 hex(registers[14]))
    checks.equal(f"{board}: its stack can be read",
                 len(debugger.memory(registers[13], 32)), 32)
    data = debugger.memory(*names["ring"])
    records = [crashrecord.Record(data[at:at + crashrecord.SIZE])
               for at in crashrecord.find(data)]
    records.sort(key=lambda record: record.sequence)
    checks.equal(f"{board}: the records, oldest first",
                 [(r.sequence, r.cause_name, r.task) for r in records],
                 [(1, "null", "command"), (2, "overflow", "command"),
                  (3, "kernel", "command")])
    newest = records[-1]
    checks.equal(f"{board}: FAULT.1 stopped it", newest.detail, (8, 1))
    told = run(sys.executable, ROOT / "tools/alula-decode", image,
               save(data)).stdout
    checks.check(f"{board}: decoded, with the call that was wrong",
                 "ends_stop" in told, told)


def save(data):
    path = ROOT / "build/tests/stopped/ring.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def inspect(checks, board):
    built = run(ROOT / "alula", "build", f"{board}-gcc-run", "console",
                timeout=400)
    if not checks.equal(f"{board}: builds", built.returncode, 0):
        return
    image = ROOT / f"build/images/{board}/console.elf"
    names = symbols(image)
    with tempfile.TemporaryDirectory() as folder:
        port = Path(folder) / "port"
        command = [ROOT / "tools/alula-run", "--board", board, "--limit", "90",
                   "--qemu-arg=-S", "--qemu-arg=-gdb",
                   f"--qemu-arg=unix:{port},server=on,wait=off", image]
        with subprocess.Popen(command, stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as child:
            try:
                child.stdin.write(TYPED)
                child.stdin.close()
                debugger = Debugger(port)
                at = names["board_stop"][0]
                checks.equal(f"{board}: a breakpoint",
                             debugger.ask(f"Z1,{at:x},2"), "OK")
                checks.check(f"{board}: it is met",
                             debugger.ask("c").startswith("T05"))
                look(checks, board, debugger, names, image)
                debugger.ask(f"z1,{at:x},2")
                debugger.send("c")
                checks.equal(f"{board}: ends with status 1", child.wait(30), 1)
            finally:
                child.send_signal(signal.SIGINT)    # it ends QEMU


checks_of_all = Checks()
for each in BOARDS:
    inspect(checks_of_all, each)
sys.exit(checks_of_all.done())
