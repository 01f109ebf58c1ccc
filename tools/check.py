#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What `./alula check` checks: text, structure and the images.

One line per check, then "N passed, N failed". Ends 0 when all hold, else 1.
Images are built first, so that what is audited is what the sources say.
"""
import concurrent.futures
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "build/images"
LIBRARIES = [ROOT / "build/stm32f405-gcc-run/alula-kernel-stm32f405" /
             f"libalula-{part}-stm32f405.a" for part in ("kernel", "drivers")]
CPU = "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16".split()
WARNINGS = "-Wall -Wextra -Wconversion -Werror -fsyntax-only".split()
PICOLIBC = "/usr/lib/picolibc/arm-none-eabi/include"
PUBLIC = ("include", "arch/cortexm/include")
COMPILERS = {
    "GCC C11": ["arm-none-eabi-gcc", "--specs=picolibc.specs", "-std=c11",
                "-xc"],
    "G++ C++17": ["arm-none-eabi-g++", "--specs=picolibc.specs", "-std=c++17",
                  "-xc++"],
    "Clang C11": ["clang-19", "--target=arm-none-eabi", "-isystem", PICOLIBC,
                  "-std=c11", "-xc"],
    "Clang C++17": ["clang-19", "--target=arm-none-eabi", "-isystem", PICOLIBC,
                    "-std=c++17", "-xc++"],
}
ARCHITECTURE_WORDS = """
    arm armv6 armv7 armv8 aarch32 aarch64 cortex cortexm thumb nvic systick scb
    pendsv svc msp psp primask basepri faultmask xpsr cmsis exidx ehabi risc
    riscv rv32 rv64 mstatus mtvec mie plic clint daif spsr x86 amd64 stm32 mps2
    """.split()
OUR_SYMBOLS = r"al_|AL_|__al_|arch_|chip_|board_|kernel_stop$"
# Names that a binary interface or CMSIS gives: compilers, linkers and vendors'
# headers call or define them.
FIXED_SYMBOLS = (r"__aeabi_|__wrap_|__gnu_|_Unwind_|__ubsan_handle_|__cxa_|"
                 r"abort$|std(in|out|err)$|"
                 r"_ZSt9terminatev$|"
                 r"__gcc_personality_v0$|__gxx_personality_v0$|"
                 r"[A-Za-z0-9_]+_(IRQ)?Handler(_body)?$|SystemInit$|"
                 r"SystemCoreClock(Update)?$|main$")


def run(*command):
    """(exit status, output)."""
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, text=True, errors="replace")
    return done.returncode, done.stdout


def our_files(*suffixes):
    status, output = run("git", "ls-files", "-co", "--exclude-standard")
    if status != 0:
        raise RuntimeError("this is not a git checkout")
    files = [ROOT / name for name in output.splitlines()]
    return [f for f in files if f.is_file() and f.name.endswith(suffixes or "")]


def relative(path):
    return str(path.relative_to(ROOT))


def check_format():
    files = [relative(f) for f in our_files(".c", ".h")]
    status, output = run("clang-format-14", "--dry-run", "-Werror", *files)
    bad = sorted(set(re.findall(r"(?m)^(\S+?):\d+:\d+: error", output)))
    return bad or ([output] if status else [])


def check_licence():
    for file in our_files():
        text = file.read_bytes()
        code = file.suffix in (".c", ".h", ".S", ".s", ".ld", ".py", ".cmake",
                               ".def", ".sh", ".list")
        if code or text.startswith(b"#!") or file.name == "CMakeLists.txt":
            head = b"\n".join(text.split(b"\n", 2)[:2])
            if b"SPDX-License-Identifier: MIT" not in head:
                yield f"{relative(file)} has no SPDX tag on its first line"


def check_layers():
    status, output = run(sys.executable, "tools/check-layers")
    return output.splitlines() if status else []


def check_registry():
    status, output = run(sys.executable, "tools/registry", "--check")
    return output.splitlines() if status else []


def check_recovery():
    status, output = run(sys.executable, "tools/recovery", "--check")
    return output.splitlines() if status else []


def check_mutations():
    status, output = run(sys.executable, "tests/mutants.py", "--apply")
    return output.splitlines() if status else []


def check_misuse():
    status, output = run(sys.executable, "tests/build/misuse/run.py")
    return [l for l in output.splitlines() if l.startswith("not")] if status \
        else []


def check_hopter():
    status, output = run(sys.executable, "tests/build/hopter/run.py")
    return [l for l in output.splitlines() if l.startswith("not")] if status \
        else []


def check_words():
    words = re.compile(r"(?i)(?<![a-z0-9])(" + "|".join(ARCHITECTURE_WORDS) +
                       r")(?![a-z])")
    for folder in ("kernel", "include", "lib"):
        for file in sorted((ROOT / folder).rglob("*")):
            if not file.is_file():
                continue
            for at, line in enumerate(file.read_text().splitlines(), 1):
                for word in words.findall(line):
                    yield f"{relative(file)}:{at}: \"{word}\""


def compile_alone(name, header, includes=PUBLIC):
    status, output = run(*COMPILERS[name], *CPU, *WARNINGS,
                         *[f"-I{i}" for i in includes],
                         "-include", str(header), "/dev/null")
    return f"({name}) {output}" if status else ""


def check_headers():
    headers = sorted((ROOT / "include/alula").glob("*.h"))
    if not headers:
        return ["there is no public header"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = pool.map(compile_alone,
                           [name for name in COMPILERS for _ in headers],
                           headers * len(COMPILERS))
        return [r for r in results if r]


def check_private_headers():
    includes = (*PUBLIC, "kernel", "lib", "arch/cortexm", "drivers")
    for folder in ("kernel", "lib", "drivers"):
        for header in sorted((ROOT / folder).rglob("*.h")):
            said = compile_alone("GCC C11", header, includes)
            if said:
                yield said


def check_symbols():
    status, output = run("arm-none-eabi-nm", "-g", "--defined-only",
                         "--format=posix", *map(str, LIBRARIES))
    if status != 0:
        return [output]
    modules = {f.stem for folder in ("kernel", "lib") for f in
               (ROOT / folder).rglob("*.[ch]")}
    modules |= {f.name for f in (ROOT / "drivers").glob("*") if f.is_dir()}
    ours = re.compile("(" + OUR_SYMBOLS + "|" + FIXED_SYMBOLS + "|" +
                      "|".join(f"{m}_" for m in sorted(modules)) + ")")
    names = [line.split()[0] for line in output.splitlines()
             if len(line.split()) >= 3]
    if not names:
        return ["the libraries define nothing"]
    return [f"{name} is outside our prefixes" for name in names
            if not ours.match(name)]


def check_audit():
    images = sorted(IMAGES.glob("*/*.elf"))
    if not images:
        return ["no image under build/images"]
    wrong = []
    for image in images:
        status, output = run(sys.executable, "tools/alula-audit", "--list",
                             "tools/audit.list", relative(image))
        if status != 0:
            wrong.append(f"{relative(image)}:\n{output}")
    return wrong


def check_fault_entries():
    images = sorted(map(str, IMAGES.glob("*/*.elf")))
    status, output = run(sys.executable, "tools/faultstubs.py", "--most", "40",
                         *images)
    return [output] if status else []


def check_build():
    status, output = run("./alula", "build")
    return [output] if status else []


CHECKS = (
    ("format (clang-format 14)", check_format),
    ("SPDX tags", check_licence),
    ("layers (kernel/LAYERS)", check_layers),
    ("registries, headers and documents agree", check_registry),
    ("each death has a test, and its row (docs/recovery.md)", check_recovery),
    ("mutations apply to the code (tests/mutants.list)", check_mutations),
    ("wrong uses of all functions have a test", check_misuse),
    ("all of Hopter has its row (docs/hopter.md)", check_hopter),
    ("no architecture word in kernel/, include/, lib/", check_words),
    ("public headers compile alone, C11 and C++17", check_headers),
    ("private headers compile alone", check_private_headers),
    ("images build", check_build),
    ("global symbols have our prefixes", check_symbols),
    ("audit of every image", check_audit),
    ("fault entries are short", check_fault_entries),
)


def main():
    failed = 0
    for name, check in CHECKS:
        start = time.monotonic()
        breaches = list(check())
        seconds = time.monotonic() - start
        print(f"{'FAIL' if breaches else 'ok  '} {name}: {seconds:.1f} s",
              flush=True)
        for breach in breaches[:12]:
            print("    " + breach.strip().replace("\n", "\n    ")[:1000])
        failed += bool(breaches)
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
