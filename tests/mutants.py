#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tries the mutations of tests/mutants.list: each must turn its test red.

    mutants.py [--short] [--only NAME]
    mutants.py --apply       only tells those that would not apply; builds nothing

A line of the list is `name | file | sed expression | test`, the test named as
`./alula test --list` prints it. Each mutation is made in a copy of the tree
(build/mutants/tree), where the test is built and run; it is

    killed          the named test ran and failed
    survived        the test passed all the same
    did not apply   the expression changed nothing
    did not build   so the test never ran
    timed out       the test hung: that shows nothing about what it checks

and only `killed` counts. Before, each test must pass in the copy, unmutated.
--short takes those that the list's `short:` line names. Results go to
build/results/mutants.json (mutants-short.json); ends 0 when all are killed.
"""
import argparse
import filecmp
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TREE = ROOT / "build/mutants/tree"


def read_list():
    """(all mutations, the names of those for --short)."""
    path = ROOT / "tests/mutants.list"
    mutants, short = [], []
    for at, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("short:"):
            short = line.split()[1:]
        if not line.strip() or line.startswith(("#", "short:")):
            continue
        fields = [f.strip() for f in re.split(r"\s+\|\s+", line)]
        if len(fields) != 4:
            sys.exit(f"{path}:{at}: name | file | sed expression | test")
        mutants.append(dict(zip(("name", "file", "sed", "test"), fields)))
    unknown = set(short) - {m["name"] for m in mutants}
    if unknown or not short:
        sys.exit(f"{path}: short: {' '.join(unknown) or 'names none'}")
    return mutants, short


def copy_tree():
    """Makes TREE the same as ROOT; what changes gets a new time."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True,
        stdout=subprocess.PIPE, text=True).stdout.splitlines()
    names = {n for n in listed if (ROOT / n).is_file()}
    for name in names:
        source, target = ROOT / name, TREE / name
        if target.exists() and filecmp.cmp(source, target, shallow=False):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    for path in TREE.rglob("*"):
        name = str(path.relative_to(TREE))
        if path.is_file() and not name.startswith("build/") \
                and name not in names:
            path.unlink()


def run_test(name):
    """(result, what it said): passed, killed, did not build, timed out."""
    try:
        done = subprocess.run(
            ["setpriv", "--pdeathsig", "KILL", "./alula", "test", "--only",
             "=" + name], cwd=TREE, timeout=900,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, check=False, text=True,
            errors="replace")
    except subprocess.TimeoutExpired:
        return "timed out", ""
    if done.returncode == 0:
        return "passed", done.stdout
    reasons = re.findall(r"(?m)^\[\d+/\d+\] FAIL .*?: (.*)$", done.stdout)
    if any(not r.startswith(("did not build", "timed out")) for r in reasons):
        return "killed", done.stdout
    if any(r.startswith("timed out") for r in reasons):
        return "timed out", done.stdout
    return "did not build", done.stdout


def stale(mutants):
    """Those that change nothing in the tree as it is."""
    for mutant in mutants:
        source = ROOT / mutant["file"]
        done = subprocess.run(["sed", "-e", mutant["sed"], str(source)],
                              stdout=subprocess.PIPE, check=False)
        if not source.is_file() or done.stdout == source.read_bytes():
            yield f"{mutant['name']} does not apply to {mutant['file']}"


def try_mutant(mutant):
    target = TREE / mutant["file"]
    try:
        before = target.read_bytes()
    except OSError:
        return "did not apply", f"there is no {mutant['file']}"
    subprocess.run(["sed", "-i", "-e", mutant["sed"], str(target)], check=True)
    try:
        if target.read_bytes() == before:
            return "did not apply", "the expression changes nothing"
        result, said = run_test(mutant["test"])
        return ("survived" if result == "passed" else result), said
    finally:
        # A new time, so that the next build notices.
        target.write_bytes(before)


def main():
    parser = argparse.ArgumentParser(prog="./alula mutants")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", metavar="NAME")
    parser.add_argument("--apply", action="store_true")
    args = parser.parse_args()
    os.chdir(ROOT)
    sys.stdout.reconfigure(line_buffering=True)
    mutants, short = read_list()
    if args.apply:
        found = list(stale(mutants))
        print("\n".join(found), end="\n" * bool(found))
        return 1 if found else 0
    if args.only:
        mutants = [m for m in mutants if m["name"] == args.only]
    if args.short:
        mutants = [m for m in mutants if m["name"] in short]
    if not mutants:
        print("./alula mutants: no such mutation", file=sys.stderr)
        return 2
    copy_tree()
    baseline = {}
    results = []
    for at, mutant in enumerate(mutants, 1):
        start = time.monotonic()
        test = mutant["test"]
        if test not in baseline:
            baseline[test] = run_test(test)
        if baseline[test][0] != "passed":
            result, said = "test is red unmutated", baseline[test][1]
        else:
            result, said = try_mutant(mutant)
        seconds = time.monotonic() - start
        word = "ok" if result == "killed" else "not ok"
        print(f"# [{at}/{len(mutants)}] {seconds:.0f} s, {test}")
        print(f"{word} {mutant['name']}: {result}")
        if result != "killed":
            print("\n".join("#   " + l for l in said.splitlines()[-12:]))
        results.append({**mutant, "result": result})
    killed = sum(r["result"] == "killed" for r in results)
    out = ROOT / "build/results"
    if not args.only:
        out.mkdir(parents=True, exist_ok=True)
        name = "mutants-short.json" if args.short else "mutants.json"
        (out / name).write_text(json.dumps(
            {"killed": killed, "total": len(results), "mutants": results},
            indent=1) + "\n")
    print(f"# {killed} of {len(results)} killed")
    return 0 if killed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
