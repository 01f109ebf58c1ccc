# SPDX-License-Identifier: MIT
"""Functions of an image with alula-as's records, and depths over their calls.

A depth counts bytes of sp below a function's entry, callees included. It ends
at checked functions: they answer for themselves. Where it cannot be computed
(a call through a pointer, a cycle, sp that moves variably) Unbounded says why.
"""
import glob
import os
import re

import elfwalk
from elffile import ElfError

NONE, SMALL, LARGE, IP_FREE, INTERNAL, STATED, RAW = 0, 1, 2, 3, 5, 6, 7
FORM = {NONE: 'none', SMALL: 'small', LARGE: 'large', IP_FREE: 'ip-free',
        INTERNAL: 'internal', STATED: 'stated', RAW: 'raw'}
VARIABLE = 0x40
SLACK = 64

# Where a path ends although a call goes on. Ends of a task: they never come
# back, whoever calls them is done with, and recovery, a root of its own, begins
# at the sp of the call or above. And the switch: what it pushes is a saved
# context, which --context counts.
ENDS = re.compile(
    r'_Unwind_Resume$|__cxa_end_cleanup$|__ubsan_handle_|__aeabi_[il]div0$|'
    r'(__wrap_)?abort$|_ZSt9terminatev$|kernel_stop$|recover_panic$|al_panic$|'
    r'panic_caller$|al_assert_failed$|'
    r'arch_switch$')


class Unbounded(Exception):
    """No depth can be computed; the argument is a sentence."""


class Record:
    """One entry of .alula.fn."""

    def __init__(self, own, effective, word):
        self.own, self.effective = own, effective
        self.form = word & 0x3f
        self.variable = bool(word & VARIABLE)
        self.args = word >> 8


def read_bounds(paths):
    """name -> bytes, from files of `name bytes` lines."""
    bounds = {}
    for path in paths:
        try:
            with open(path, encoding='utf-8') as f:
                lines = f.read().splitlines()
        except (OSError, UnicodeDecodeError) as e:
            raise ElfError(f'{path}: {e}') from e
        for n, line in enumerate(lines, 1):
            words = line.split('#')[0].split()
            if not words:
                continue
            if len(words) != 2 or not words[1].isdigit():
                raise ElfError(f'{path}:{n}: expected "name bytes"')
            bounds[words[0]] = int(words[1])
    return bounds


def default_bounds():
    here = os.path.dirname(os.path.abspath(__file__))
    return sorted(glob.glob(os.path.join(here, 'bounds', '*.bounds')))


def path_text(path):
    return ', '.join(f'{n} at {d}' for n, d in path)


class Graph:
    def __init__(self, path, bounds, indirect=None):
        self.image = elfwalk.Image(path).walk()
        self.functions = self.image.functions
        self.bounds, self.indirect = bounds, indirect or {}
        self.records = self._records()
        self.objects = _map_file(path + '.map')
        self.memo = {}

    def _records(self):
        elf, out = self.image.elf, {}
        for s in elf.sections:
            if s.name == '.alula.fn':
                w = elf.words(s)
                if len(w) % 4:
                    raise ElfError(f'{elf.path}: .alula.fn is not whole')
                for i in range(0, len(w), 4):
                    if isinstance(w[i], int) and w[i]:
                        out[w[i] & ~1] = Record(*w[i + 1:i + 4])
        return out

    def function_at(self, addr):
        """The function whose code holds the address, or None."""
        return next((f for f in self.functions.values()
                     if f.addr <= addr < f.end), None)

    def record(self, f):
        return self.records.get(f.addr)

    def form(self, f):
        r = self.records.get(f.addr)
        return None if r is None else r.form

    def checked(self, f):
        return self.form(f) in (NONE, SMALL, LARGE, IP_FREE)

    def kernel_entry(self, f):
        """A function of the kernel's interface: checked once, at the entry."""
        return self.checked(f) and any(n.startswith('al_')
                                       for n in f.names) and f.glob

    def ends(self, f):
        return any(ENDS.match(n) for n in f.names)

    def bound(self, f):
        """The stated depth of precompiled code, or None."""
        found = [self.bounds[n] for n in f.names if n in self.bounds]
        return max(found) if found else None

    def where(self, f):
        obj = self.objects(f.addr)
        return f'{f.name} ({obj})' if obj else f.name

    def resolve(self, target):
        """The function at a call's target, through the linker's veneers, or
        that a jump into hand-written code enters, whose stated depth holds
        anywhere in it; None for what is not in this file."""
        for _ in range(4):
            f = self.functions.get(target) if isinstance(target, int) else None
            if f is None and isinstance(target, int):
                f = self.function_at(target)
                return f if f and self.form(f) == STATED else None
            if f is None or not f.name.endswith('_veneer') or not f.calls or (
                    self.record(f)):
                return f
            target = next(iter(f.calls.values()))[2]
        return f

    def calls(self, f):
        """(depth, callee or None, address, target) of each call in f."""
        out = []
        for a, (depth, base, target, _) in sorted(f.calls.items()):
            if base != 0:
                depth = f.own + max(depth, 0)
            out.append((depth, self.resolve(target), a, target))
        return out

    def edges(self, f):
        """The same, with calls through pointers whose targets are named."""
        out = self.calls(f)
        targets = self.indirect.get(f.name)
        for a, (depth, base) in sorted(f.indirect.items()):
            if targets is None:
                raise Unbounded(f'{self.where(f)} calls through a pointer at '
                                f'{a:#x}; name its targets with --indirect '
                                f'{f.name}=...')
            for t in targets:
                if t == 'checked':
                    continue
                callee = self.image.by_name.get(t)
                if callee is None:
                    raise Unbounded(f'--indirect {f.name}: the image has no '
                                    f'function {t}')
                out.append((f.own if base else depth, callee, a, callee.addr))
        return out

    def own(self, f):
        r = self.record(f)
        if r is not None and r.form == STATED:
            return max(r.own, f.own)
        if f.lost:
            a, text = min(f.lost.items())
            raise Unbounded(f'{self.where(f)} at {a:#x}: {text}')
        if f.variable:
            raise Unbounded(f'{self.where(f)} moves sp by a variable amount '
                            f'at {min(f.variable):#x}')
        return f.own

    def depth(self, f, stack=()):
        """(bytes, path); path: [(name, depth of its entry), ...]."""
        if f.addr in self.memo:
            return self.memo[f.addr]
        if f in stack:
            names = [g.name for g in stack[stack.index(f):]] + [f.name]
            raise Unbounded('recursion: ' + ' -> '.join(names))
        best, path = self.own(f), []
        for d, callee, a, target in self.edges(f):
            if callee is None:
                raise Unbounded(f'{self.where(f)} calls '
                                f'{self.image.target_name(target)} at {a:#x}, '
                                'which is not in this file')
            if self.checked(callee) or self.ends(callee):
                continue
            try:
                below, rest = self.depth(callee, stack + (f,))
            except Unbounded:
                b = self.bound(callee)
                if b is None or self.record(callee):
                    raise
                below, rest = b, [(callee.name, 0)]
            if d + below > best:
                best, path = d + below, [(n, d + at) for n, at in rest]
        self.memo[f.addr] = (best, [(f.name, 0)] + path)
        return self.memo[f.addr]

    def precompiled(self):
        """Unmarked functions that stated names reach by calls and pointers."""
        todo = [f for f in self.functions.values()
                if not self.record(f) and self.bound(f) is not None]
        reached = set()
        while todo:
            f = todo.pop()
            if f.addr in reached or self.record(f):
                continue
            reached.add(f.addr)
            for target in [c[2] for c in f.calls.values()] + self._pointers(f):
                g = self.resolve(target)
                if g is not None:
                    todo.append(g)
        return reached

    def uses_fpu(self, f):
        return any(self.image.insns[a].mn.startswith('v') for a in f.seen)

    def taken(self, f):
        """Functions whose addresses f's code holds as constants."""
        found, low = {a: True for a in self._pointers(f)}, {}
        for a in sorted(f.seen):
            i = self.image.insns[a]
            if i.mn == 'movw' and len(i.ops) == 2:
                low[i.ops[0]] = i.imm(1)
            elif i.mn == 'movt' and low.get(i.ops[0]) is not None:
                found[(low[i.ops[0]] | i.imm(1) << 16) & ~1] = True
        return [self.functions[a] for a in found if a in self.functions]

    def _pointers(self, f):
        """Function addresses among the words that belong to f's code."""
        elf = self.image.elf
        words = (elf.word(a) for a in range(f.addr + 3 & ~3, f.end, 4)
                 if a not in self.image.insns)
        return [w & ~1 for w in words if isinstance(w, int) and w & 1
                and w & ~1 in self.functions]


def _map_file(path):
    """A function from address to object, by the linker's map if there."""
    spans = []
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            text = f.read()
    except OSError:
        text = ''
    for m in re.finditer(r'^ \.text\S*\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)[ \t]+'
                         r'(\S[^\n]*)$', text, re.M):
        spans.append((int(m.group(1), 16), int(m.group(2), 16), m.group(3)))

    def find(addr):
        return next((os.path.basename(o) for a, n, o in spans
                     if a <= addr < a + n), None)
    return find
