#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The console example, as a user meets it: typed to, crashed, still there.

Claim: every command does what examples/console/README.md says; each crash
prints one line with its cause; nothing that was typed is lost; the 1 kHz task
is never late; the statuses are the promised ones.
Fails if: the receive handler reads DR before it clears RXNEIE, the reader hands
over a line before the command task is ready, or a crash leaks.
timeout: 900
"""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RUN = ROOT / "tools" / "alula-run"
TOUR = ROOT / "examples" / "console" / "tour.txt"
CAUSES = {"overflow", "vla", "null", "bus", "undef", "div0", "align", "oob",
          "assert", "lock"}    # commands that name it in their crash line
CRASH = re.compile(r"crash (\d+): (\w+): (\w+): (.+)")
DIED = re.compile(r"command started again \d+ (instructions|ms) after it began "
                  r"that; no deadline missed")
LIVED = "command was not touched; no deadline missed"
GREETING = "Crash it: help lists the commands."
TOUR_LINE = re.compile(r"tour: (\d+) crashes survived, (\d+) periods, "
                       r"0 deadlines missed, 0 bytes leaked, 0 locks left")
FRAME = 64      # bytes of each call of `overflow N`
STACK = 2048    # bytes of the command task's stack

results = {"passed": 0, "failed": 0}


def image(preset):
    board, compiler = preset.rsplit("-", 2)[0], preset.rsplit("-", 2)[1]
    suffix = "" if compiler == "gcc" else f"-{compiler}"
    return ROOT / "build" / "images" / board / f"console{suffix}.elf"


def build(preset):
    subprocess.run([ROOT / "alula", "build", preset, "console"], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def run(typed, preset="stm32f405-gcc-run", stdin=None, limit=120, options=()):
    """Types bytes (or gives `stdin`); the exit status and the output."""
    board = preset.rsplit("-", 2)[0]
    command = [RUN, "--board", board, "--limit", str(limit), *options,
               image(preset)]
    feed = {"input": typed} if stdin is None else {"stdin": stdin}
    done = subprocess.run(command, capture_output=True, timeout=limit + 30,
                          check=False, **feed)
    return done.returncode, done.stdout.decode(errors="replace")


def answers(output):
    """[(line typed, [lines printed for it])] of what came after the greeting."""
    parts = re.split(r"(?:^|\n)> ", output)[1:]
    return [(p.split("\n")[0], p.split("\n")[1:]) for p in parts]


def ask(lines, status=0, **how):
    """The answers to `lines`, which must be echoed exactly; and the status."""
    ended, output = run("".join(f"{line}\n" for line in lines).encode(), **how)
    got = answers(output)
    last = [] if lines[-1] == "tour" else [""]
    assert [line for line, _ in got] == [*lines, *last], \
        f"not echoed as typed; ends {output[-200:]!r}"
    assert ended == status, f"status {ended}"
    return [[text for text in answer if text]
            for _, answer in got[:len(lines)]]


def crash_of(answer):
    """The cause that the answer of a command that killed its task names: what it
    will do, one crash line, what has become of the task."""
    assert len(answer) == 3, f"three lines expected: {answer}"
    assert re.fullmatch(r"[A-Z].+\.", answer[0]), f"no sentence: {answer[0]}"
    found = CRASH.fullmatch(answer[1])
    assert found, f"no crash line: {answer[1]}"
    assert found[2] == "command", answer[1]
    assert DIED.fullmatch(answer[2]), answer[2]
    return found[3]


def commands(output):
    """The names that `help` listed."""
    listed = dict(answers(output))["help"]
    return {line.split()[0] for line in listed if line} - {"#"}


def check_reset(answer):
    assert answer[0].startswith("Resets the board."), answer
    assert answer[1].endswith(GREETING), answer
    before = re.fullmatch(
        r"The board was reset by a command\. From before: (\d+) periods, 0 "
        r"deadlines missed; 8 crash records, the newest of crash (\d+)\.",
        answer[2])
    assert before and int(before[1]) > 100, answer[2]
    return int(before[2])


def check_tour(preset, stdin):
    status, output = run(None, preset, stdin=stdin)
    assert status == 0, f"status {status}: {output[-300:]}"
    assert "Not as it should be" not in output, output
    last = output.rstrip("\n").split("\n")[-1]
    summary = TOUR_LINE.fullmatch(last)
    assert summary, f"last line: {last}"
    crashes = int(summary[1])
    assert crashes >= 25 and int(summary[2]) > 0, last
    got = answers(output)
    typed = TOUR.read_text().splitlines()
    assert [line for line, _ in got] == typed
    assert commands(output) - {line.split()[0] for line in typed} == {"stop"}
    assert typed[-2:] == ["reset", "tour"]
    assert check_reset(got[-2][1]) == crashes
    numbers = []
    for line, answer in got:
        answer = [a for a in answer if a]
        told = [m for m in map(CRASH.fullmatch, answer) if m]
        if line != "crashes":
            numbers += [int(m[1]) for m in told]
        if told and line != "crashes":
            assert DIED.fullmatch(answer[-1]) or answer[-1] == LIVED, answer
        if line in CAUSES:
            assert crash_of(answer) == line, answer
    assert numbers == list(range(1, crashes + 1)), numbers


def tour():
    check_tour("stm32f405-gcc-run", subprocess.DEVNULL)


def tour_of_empty_inputs():
    with tempfile.TemporaryFile() as empty:
        check_tour("stm32f405-gcc-run", empty)
    reading, writing = os.pipe()
    os.close(writing)
    check_tour("stm32f405-gcc-run", reading)
    os.close(reading)
    done = subprocess.run(
        ["sh", "-c", f'exec "{RUN}" "{image("stm32f405-gcc-run")}" <&-'],
        capture_output=True, timeout=120, check=False)
    assert done.returncode == 0 and b"\ntour: 32 crashes" in done.stdout


def tour_on_other_boards_and_compilers():
    for preset in ("mps2-an386-gcc-run", "mps2-an385-gcc-run",
                   "stm32f405-clang-run", "mps2-an386-clang-run"):
        build(preset)
        check_tour(preset, subprocess.DEVNULL)


def tour_tells_failure():
    status, output = run(b"tour\n")
    assert status == 1, f"status {status} though nothing was survived"
    assert "\ntour: 0 crashes survived" in output


def every_crash_names_its_command():
    lines = [*sorted(CAUSES - {"vla"}), "vla 4096"] * 2
    for line, answer in zip(lines, ask(lines)):
        assert crash_of(answer) == line.split(" ")[0], answer


def overflow_and_vla_of_all_sizes():
    sizes = [0, 1, 60, 64, 68, 512, 1000, 4096, 65536, 2147483647, 2147483648,
             4294967292, 4294967295]
    for command in ("overflow", "vla"):
        for size, answer in zip(sizes, ask([f"{command} {n}" for n in sizes])):
            if size <= 1000:
                assert answer[1:] == ["fits"], f"{command} {size}: {answer}"
            else:
                assert crash_of(answer) == command, f"{command} {size}"
    assert ask(["vla 0x40", "overflow 0XFFFFFFFF"])[0][1:] == ["fits"]


def what_fits_is_a_matter_of_size_alone():
    """From some size on nothing fits, and `vla` gets within a frame of it."""
    edge = {}
    for command, step in (("overflow", FRAME), ("vla", 8)):
        sizes = list(range(step, STACK + 1, step))
        fits = [a[1:] == ["fits"] for a in
                ask([f"{command} {size}" for size in sizes])]
        assert fits == sorted(fits, reverse=True), f"{command}: {fits}"
        edge[command] = max(s for s, ok in zip(sizes, fits) if ok)
    assert abs(edge["vla"] - edge["overflow"]) <= FRAME, edge
    assert edge["overflow"] >= 1024, edge


def frames_of_overflow_are_64_bytes():
    for preset in ("stm32f405-gcc-run", "stm32f405-clang-run"):
        build(preset)
        listing = subprocess.run(
            ["arm-none-eabi-objdump", "-d", "--no-show-raw-insn",
             "--disassemble=descend", image(preset)],
            capture_output=True, text=True, check=True).stdout
        pushed = re.search(r"push\s+\{([^}]*)\}", listing)
        lowered = re.search(r"sub\s+sp, #(\d+)", listing)
        frame = 4 * len(pushed[1].split(",")) + int(lowered[1])
        assert frame == FRAME, f"{preset}: {frame} bytes"


def crashes_keeps_the_newest():
    lines = ["undef", "oob"] * 10 + ["crashes"]
    got = ask(lines)
    told = [line for answer in got[:-1] for line in answer
            if CRASH.fullmatch(line)]
    kept = got[-1]
    assert len(kept) >= 8, f"only {len(kept)} kept"
    assert kept == told[-len(kept):], "not the same lines, newest last"


def reports_have_their_form():
    got = dict(zip(("ps", "locks", "heap", "stats", "uptime", "help"),
                   ask(["ps", "locks", "heap", "stats", "uptime", "help"])))
    ps = {line.split()[0]: line.split() for line in got["ps"]}
    assert {"reader", "command", "periodic"} <= set(ps), got["ps"]
    assert ps["command"][1:3] == ["8", "running"], ps["command"]
    assert all(word.isdigit() for word in ps["command"][3:]), ps["command"]
    assert re.fullmatch(r"stats: \d+ periods, 0 deadlines missed, "
                        r"jitter \d+ insns", got["stats"][0]), got["stats"]
    assert got["heap"][0].startswith("heap: 0 of "), got["heap"]
    assert all(line.endswith(" free") for line in got["locks"]), got["locks"]
    listed = {line.split()[0] for line in got["help"]}
    assert CAUSES | set(got) | {"crashes", "tour"} <= listed, listed


def lock_gives_back_what_it_held():
    got = ask(["lock", "locks", "heap", "lock", "locks", "heap"])
    assert got[2] == got[5] and "heap: 0 of " in got[2][0], got
    assert not any("held" in line for line in got[1] + got[4]), got
    assert any("vault" in line and "died with it" in line
               for line in got[1]), got[1]


def spawn_makes_crashes_and_joins():
    got = ask(["spawn 3", "spawn 2", "spawn list", "ps", "spawn crash",
               "spawn list", "spawn end", "spawn list", "spawn end", "heap",
               "spawn 5", "spawn list", "spawn end", "heap"])
    assert [got[0], got[1]] == [["3 made, 3 live"], ["2 made, 5 live"]], got
    assert len(got[2]) == 5 and all(" 0 restarts" in a for a in got[2]), got
    assert sum(a.startswith("guest ") for a in got[3]) == 5, got[3]
    assert CRASH.fullmatch(got[4][0])[2] == "guest", got[4]
    assert got[5][0].endswith(" 1 restarts"), got[5]
    assert got[6][0].startswith("5 ended and joined, 0 live"), got[6]
    assert got[7] == ["no guest lives: spawn 3 makes some"], got[7]
    assert got[8][0].startswith("0 ended and joined, 0 live"), got[8]
    # Their control blocks are used again, and their stacks are back.
    assert got[9] == got[13] and ", 5 blocks" in got[9][0], got
    assert all("task 2 in the block" in a for a in got[11]), got[11]
    kept = re.search(r"keeps (\d+) bytes", got[6][0])[1]
    assert f"heap: {kept} of" in got[9][0], (got[6], got[9])


def spawn_meets_the_end_of_the_heap():
    status, output = run(b"spawn 150\nspawn crash\nspawn 1\nlock\nsem make 0 1\n"
                         b"sem wait 10\nspawn end\nlock\noverflow\nspawn 100\n"
                         b"spawn end\ntour\n")
    got = dict(answers(output))
    full = re.fullmatch(r"(\d+) made, \1 live: no more, al_task_spawn\(\) says "
                        r"AL_E_MEMORY", got["spawn 150"][0])
    assert full and int(full[1]) > 50, got["spawn 150"]
    assert got["spawn 1"][0].startswith(f"0 made, {full[1]} live"), got
    assert "AL_E_MEMORY" in got["sem wait 10"][0], got["sem wait 10"]
    assert got["spawn 100"][0] == "100 made, 100 live", got["spawn 100"]
    assert status == 0, output[-300:]


def sem_serves_by_urgency_and_deadline():
    got = ask(["sem", "sem give", "sem make 1 3", "sem take 0", "sem take 20",
               "sem wait 40 9", "sem wait 5000 9", "sem wait 5000 20",
               "sem give", "sem take 100", "sem give", "sem", "sem give",
               "sem give", "sem give", "sem give", "sem take 5",
               "sem wait 5000 9", "sem end", "sem"])
    none = "no semaphore: sem make 0 3 makes one"
    assert got[0] == got[1] == [none], got[:2]
    assert got[2] == ["semaphore: 1 of 3 units, 0 waiting"], got[2]
    assert got[3] == ["AL_OK after 0 ms"], got[3]
    assert got[4] == ["AL_E_TIMEOUT after 20 ms"], got[4]
    assert got[7][0] == "semaphore: 0 of 3 units, 3 waiting", got[7]
    assert "taker 2, priority 20: AL_OK after" in got[8][4], got[8]
    assert "taker 1, priority 9: waits" in got[8][3], got[8]
    assert got[9] == ["AL_E_TIMEOUT after 100 ms"], got[9]
    assert got[11][1] == "taker 0, priority 9: AL_E_TIMEOUT after 40 ms", got
    assert "taker 1, priority 9: AL_OK after" in got[11][2], got[11]
    assert [a[0] for a in got[12:16]] == ["AL_OK"] * 3 + ["AL_E_FULL"], got
    assert got[16] == ["AL_OK after 0 ms"], got[16]
    assert got[18][0] == none, got[18]


def sem_survives_its_users():
    """Takers fill up, are destroyed under, and die with nothing lost."""
    lines = ["sem make 0 1"] + ["sem wait 600000"] * 9 + ["overflow"] + \
        ["sem make 0 1"] + ["sem wait 600000"] * 8 + ["sem give"] * 9
    got = ask(lines)
    assert got[8][0] == "semaphore: 0 of 1 units, 8 waiting", got[8]
    assert got[9] == ["8 tasks wait: more this console does not hold"], got[9]
    assert crash_of(got[10]) == "overflow"
    assert sum("AL_E_DESTROYED" in a for a in got[11]) == 8, got[11]
    assert got[-1][:2] == ["AL_OK", "semaphore: 1 of 1 units, 0 waiting"]
    _, output = run("\n".join([*lines, "null", "tour", ""]).encode())
    assert TOUR_LINE.search(output), output[-300:]


def chan_sends_receives_and_closes():
    none = "no channel: chan make makes one"
    got = ask(["chan", "chan send 1", "chan make", "chan send 7",
               "chan send 4294967295", "chan send 2", "chan send 3",
               "chan send 4", "chan recv 0", "chan recv 0", "chan close",
               "chan send 5", "chan recv 10", "chan recv 0", "chan recv 100",
               "chan make", "chan recv 20", "chan wait 5000", "chan wait 5000",
               "chan send 9", "chan close", "chan end", "tour"], status=1)
    assert got[0] == got[1] == [none], got[:2]
    assert got[7] == ["AL_E_FULL", "channel: 4 of 4 numbers"], got[7]
    assert [got[8], got[9]] == [["7"], ["4294967295"]], got
    assert got[11][0] == "AL_E_CLOSED", got[11]
    assert [got[12], got[13], got[14]] == \
        [["2"], ["3"], ["AL_E_CLOSED"]], got[12:15]
    assert got[16] == ["AL_E_TIMEOUT"], got[16]
    assert got[18][1:] == ["receiver 0 waits", "receiver 1 waits"], got[18]
    assert got[19][2:] == ["receiver 0: 9", "receiver 1 waits"], got[19]
    assert got[20][1:] == ["receiver 0: 9", "receiver 1: AL_E_CLOSED"], got[20]
    assert "0 bytes leaked, 0 locks left" in got[22][0], got[22]


def timers_run_stop_and_crash():
    """`sem take` lets time pass: the console stands still meanwhile."""
    got = ask(["sem make 0 1", "timers start 0 30", "timers start 1 10 20",
               "timers", "sem take 100", "timers crash 2", "timers",
               "timers stop 0", "timers stop 1", "sem take 50", "timers",
               "timers start 3 0 1", "timers crash 3", "timers"])
    runs = [line.split(":")[1].split(",")[0].strip() for line in got[3]]
    assert runs == ["runs", "runs", "at rest", "at rest"], got[3]
    assert CRASH.fullmatch(got[5][1])[2] == "tick_task", got[5]
    calls = [int(re.search(r"(\d+) callbacks, 0 missed", line)[1])
             for line in got[6]]
    assert calls[0] == 1 and calls[1] in (5, 6) and calls[2:] == [1, 0], got[6]
    assert [got[7], got[8]] == [["AL_E_STATE"], ["AL_OK"]], got[7:9]
    assert "timer 1: at rest" in got[10][1], got[10]
    assert CRASH.fullmatch(got[12][1]), got[12]


def top_tells_what_tasks_use():
    got = ask(["spawn 1", "top"])[1]
    rows = {line.split()[0]: line.split() for line in got}
    assert {"task", "reader", "command", "periodic", "guest",
            "tick_task"} == set(rows), got
    assert rows["command"][1:4] == ["8", "8", "running"], got


def bad_commands_get_one_line():
    bad = ["foo", "overflo", "overflow abc", "overflow 99999999999",
           "overflow -1", "overflow 4294967296", "overflow 0x", "overflow 1 2",
           "vla", "vla x", "vla 12 3", "vla 0xg", "ps 1", "null 0", "help me",
           "spawn", "spawn 0", "spawn x", "spawn 3 3", "spawn -1", "spawn list 1",
           "spawn 4294967296", "spawn endx", "sem x", "sem make", "sem make 2 1",
           "sem make 0 0", "sem make 0 1001", "sem make 1 2 3", "sem give 1",
           "sem take 1", "chan x", "chan make 1", "chan send", "chan recv 0",
           "timers x", "timers start", "timers start 4 1", "timers stop 9",
           "timers start 0 1 0", "timers start 0 1 2 3", "timers crash",
           "sem make 0 4294967296", "top 1", "kill", "kill nobody",
           "kill reader 1", "kill read", "kill readers", "kill idle", "irq 1",
           "nested x", "irq-", "irq-storm 3", "spin 5", "oom all", "reset now",
           "stop it", "resets",
           "Help", "12", "stats?", "x" * 80, "vla 99999999999999999999999999"]
    for line, answer in zip(bad, ask(bad)):
        assert len(answer) == 1 and len(answer[0]) > 10, f"{line}: {answer}"
        assert not CRASH.match(answer[0]), f"{line}: {answer}"
    bad = ["sem take", "sem take 2001", "sem take x", "sem give 1", "sem wait",
           "sem wait 1 8", "sem wait 1 31", "sem wait 600001", "sem wait 1 9 1",
           "sem end 1", "sem wait x 9", "sem wait 1 x"]
    for line, answer in zip(bad, ask(["sem make 0 1", *bad])[1:]):
        assert len(answer) == 1 and answer[0].startswith("sem make UNITS"), line
    assert ask(["", "   ", "# remark", "  vla   8  "]) == \
        [[], [], [], ["Takes stack, all of it at once.", "fits"]]


def lines_are_edited_and_bounded():
    status, output = run(b"heaq\x7fp\r\nps\x03uptimf\x08e\r" + b"y" * 81 +
                         b"\nstats\n")
    assert status == 0
    plain = output.replace("q\b \b", "").replace("f\b \b", "")
    got = answers(plain)
    assert [line for line, _ in got] == \
        ["heap", "ps^C", "uptime", "y" * 80, "stats", ""], plain
    assert got[0][1][0].startswith("heap: ")
    assert got[3][1] == ["too long: a line has at most 80 characters"], got[3]


def the_last_line_needs_no_end():
    for typed, want in ((b"heap", "heap: 0"), (b"undef", "crash 1: "),
                        (b"ps\n\x04stats\n", "command ")):
        status, output = run(typed)
        assert status == 0 and want in output, output
        assert "stats:" not in output, "it went on after the end of input"
        assert output.endswith("\n")


def nothing_typed_ahead_is_lost():
    lines = []
    for i in range(3000):
        lines.append(f"# line {i}")
        if i % 10 == 0:
            lines.append(sorted(CAUSES - {"vla"})[i // 10 % 9])
    got = ask([*lines, "stats"])
    died = [a for a in got if a][:-1]
    assert len(died) == 300 and [CRASH.fullmatch(a[1])[1] for a in died] == \
        [str(n + 1) for n in range(300)]
    assert " 0 deadlines missed" in got[-1][0], got[-1]


def slow_and_torn_input_is_typed_as_well():
    command = [RUN, "--limit", "60", image("stm32f405-gcc-run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, bufsize=0) as child:
        for piece in (b"he", b"ap\nover", b"flow\n", b"upti", b"me\n"):
            time.sleep(0.2)
            child.stdin.write(piece)
        child.stdin.close()
        output = child.stdout.read().decode()
        assert child.wait() == 0
    assert [line for line, _ in answers(output)] == \
        ["heap", "overflow", "uptime", ""], output


def a_stalled_listener_loses_nothing():
    """On mps2-an386 the UART then fills up, and its interrupt sends the rest."""
    preset = "mps2-an386-gcc-run"
    build(preset)
    lines = ["help"] * 400 + ["stats"]
    status, smooth = run("".join(f"{n}\n" for n in lines).encode(), preset)
    command = [RUN, "--board", "mps2-an386", image(preset)]
    with tempfile.TemporaryFile() as typed:
        typed.write("".join(f"{line}\n" for line in lines).encode())
        typed.seek(0)
        with subprocess.Popen(command, stdin=typed,
                              stdout=subprocess.PIPE) as child:
            time.sleep(3)
            stalled = child.stdout.read().decode()
            assert (status, child.wait()) == (0, 0)
    assert answers(stalled)[:400] == answers(smooth)[:400]
    missed = re.search(r"stats: (\d+) periods, (\d+) deadlines", stalled)
    assert int(missed[1]) > 100 and missed[2] == "0", missed[0]


def a_terminal_is_live():
    child, port = pty.fork()
    if child == 0:
        os.execv(RUN, [str(RUN), str(image("stm32f405-gcc-run"))])
    output = b""
    status = None
    script = [b"ps\r", b"overflow\r", b"stats\r", b"\x01x"]
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if output.endswith(b"> ") and script:
            os.write(port, script.pop(0))
            time.sleep(0.3)
        if select.select([port], [], [], 0.1)[0]:
            try:
                data = os.read(port, 4096)
            except OSError:     # the other side is gone
                data = b""
            if not data:
                break
            output += data
    else:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    text = output.decode(errors="replace").replace("\r", "")
    assert os.waitstatus_to_exitcode(status) == 0, text
    assert "\n> ps\n" in text and "\ncrash 1: command: overflow: " in text, text
    assert re.search(r"\nstats: [1-9]\d* periods, 0 deadlines missed", text), \
        text


def statuses_are_the_promised_ones():
    assert run(b"ps\n", options=["--qemu-arg=-no-such-option"])[0] == 1
    # Typed input without an end: nothing is missing but time.
    reading, writing = os.pipe()
    assert run(None, stdin=reading, limit=2)[0] == 3
    os.close(writing)
    os.close(reading)
    for arguments, environment in ((["--board", "none", "x.elf"], os.environ),
                                   (["no-such.elf"], os.environ),
                                   (["x.elf"], {"PATH": "/nonexistent"})):
        done = subprocess.run([sys.executable, RUN, *arguments], check=False,
                              capture_output=True, env=environment, timeout=60)
        assert done.returncode == 2 and done.stderr, (arguments, done)


def readme_shows_the_real_output():
    """But for numbers: addresses and times are another build's, and so are the
    blanks in front of them."""
    def plain(text):
        return re.sub(r" +", " ", re.sub(r"0x[0-9a-f]+|\d+", "N", text))

    _, output = run(None, stdin=subprocess.DEVNULL)
    readme = (TOUR.parent / "README.md").read_text()
    blocks = re.findall(r"^```\n(.*?)^```", readme, re.S | re.M)
    assert len(blocks) >= 2
    for piece in "".join(blocks).split("\n> "):
        assert plain(piece.strip("> \n")) in plain(output), piece


TESTS = [
    tour, tour_of_empty_inputs, tour_on_other_boards_and_compilers,
    tour_tells_failure, every_crash_names_its_command,
    overflow_and_vla_of_all_sizes, what_fits_is_a_matter_of_size_alone,
    frames_of_overflow_are_64_bytes, crashes_keeps_the_newest,
    reports_have_their_form, lock_gives_back_what_it_held,
    spawn_makes_crashes_and_joins, spawn_meets_the_end_of_the_heap,
    sem_serves_by_urgency_and_deadline, sem_survives_its_users,
    chan_sends_receives_and_closes, timers_run_stop_and_crash,
    top_tells_what_tasks_use, bad_commands_get_one_line,
    lines_are_edited_and_bounded,
    the_last_line_needs_no_end, nothing_typed_ahead_is_lost,
    slow_and_torn_input_is_typed_as_well,
    a_stalled_listener_loses_nothing, a_terminal_is_live,
    statuses_are_the_promised_ones, readme_shows_the_real_output,
]


def main():
    wanted = sys.argv[1:]
    build("stm32f405-gcc-run")
    for test in TESTS:
        if wanted and test.__name__ not in wanted:
            continue
        try:
            test()
            print(f"ok {test.__name__}", flush=True)
            results["passed"] += 1
        except Exception as error:  # pylint: disable=broad-except
            why = (str(error) or repr(error)).replace("\n", "\\n")[:1000]
            print(f"not ok {test.__name__}: {why}", flush=True)
            results["failed"] += 1
    print(f"# {results['passed']} passed, {results['failed']} failed")
    return 1 if results["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
