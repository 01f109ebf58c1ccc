# SPDX-License-Identifier: MIT
"""An ELF as instructions and functions: where each begins and ends.

Functions come from symbols; code that none names gets a function without name,
so that nothing executable is left out. The walk (elfwalk) fills in the rest.
"""
import ehabi
from elffile import Elf, STT_FUNC, STT_NOTYPE
from thumb import disassemble


class Function:
    """What the walk found out about one function; depths in bytes."""

    def __init__(self, name, addr, end, glob):
        self.name, self.addr, self.end, self.glob = name, addr, end, glob
        self.names = [name]
        self.anonymous = False     # code that no symbol names
        self.clear()

    def clear(self):
        self.low = {0: 0}      # base -> deepest sp below that base
        self.variable = {}     # address of a variable lowering -> new bases
        self.lowered_from = {} # the same address -> sp before it
        self.calls = {}        # address -> (depth, base, target, is a jump)
        self.indirect = {}     # address -> (depth, base)
        self.passed = {}       # address of a call -> r0..r3 -> constants, or
                               # None among them: something else as well
        self.sites = []        # states at calls: where landing pads start
        self.lost = {}         # address -> sentence: depth is not known
        self.odd = {}          # address -> sentence: not what a compiler does
        self.r9_writes = []
        self.seen = set()      # addresses of instructions reached
        self.returns = False
        self.check = None      # entrycheck.Check
        self.by_register = False   # sp moved by a constant in a register

    @property
    def problems(self):
        return {**self.odd, **self.lost}

    @property
    def own(self):
        """Deepest sp below entry, without what moves variably."""
        return -self.low[0]

    def later(self, base):
        return -self.low.get(base, 0)

    def passes(self, addr, state):
        """Note what a call at `addr` has in its argument registers."""
        known = self.passed.setdefault(addr, {})
        for r in ('r0', 'r1', 'r2', 'r3'):
            v = state.regs.get(r)
            known.setdefault(r, set()).add(
                v[1] if v and v[0] == 'k' else None)

    def lower(self, sp):
        self.low[sp[0]] = min(self.low.get(sp[0], 0), sp[1])


class Code:
    """An ELF with its instructions and functions; as the file has them."""

    def __init__(self, path):
        self.elf = Elf(path)
        self.insns = disassemble(self.elf)
        self.targets = {i.target for i in self.insns.values()
                        if i.target is not None and i.mn != 'bl'}
        self.pads = ehabi.landing_pads(self.elf)
        self.functions = {}
        self.by_name = {}
        self._find_functions()

    def _find_functions(self):
        starts, cold = {}, {}
        for s in self.elf.symbols:
            if not s.defined or s.mapping or not s.name:
                continue
            if s.shndx >= len(self.elf.sections):
                continue
            sec = self.elf.sections[s.shndx]
            if not sec.executable or s.type not in (STT_FUNC, STT_NOTYPE):
                continue
            if s.type == STT_NOTYPE and not (
                    s.glob and s.value & ~1 in self.insns):
                continue
            if not sec.addr <= (s.value & ~1) < sec.end:
                continue
            starts.setdefault(s.value & ~1, []).append(s)
        inside = [(a, a + s.size) for a, ss in starts.items() for s in ss
                  if s.type == STT_FUNC and s.size]
        for addr, syms in list(starts.items()):
            typed = [s for s in syms if s.type == STT_FUNC]
            if not typed and any(a < addr < e for a, e in inside):
                del starts[addr]       # a global label inside a function
            elif any('.cold' in s.name for s in syms):
                cold[addr] = starts.pop(addr)
        order = sorted(set(starts) | set(cold))
        for sec in self.elf.sections:
            if sec.executable and sec.size:
                self._fill(sec, starts, order)
        for i in [i for i in self.insns.values() if i.mn == 'bl']:
            a = i.target            # subroutines of hand-written code
            if a in self.insns and a not in self.functions and (
                    i.addr not in self.elf.relocs):
                f = Function(f'code at {a:#x}', a, a, False)
                f.anonymous = True
                self.functions[a] = f

    def _fill(self, sec, starts, order):
        here = [a for a in order if sec.addr <= a < sec.end]
        if sec.addr not in here and any(
                sec.addr <= a < (here or [sec.end])[0] for a in self.insns):
            starts.setdefault(sec.addr, [])
            here.insert(0, sec.addr)
        for n, addr in enumerate(here):
            if addr not in starts:
                continue
            syms = sorted(starts[addr], key=lambda s: (
                s.type != STT_FUNC, not s.glob, s.name))
            bound = here[n + 1] if n + 1 < len(here) else sec.end
            size = max([s.size for s in syms], default=0)
            end = min(addr + size, bound) if size else bound
            name = syms[0].name if syms else f'code at {addr:#x}'
            f = Function(name, addr, end, any(s.glob for s in syms))
            f.names = [s.name for s in syms] or [name]
            self.functions[addr] = f
            for k in f.names:
                self.by_name.setdefault(k, f)
            f.anonymous = not syms
            if size:
                self._gap(end, bound)

    def _gap(self, addr, end):
        """Code after a function's end that no symbol names."""
        for a in range(addr, end, 2):
            i = self.insns.get(a)
            if i is not None and i.mn != 'nop' and i.raw != (0,):
                f = Function(f'code at {a:#x}', a, end, False)
                f.anonymous = True
                self.functions[a] = f
                return

    def target_name(self, target):
        if isinstance(target, str):
            return target
        f = self.functions.get(target)
        return f.name if f else f'{target:#x}'
