#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How long the fault entries of an image run: all that outranks interrupts.

    faultstubs.py [--most N] ELF...    print each entry and its longest path

An entry is straight-line code: its longest path, in instructions, from the
vector to the exception return. A loop, a call or a jump to an unknown place has
no bound and is an error; a conditional instruction counts whether or not it is
executed. Ends with 1 when one has no bound or is longer than N. Two ways out count for nothing: kernel_stop, which does not return,
and al_svc_check, the stack check: it gets here only from a task that holds off
interrupts itself, and has the kernel's priority otherwise.
"""
import argparse
import sys

from elffile import Elf, ElfError
from thumb import disassemble

ENTRIES = ("HardFault_Handler", "MemManage_Handler", "BusFault_Handler",
           "UsageFault_Handler")
NOT_COUNTED = ("kernel_stop", "al_svc_check")


class Stubs:
    def __init__(self, path):
        elf = Elf(path)
        self.insns = disassemble(elf)
        self.address = {s.name: s.value & ~1 for s in elf.symbols
                        if s.defined and s.name}
        self.outside = {self.address.get(name) for name in NOT_COUNTED}
        self.longest = {}   # address -> instructions to a return, or None

    def _after(self, insn):
        """(addresses that may come next, may it return here?)"""
        text = f"at {insn.addr:#x}: {insn.text}"
        goes_on = [insn.next] if insn.cond or insn.mn in ("cbz", "cbnz") else []
        if insn.mn in ("b", "cbz", "cbnz"):
            return goes_on + [insn.target] * (
                insn.target not in self.outside), False
        if insn.mn == "bx" and insn.ops == ["lr"]:
            return goes_on, True
        if insn.mn in ("bl", "blx", "bx", "tbb", "tbh") or (
                "pc" in insn.ops[:1] or "pc" in insn.text.partition("{")[2]):
            raise ElfError(f"{text}: where it goes is not known")
        return [insn.next], False

    def path(self, address, above=()):
        """Instructions of the longest path from here to a return; None: no
        path returns."""
        if address in above:
            raise ElfError(f"at {address:#x}: a loop")
        if address not in self.insns:
            raise ElfError(f"at {address:#x}: no instruction")
        if address not in self.longest:
            after, returns = self._after(self.insns[address])
            rest = [self.path(a, (*above, address)) for a in after]
            rest = [n for n in rest if n is not None] + [0] * returns
            self.longest[address] = 1 + max(rest) if rest else None
        return self.longest[address]

    def entries(self):
        """entry -> instructions; ElfError when one has no bound."""
        missing = [name for name in ENTRIES if name not in self.address]
        if missing:
            raise ElfError(f"no {', '.join(missing)}")
        return {name: self.path(self.address[name]) or 0 for name in ENTRIES}


def longest(path):
    """The longest of all entries of an image."""
    return max(Stubs(path).entries().values())


def main():
    parser = argparse.ArgumentParser(prog="faultstubs", description=__doc__)
    parser.add_argument("--most", type=int, default=1 << 32)
    parser.add_argument("elf", nargs="+")
    args = parser.parse_args()
    status = 0
    for elf in args.elf:
        try:
            for name, insns in Stubs(elf).entries().items():
                print(f"{elf}: {name:20} {insns:3}")
                if insns > args.most:
                    print(f"{elf}: {name} is above {args.most}",
                          file=sys.stderr)
                    status = 1
        except ElfError as why:
            print(f"{elf}: {why}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
