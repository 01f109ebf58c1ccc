#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What safety costs on lwIP is within its goals, and is measured as said.

1. ./alula overhead fetches lwIP's sources, builds, measures, ends 0 and writes
   its keys; the system's own package lists are not touched.
2. With a stand-in for QEMU: images that did different work, or that did not end,
   give no figure; one above its goal is a failure that does.
3. Lists that name sources are made from enabled entries of both forms, only.
Fails if: a check costs more than it may, or a broken run passes.
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
from check import Checks, run  # noqa: E402

checks = Checks()
TREE = ROOT / "build/overhead"
RESULT = ROOT / "build/results/overhead.json"
KEYS = ("text_pct", "tables_pct", "insns_pct", "checks", "bytes_per_check")


def lists():
    return {p: p.stat().st_mtime_ns for p in Path("/var/lib/apt").rglob("*")}


before = lists()
RESULT.unlink(missing_ok=True)
done = run(ROOT / "alula", "overhead", timeout=580)
checks.check("every figure is within its goal", done.returncode == 0,
             done.stderr[-600:])
found = json.loads(RESULT.read_text()) if RESULT.exists() else {}
checks.check("the keys are there", all(key in found for key in KEYS), found)
checks.check("checks were found", found.get("checks", 0) > 200 and
             5 < found.get("bytes_per_check", 0) < 9, found)
checks.check("it is no free lunch", found.get("insns_pct", 0) > 0.2 and
             found.get("text_pct", 0) > 1 and found.get("tables_pct", 0) > 1,
             found)
checks.equal("the system's lists are as they were", lists(), before)


def judged(with_, without):
    """(status, insns_pct or None) when QEMU prints these."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, said in (("with", with_), ("without", without)):
            (folder / f"{kind}_checks.elf.said").write_text(said)
        fake = folder / "qemu-system-arm"
        fake.write_text("#!/bin/sh\nfor last; do :; done\n"
                        f"cat {folder}/$(basename $last).said\n")
        fake.chmod(0o755)
        result = folder / "overhead.json"
        told = subprocess.run(
            [sys.executable, str(ROOT / "tools/alula-overhead"), "--tree",
             str(TREE), "--json", str(result)], check=False,
            capture_output=True, text=True,
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})
        return (told.returncode, json.loads(result.read_text())["insns_pct"]
                if result.exists() else None)


END = "# done 1\n"
checks.equal("one per cent passes", judged(
    f"overhead a 1010 7\n{END}", f"overhead a 1000 7\n{END}"), (0, 1.0))
checks.equal("two do not, and are on file", judged(
    f"overhead a 1020 7\n{END}", f"overhead a 1000 7\n{END}"), (1, 2.0))
checks.equal("another digest is no figure", judged(
    f"overhead a 1010 8\n{END}", f"overhead a 1000 7\n{END}"), (1, None))
checks.equal("a run without its end is none", judged(
    "overhead a 1010 7\n", f"overhead a 1000 7\n{END}"), (1, None))

loader = SourceFileLoader("source", str(ROOT / "tools/debian-source"))
source = module_from_spec(spec_from_loader("source", loader))
loader.exec_module(source)
with tempfile.TemporaryDirectory() as name:
    system, folder = Path(name, "apt"), Path(name, "own")
    (system / "sources.list.d").mkdir(parents=True)
    (system / "sources.list").write_text(
        "# deb away main\ndeb [signed-by=/k] here suite main\n"
        "deb-src there suite main\n")
    (system / "sources.list.d/a.sources").write_text(
        "Types: deb deb-src\nURIs: a\nSuites: s\n\n"
        "Types: deb\nEnabled: no\nURIs: b\n\nTypes: deb-src\nURIs: c\n")
    (system / "sources.list.d/b.list.off").write_text("deb off suite main\n")
    checks.equal("enabled entries", source.write_lists(system, folder), 2)
    made = {p.name: p.read_text()
            for p in (folder / "sources.list.d").glob("*")}
    checks.equal("ask for sources", made, {
        "sources.list": "deb-src [signed-by=/k] here suite main\n",
        "a.sources": "Types: deb-src\nURIs: a\nSuites: s\n"})
done = run(ROOT / "tools/debian-source", "no-such-package-alula",
           ROOT / "build/sources")
checks.check("an unknown package ends 2 with a sentence",
             done.returncode == 2 and "could not get" in done.stderr,
             done.stderr[-300:])
sys.exit(checks.done())
