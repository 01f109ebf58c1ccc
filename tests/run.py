#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and runs Alula's tests; ./alula test calls it.

    run.py [--only PATTERN] [--list] [--jobs N]

Three kinds (docs/tests.md):
  unit/NAME    tests/unit/NAME.c, on the host, with cmocka and sanitizers
  build/NAME   tests/build/NAME/run.py, a program that prints ok/not ok lines
  system/NAME  tests/system/NAME.c, one image per board and build, in QEMU

PATTERN is a part of a name, or a shell pattern, or = and a whole name. One line per result, then
"N passed, N failed". Ends 0 when all passed, 1 when one failed, 2 when nothing
matched or a build tree cannot be set up.
"""
import argparse
import concurrent.futures
import fnmatch
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
BOARDS = ("stm32f405", "mps2-an386", "mps2-an385")
OUTPUT_CAP = 1 << 20
QEMU_REGISTERS = re.compile(r"(s\d\d|R\d\d|XPSR|FPSCR)[=:]")
UNIT_FLAGS = ("-std=gnu11 -g -O1 -no-pie -Wall -Wextra -Werror "
              "-fsanitize=address,undefined -fno-sanitize-recover=all "
              "-Iinclude -Ikernel -Ilib -I.").split()


class Test:
    """One result-to-be: how it is named, how long it may take, what it runs."""

    def __init__(self, name, source, command, default_timeout, variant=""):
        self.name = name + (f" [{variant}]" if variant else "")
        self.command = command
        self.timeout = float(head_field(source, "timeout") or default_timeout)
        self.compile = None    # a command to run first (unit tests)
        self.target = None     # what to build (board tests)
        self.not_built = None  # why there is nothing to run

    def matches(self, pattern):
        base = self.name.split(" ")[0]
        if pattern.startswith("="):
            return pattern[1:] in (base, self.name)
        shell = pattern.replace("[", "[[]")  # "[" begins board and build
        return (pattern in self.name or
                fnmatch.fnmatch(self.name, shell) or
                fnmatch.fnmatch(base, shell))


def head_field(path, key):
    """What stands behind "key:" in the first 40 lines, up to ; or the end."""
    head = "".join(path.open(encoding="utf-8").readlines()[:40])
    found = re.search(rf"^[ /*#]*(?:.*; *)?{key}: *([^;\n*]*)", head, re.M)
    return found.group(1).strip() if found else ""


def head_rows(path, key, parts):
    """Each text behind "key:" in the head comment: `parts` parts with | between
    them, the last one up to the end of a line."""
    head = re.match(r"(?s)(?:/\*.*?\*/\s*){1,2}",
                    path.read_text(encoding="utf-8"))[0]
    lines = [re.sub(r"^ \*(/| ?)", "", line) for line in head.splitlines()]
    for at, line in enumerate(lines):
        if not line.startswith(key + ":"):
            continue
        text = line[len(key) + 1:]
        for more in lines[at + 1:]:
            if not more.startswith("  "):
                break
            text += more
        if text.count("|") != parts - 1:
            raise ValueError(f"{path.name}: not {parts} parts:{text}")
        yield text


def run(command, timeout, cwd=ROOT):
    """(exit status or None for a timeout, output, seconds).

    setpriv: what runs ends with us, however we end.
    """
    command = ["setpriv", "--pdeathsig", "KILL", *command]
    start = time.monotonic()
    with subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          start_new_session=True) as child:
        try:
            output, _ = child.communicate(timeout=timeout)
            status = child.returncode
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            output, _ = child.communicate()
            status = None
    text = output[:OUTPUT_CAP].decode(errors="replace")
    return status, text, time.monotonic() - start


def unit_tests(pattern):
    out = BUILD / "tests" / "unit"
    out.mkdir(parents=True, exist_ok=True)
    for source in sorted((ROOT / "tests/unit").glob("*.c")):
        image = out / source.stem
        test = Test(f"unit/{source.stem}", source, [str(image)], 60)
        test.compile = ["cc", *UNIT_FLAGS, "-o", str(image), str(source),
                        *head_field(source, "sources").split(), "-lcmocka"]
        if test.matches(pattern):
            yield test


def tool_tests(pattern):
    for program in sorted((ROOT / "tests/build").glob("*/run.py")):
        test = Test(f"build/{program.parent.name}", program,
                    [sys.executable, str(program)], 600)
        if test.matches(pattern):
            yield test


def cmake(preset, *arguments):
    """Runs cmake for a preset under the lock that ./alula takes as well."""
    command = ["flock", str(BUILD / f"{preset}.lock"), "cmake", *arguments]
    return run(command, 1800)


def configure(preset):
    ninja = BUILD / preset / "build.ninja"
    presets = ROOT / "CMakePresets.json"
    if ninja.exists() and ninja.stat().st_mtime > presets.stat().st_mtime:
        arguments = ["--build", str(BUILD / preset), "--target", "build.ninja"]
    else:
        arguments = ["--preset", preset]
    status, output, _ = cmake(preset, *arguments)
    if status != 0:
        print(f"{output}\n./alula test: cannot configure {preset}",
              file=sys.stderr)
        sys.exit(2)


def board_tests(pattern, build):
    """Configures the trees that carry matching tests, and builds those."""
    if pattern.lstrip("=").startswith(
            ("unit/", "build/")):
        return
    only = re.search(r"\[(\S+) (gcc|clang)", pattern)
    for board in BOARDS:
        for compiler in ("gcc", "clang"):
            preset = f"{board}-{compiler}-release"
            if only and only.groups() != (board, compiler):
                continue
            configure(preset)
            entries = json.loads((BUILD / preset / "tests.json").read_text())
            yield from board_tree(preset, entries, pattern, build)


def board_tree(preset, entries, pattern, build):
    tests = []
    for entry in entries:
        command = ["qemu-system-arm", *entry["qemu"].split(), "-display",
                   "none", "-monitor", "none", "-serial", "null",
                   "-semihosting-config", "enable=on,target=native",
                   "-kernel", entry["image"]]
        if "SEED" in os.environ:  # test_seed() reads it
            command += ["-append", "SEED=" + os.environ["SEED"]]
        test = Test(entry["name"], ROOT / f"tests/{entry['name']}.c", command, 60,
                    f"{entry['board']} {entry['build']}")
        test.target = entry["target"]
        if test.matches(pattern):
            tests.append(test)
    if tests and build:
        build_images(preset, tests)
    return tests


def build_images(preset, tests):
    print(f"Building {len(tests)} images ({preset})", file=sys.stderr)
    tree = str(BUILD / preset)
    status, _, _ = cmake(preset, "--build", tree, "--target",
                         *[t.target for t in tests], "--", "-k", "0")
    if status == 0:
        return
    for test in tests:  # which of them, and why
        status, output, _ = cmake(preset, "--build", tree, "--target",
                                  test.target)
        if status != 0:
            said = output.partition("FAILED: ")[2].split("\n")[2:]
            test.not_built = "\n".join(said[:15]) or output


def judge(test, status, output):
    """(what is wrong or "", number of checks that ran)."""
    good = len(re.findall(r"(?m)^ok ", output))
    bad = re.findall(r"(?m)^not ok .*", output)
    checks = good + len(bad)
    late = f"timed out after {test.timeout:.0f} s"
    if bad:
        return "\n".join(bad[:20] + ([late] if status is None else [])), checks
    if status is None:
        return late, checks
    if status != 0:
        return f"ended with status {status}", checks
    if checks == 0:
        return "no check ran", 0
    if test.target:
        done = re.findall(r"(?m)^# done (\d+)$", output)
        if len(done) != 1:
            return "no \"# done N\" at the end", checks
        if int(done[0]) != checks:
            return f"{done[0]} checks ran, {checks} were printed", checks
    return "", checks


def perform(test):
    if test.compile:
        status, output, _ = run(test.compile, 300)
        if status != 0:
            test.not_built = output
    if test.not_built is not None:
        return test, "did not build\n" + test.not_built, 0, 0.0, ""
    status, output, seconds = run(test.command, test.timeout)
    wrong, checks = judge(test, status, output)
    return test, wrong, checks, seconds, output


def report(result, at, count):
    test, wrong, checks, seconds, output = result
    place = f"[{at}/{count}]"
    if not wrong:
        print(f"{place} ok   {test.name}: {checks} checks, {seconds:.1f} s")
        return
    reason, _, rest = wrong.partition("\n")
    print(f"{place} FAIL {test.name}: {reason}")
    shown = rest.splitlines()
    if not test.not_built:
        shown += [l for l in output.splitlines()
                  if not QEMU_REGISTERS.match(l)][-10:]
    for line in shown:
        print("    " + line[:200])


def main():
    parser = argparse.ArgumentParser(prog="./alula test")
    parser.add_argument("--only", default="", metavar="PATTERN")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    os.environ["CMOCKA_MESSAGE_OUTPUT"] = "TAP"
    BUILD.mkdir(exist_ok=True)

    tests = [*unit_tests(args.only), *tool_tests(args.only),
             *board_tests(args.only, build=not args.list)]
    if args.list:
        print("\n".join(t.name for t in tests))
        return 0
    if not tests:
        print(f"./alula test: no test matches \"{args.only}\"",
              file=sys.stderr)
        return 2
    tests.sort(key=lambda t: -t.timeout)  # the long ones must not come last
    passed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        done = concurrent.futures.as_completed(
            [pool.submit(perform, t) for t in tests])
        for at, future in enumerate(done, 1):
            result = future.result()
            report(result, at, len(tests))
            passed += not result[1]
    print(f"{passed} passed, {len(tests) - passed} failed")
    return 0 if passed == len(tests) else 1


if __name__ == "__main__":
    sys.exit(main())
