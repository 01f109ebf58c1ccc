# SPDX-License-Identifier: MIT
"""Checked functions that precompiled code comes to without a veneer.

Such code has other things in r9, so that the check at the function's entry
compares with garbage: a false alarm, or no check at all. Found are calls by name;
pointers to checked functions that are handed over in a register, or lie in an
object that is handed over or that precompiled code names itself. Pointers count
only where precompiled code below calls through one whose targets nobody stated.
And the other way round: pointers to precompiled functions without a bound, in
checked code.
"""
from elffile import STT_OBJECT
from stackgraph import IP_FREE, LARGE, NONE, SMALL

BY_NAME = ('precompiled code must come to it by a veneer: define it by '
           'AL_LIBRARY_ENTRY')
BY_POINTER = 'make the pointer by AL_CALLBACK({0})'


class Reach:
    def __init__(self, graph, notes):
        self.g, self.notes = graph, notes
        self.objects = sorted(
            (s.value, s.value + s.size, s.name)
            for s in graph.image.elf.symbols
            if s.type == STT_OBJECT and s.size and s.defined)
        self.blind = {}        # precompiled: calls an unknown pointer below it

    def errors(self):
        for _, f in sorted(self.g.functions.items()):
            if self.g.record(f) is None:
                yield from self.by_name(f)
                if self.calls_unknown(f):
                    yield from self.by_own_data(f)
            elif self.g.checked(f):
                yield from self.handed(f)
                yield from self.taken(f)

    def minds(self, f):
        """Is it checked, or does it lead to what is?"""
        form = self.g.form(f)
        return form in (SMALL, LARGE, IP_FREE) or form == NONE and (
            bool(f.indirect) or any(c is not None and self.g.checked(c)
                                    for _, c, _, _ in self.g.calls(f)))

    def by_name(self, f):
        for _, callee, a, _ in self.g.calls(f):
            if callee is not None and self.minds(callee) and (
                    not self.g.ends(callee)):
                yield (f'{self.g.where(f)}: calls {callee.name} at {a:#x}, '
                       f'which is checked: {BY_NAME}')
        for callee in self.notes.calls.get(f.addr, []):
            if self.minds(callee):
                yield (f'{self.g.where(f)}: calls {callee.name} through a '
                       f'pointer: {BY_POINTER.format(callee.name)}')

    def calls_unknown(self, f):
        """Does precompiled code from f on call what nobody stated?"""
        if f.addr not in self.blind:
            seen, work, found = set(), [f], False
            while work and not found:
                g = work.pop()
                if g.addr in seen or self.g.record(g) is not None:
                    continue
                seen.add(g.addr)
                found = bool(g.indirect) and (
                    g.addr not in self.notes.calls
                    or g.addr in self.notes.excused)
                work += [c for _, c, _, _ in self.g.calls(g)
                         if c is not None]
            self.blind[f.addr] = found
        return self.blind[f.addr]

    def function(self, word):
        """The function that a pointer names, if its check matters."""
        f = self.g.functions.get(word & ~1) if isinstance(
            word, int) and word & 1 else None
        return f if f is not None and self.minds(f) else None

    def within(self, address):
        """(object's name, function) of pointers in the object there."""
        for low, high, name in self.objects:
            if isinstance(address, int) and low <= address < high:
                for a in range(low + 3 & ~3, high - 3, 4):
                    f = self.function(self.g.image.elf.word(a))
                    if f is not None:
                        yield name, f

    def taken(self, f):
        """Pointers that no stub checks: alula-as had no bound to check for."""
        for g in self.g.taken(f):
            if self.g.record(g) is None and (g.own or g.calls or g.indirect):
                yield (f'{self.g.where(f)}: has the address of {g.name}, '
                       'which is precompiled, so that nothing checks a call '
                       'through it: state its depth in a bounds file')

    def handed(self, f):
        for _, callee, a, _ in self.g.calls(f):
            if callee is None or self.g.record(callee) is not None or (
                    not self.calls_unknown(callee)):
                continue
            for word in {w for ws in f.passed.get(a, {}).values()
                         for w in ws if w is not None}:
                given = self.function(word)
                if given is not None:
                    yield (f'{self.g.where(f)}: hands {given.name} to '
                           f'{callee.name} at {a:#x}, which is precompiled: '
                           + BY_POINTER.format(given.name))
                for name, g in self.within(word):
                    yield (f'{self.g.where(f)}: hands {name}, which holds '
                           f'{g.name}, to {callee.name} at {a:#x}, which is '
                           'precompiled: ' + BY_POINTER.format(g.name))

    def by_own_data(self, f):
        elf, insns = self.g.image.elf, self.g.image.insns
        for a in range(f.addr + 3 & ~3, f.end - 3, 4):
            word = elf.word(a) if a not in insns else None
            given = self.function(word) if word is not None else None
            if given is not None:
                yield (f'{self.g.where(f)}: has the address of {given.name}, '
                       f'which is checked: {BY_NAME}')
            for name, g in self.within(word):
                yield (f'{self.g.where(f)}: is precompiled and names {name}, '
                       f'which holds {g.name}: ' + BY_POINTER.format(g.name))
