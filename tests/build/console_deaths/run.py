#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The console's commands that end handlers, other tasks, and the whole board.

Claim: each says what it will do and what has become of it, gives back what was
held, leaves the 1 kHz task its deadlines; `reset` restarts the board, and what
was counted and recorded before is told after; `stop` is the kernel stop: status
1, one record of cause "kernel", and a debugger finds the board standing there.
Fails if: a handler's death ends the task under it, a killed reader loses a line,
the counters are not kept, or are believed when damaged.
timeout: 900
"""
import re
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests/build/console"), str(ROOT / "tools")]
import crashrecord      # noqa: E402 pylint: disable=wrong-import-position
import run as console   # noqa: E402 pylint: disable=wrong-import-position

PRESETS = ("stm32f405-gcc-run", "mps2-an386-clang-run")
LINE = 18           # BOARD_SPARE_0_LINE
DEATHS = 8          # AL_CFG_IRQ_DEATHS
FAULT = (8, 1)      # FAULT.1: a fault with the kernel lock held
HEAP = re.compile(r"heap: (\d+) of (\d+) bytes in use, .*")


def died_in(answer, names):
    """The crash lines of `answer` are those of handlers or tasks `names`, each
    with its cause; the command that brought it about lived on."""
    told = [console.CRASH.fullmatch(line) for line in answer]
    assert [(m[2], m[3]) for m in told if m] == names, answer
    assert re.fullmatch(r"[A-Z].+\.", answer[0]), answer[0]
    assert answer[-1] == console.LIVED, answer
    assert re.fullmatch(r".+\.", answer[-2]) and "Not as" not in answer[-2], \
        answer


def handlers_die_alone(preset):
    irq = f"irq{LINE}"
    got = console.ask(["irq", "irq-overflow", "nested", "irq-storm", "irq",
                       "irq-storm", "nested", "irq-overflow", "locks"],
                      preset=preset)
    died_in(got[0], [(irq, "null")])
    died_in(got[1], [(irq, "overflow")])
    died_in(got[2], [(f"irq{LINE + 2}", "null"), (f"irq{LINE + 1}", "panic")])
    storm = [(irq, "panic")] * DEATHS + [(irq, "storm")]
    died_in(got[3], storm)
    assert f"line {LINE} is disabled" in got[3][DEATHS + 1], got[3]
    # Enabled again, it counts from none.
    died_in(got[4], [(irq, "null")])
    died_in(got[5], storm)
    assert got[6] != got[2] and got[6][-2] == got[2][-2], got[6]
    assert not any("held" in line for line in got[8]), got[8]


def handlers_die_as_often_as_typed(preset):
    lines = ["irq", "irq-overflow", "nested"] * 30
    got = console.ask([*lines, "stats"], preset=preset)
    assert all(a[-1] == console.LIVED for a in got[:-1]), got
    assert " 0 deadlines missed" in got[-1][0], got[-1]


def any_task_can_be_killed(preset):
    names = ["reader", "periodic", "tick_task", "guest", "taker"]
    got = console.ask(["spawn 1", "sem make 0 1", "sem wait 600000",
                       *(f"kill {name}" for name in names), "spawn list", "ps",
                       "sem give", "kill command", "stats", "tour"],
                      preset=preset)
    for name, answer in zip(names, got[3:8]):
        died_in(answer, [(name, "killed")])
        assert answer[1].endswith(f"{name}: killed: by command"), answer
        found = re.fullmatch(rf"{name} has started again, (\d+) instructions "
                             r"after the kill\.", answer[2])
        assert found and 0 < int(found[1]) < 20000, answer[2]
    assert got[8][0].endswith(" 1 restarts"), got[8]
    ps = {line.split()[0]: line.split()[-1] for line in got[9]}
    assert all(ps[name] == "1" for name in names) and ps["command"] == "0", ps
    assert "AL_OK after" in got[10][2], got[10]
    assert console.crash_of(got[11]) == "killed", got[11]
    assert "0 bytes leaked, 0 locks left" in got[13][-1], got[13]


def killed_as_often_as_typed(preset):
    """A policy that held one back would have it miss its deadlines."""
    names = ["reader", "periodic", "command", "tick_task"]
    got = console.ask([f"kill {name}" for name in names * 30] +
                      ["stats", "uptime", "tour"], preset=preset)
    assert all(a[-1].endswith("; no deadline missed") for a in got[:120]), got
    periods = int(re.match(r"stats: (\d+) periods, 0 ", got[120][0])[1])
    ms = float(re.match(r"uptime: (.+) s", got[121][0])[1]) * 1000
    assert abs(periods - ms) <= 5, (periods, ms)


def the_reader_dies_and_no_line_is_lost(preset):
    lines = []
    for i in range(200):
        lines += ["kill reader", f"# line {i}", "uptime"]
    assert all(a for a in console.ask(lines, preset=preset)[::3])


def a_loop_is_stopped(preset):
    got = console.ask(["spin", "spin", "locks", "stats"], preset=preset)
    assert [console.crash_of(a) for a in got[:2]] == ["watchdog"] * 2, got
    ms = re.search(r"again (\d+) ms after", got[0][2])
    assert ms and 20 <= int(ms[1]) <= 24, got[0]
    assert int(re.match(r"stats: (\d+)", got[3][0])[1]) >= 40, got[3]


def the_whole_heap_comes_back(preset):
    got = console.ask(["oom", "heap", "spawn 40", "heap", "oom", "heap",
                       "spawn end", "heap", "oom", "heap", "oom", "tour"],
                      preset=preset)
    for at in (0, 4, 8, 10):
        assert console.crash_of(got[at]) == "oom", got[at]
    assert HEAP.fullmatch(got[1][0])[1] == "0", got[1]
    assert got[3] == got[5] and got[7] == got[9], got
    assert "0 bytes leaked" in got[11][-1], got[11]


def resets_are_survived(preset):
    got = console.ask(["lock", "sem make 0 1", "sem take 30", "irq", "reset",
                       "crashes", "ps", "sem take 1", "sem make 0 1",
                       "sem take 30", "  reset ", "null", "stats", "crashes",
                       "tour"], preset=preset)
    told = [line for answer in (got[0], got[3]) for line in answer
            if console.CRASH.fullmatch(line)]
    assert got[4][1].endswith(console.GREETING), got[4]
    assert "8 crash records" not in got[4][2] and \
        "2 crash records, the newest of crash 2." in got[4][2], got[4]
    assert got[5] == told, "the records of before are not what was told"
    assert all(line.split()[-1] == "0" for line in got[6][1:]), got[6]
    assert got[7] == ["no semaphore: sem make 0 3 makes one"], got[7]
    assert console.crash_of(got[11]) == "null" and \
        got[11][1].startswith("crash 3:"), got[11]
    before = re.fullmatch(r"before 2 resets: (\d+) periods, 0 deadlines missed",
                          got[12][1])
    assert before and int(before[1]) >= 60, got[12]
    assert len(got[13]) == 3, got[13]
    summary = console.TOUR_LINE.fullmatch(got[14][-1])
    assert summary and summary[1] == "3", got[14]
    assert int(summary[2]) > int(before[1]) + 10, (before[1], got[14])


def what_follows_a_reset_is_not_lost(preset):
    """Also where the input ends with it, and with a reset in each line."""
    for typed, end in ((b"reset", "\n> \n"), (b"reset\n", "\n> \n"),
                       (b"reset\r\nheap\n", "\n> \n")):
        status, output = console.run(typed, preset, limit=60)
        assert status == 0 and output.count(console.GREETING) == 2, output
        assert output.endswith(end), repr(output[-99:])
    got = console.ask(["# a", "reset", "# b", "reset", "reset", "# reset",
                       "heap"], preset=preset)
    assert [len(a) for a in got] == [0, 3, 0, 3, 3, 0, 1], got
    status, output = console.run(
        b"".join(b"# %d\nreset\n" % i for i in range(20)), preset)
    assert status == 0 and output.count(console.GREETING) == 21, output[-300:]


class Debugger:
    """The other end of QEMU's debugger stub (GDB's remote protocol)."""

    def __init__(self, path):
        while not path.exists():
            time.sleep(0.05)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(str(path))
        self.data = b""

    def send(self, text):
        self.socket.sendall(b"$%s#%02x" % (text, sum(text) & 0xff))

    def answer(self):
        while True:
            found = re.search(rb"\$([^#]*)#..", self.data)
            if found:
                self.data = self.data[found.end():]
                self.socket.sendall(b"+")
                return found[1]
            more = self.socket.recv(4096)
            assert more, "the emulator ended"
            self.data += more

    def ask(self, text):
        """The answer; not that the emulator stopped when we came."""
        self.send(text)
        while True:
            said = self.answer()
            if not said.startswith(b"T"):
                return said

    def memory(self, at, count):
        return bytes.fromhex(self.ask(b"m%x,%x" % (at, count)).decode())


def symbols(image):
    listed = subprocess.run(["arm-none-eabi-nm", image], check=True,
                            capture_output=True, text=True).stdout
    return {line.split()[-1]: int(line.split()[0], 16)
            for line in listed.splitlines() if len(line.split()) == 3}


def records_in(memory):
    for at in crashrecord.find(memory):
        try:
            yield crashrecord.Record(memory[at:at + crashrecord.SIZE])
        except crashrecord.BadRecord:
            pass


def stop_is_the_kernel_stop(preset):
    got = console.run(b"irq\nstop\nps\n", preset)
    assert got[0] == 1 and got[1].endswith(
        "The board ends, status 1.\n"), got[1][-300:]
    image = console.image(preset)
    names = symbols(image)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gdb"
        command = [console.RUN, "--board", preset.rsplit("-", 2)[0], "--limit",
                   "100", "--qemu-arg=-gdb",
                   f"--qemu-arg=unix:{path},server=on,wait=off", image]
        with subprocess.Popen(command, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, bufsize=0) as child:
            try:
                debugger = Debugger(path)
                assert debugger.ask(b"Z1,%x,2" % names["board_stop"]) == b"OK"
                debugger.send(b"c")
                child.stdin.write(b"undef\nstop\n")
                assert debugger.answer().startswith(b"T05"), "no breakpoint"
                inspect(debugger, names)
                debugger.send(b"D")    # detached: it goes on, to its end
                child.stdin.close()
                child.stdout.read()
                assert child.wait() == 1, "another status after the debugger"
            finally:
                child.terminate()


def inspect(debugger, names):
    """What stands still at board_stop()."""
    # The ring is the first thing behind what start-up clears.
    low = names["__al_bss_high"]
    memory = b"".join(debugger.memory(at, 1024)
                      for at in range(low, low + 4096, 1024))
    records = sorted(records_in(memory), key=lambda r: r.sequence)
    assert [r.cause_name for r in records] == ["undef", "kernel"], records
    stop = records[1]
    assert stop.detail == FAULT and stop.task == "command", vars(stop)
    assert stop.fault_address in range(0x30000000, 0x30001000), vars(stop)
    assert stop.pc_count > 0, "no backtrace"
    current = int.from_bytes(debugger.memory(names["al_core"], 4), "little")
    assert current == names["command"], "another task runs"


TESTS = [
    handlers_die_alone, handlers_die_as_often_as_typed, any_task_can_be_killed,
    killed_as_often_as_typed, the_reader_dies_and_no_line_is_lost,
    a_loop_is_stopped, the_whole_heap_comes_back, resets_are_survived,
    what_follows_a_reset_is_not_lost, stop_is_the_kernel_stop,
]


def main():
    failed = 0
    for preset in PRESETS:
        console.build(preset)
        for test in TESTS:
            if sys.argv[1:] and test.__name__ not in sys.argv[1:]:
                continue
            name = f"{test.__name__} [{preset.rsplit('-', 1)[0]}]"
            try:
                test(preset)
                print(f"ok {name}", flush=True)
            except Exception as error:  # pylint: disable=broad-except
                why = (str(error) or repr(error)).replace("\n", "\\n")[:1000]
                print(f"not ok {name}: {why}", flush=True)
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
