# SPDX-License-Identifier: MIT
"""How deep a stack gets, and how much of it the checks on the way demand.

Of each function, counted from its entry: `depth`, the bytes below it that the
deepest path stores to; `need`, the bytes above the floor without which a check
on some path traps: a small check asks for 64 bytes whatever the frame is, a
kernel function for no more, because what it takes goes into the reserve.

Recursion whose number is stated counts so often: the way round it, once for
each time but the first, and once what it reaches besides. Whatever has no bound
becomes a sentence, and what is known counts.
"""
import stackcycles
from stackgraph import INTERNAL, STATED

EXC_RETURN = 0xffffff00      # and above: a jump there ends a handler
SWITCH = 'arch_switch'
SUGGEST = 'AL_STACK_{}() in it (alula/stack.h), or "{}" in a file of notes'


class Found:
    """need and depth with the way to each: ((at, callee), found) or None."""

    def __init__(self):
        self.need = self.depth = 0
        self.need_by = self.depth_by = None
        self.back = {}                 # recursion: address -> where it comes
        self.open = frozenset()        # sentences: what has no bound

    def path(self, name, which):
        """[(function, where its entry is), ...]"""
        out, at, by = [(name, 0)], 0, getattr(self, which + '_by')
        while by is not None:
            (off, callee), found = by
            at += off
            out.append((callee.name, at))
            by = getattr(found, which + '_by')
        return out


class Needs:
    def __init__(self, graph, notes):
        self.g, self.notes = graph, notes
        self.closes, self.holes = self._closes(), self._holes()
        self.taken, self.edge_memo, self.memo = {}, {}, {}
        self.switch = 0    # bytes that giving up the processor saves
        self.parts, self.loops = stackcycles.parts(
            graph.functions, lambda f: [c for _, c in self.edges(f)[0]
                                        if not graph.ends(c)],
            notes.recurses)

    def _closes(self):
        """Where calls of scopes' cleanups come back to."""
        elf = self.g.image.elf
        at = {s.name: s.value for s in elf.symbols}
        low, high = (at.get(f'__al_closes_{n}', 0) for n in ('start', 'end'))
        return {elf.word(a) & ~1 for a in range(low, high, 4)}

    # -- what a function calls ---------------------------------------------

    def _holes(self):
        """Of each function that calls back: how deep below its entry."""
        out = {}
        for f in self.notes.callbacks.values():
            deepest, seen, work = None, set(), [(0, f)]
            while work:
                at, g = work.pop()
                if g.addr in seen:
                    continue
                seen.add(g.addr)
                if g.indirect and not self.notes.calls.get(g.addr):
                    self.notes.calls[g.addr] = []
                    self.notes.excused.add(g.addr)
                    deepest = max([deepest or 0] + [
                        at + (g.own if base else d)
                        for d, base in g.indirect.values()])
                work += [(at + d, c) for d, c, _, _ in self.g.calls(g)
                         if c is not None and not self.g.ends(c)]
            if deepest is not None:
                out[f.addr] = deepest
        return out

    def stated(self, f):
        """Functions that calls through pointers in f are stated to reach, with
        what stands in front of them: AL_CALLBACK's veneers, alula-as's stubs of
        precompiled ones. None: nothing is stated."""
        found = self.notes.calls.get(f.addr)
        stubs = (self.g.image.by_name.get('__al_checked_' + c.name)
                 for c in found or [])
        return found and found + [s for s in stubs if s] + [
            v for v in self.g.taken(f) if v.name.startswith('al_callback_')
            and any(c in found for _, c, _, _ in self.g.calls(v))]

    def named(self, f):
        """Functions whose addresses f has in its code, or that it registers by
        what it calls, if nobody states which: one of them is what a scope in it
        closes by, or what it has called back."""
        if f.addr in self.notes.calls:
            return self.stated(f)
        if f.addr not in self.taken:
            found = self.g.taken(f)
            for _, callee, _, _ in self.g.calls(f):
                if callee is not None:
                    found += self.notes.scopes.get(callee.addr, [])
            self.taken[f.addr] = found
        return self.taken[f.addr]

    def edges(self, f):
        """([(where, callee)], [sentence])."""
        if f.addr not in self.edge_memo:
            self.edge_memo[f.addr] = self._edges(f)
        return self.edge_memo[f.addr]

    def _edges(self, f):
        out, wrong = [], []
        lower = self.notes.variable.get(f.addr, 0)
        for d, callee, a, target in self.g.calls(f):
            d += lower if f.calls[a][1] else 0
            if callee is None:
                if isinstance(target, int) and 0 < target < EXC_RETURN:
                    wrong.append(f'{f.name} jumps into code of no name at '
                                 f'{a:#x}')
                continue
            out.append((d, callee))
            if callee.addr in self.holes:
                below = d + self.holes[callee.addr]
                named = self.named(f)
                out += [(below, c) for c in named]
                if not named:
                    wrong.append(f'{f.name} has {callee.name} call back at '
                                 f'{a:#x}: ' + SUGGEST.format(
                                     'CALLS', f'calls {f.name} ...'))
        stated = self.stated(f)
        for a, (d, base) in sorted(f.indirect.items()):
            d = f.own + lower + max(d, 0) if base else d
            targets = stated
            if stated is None and self.g.image.insns[a].next in self.closes:
                targets = self.named(f) or None
            if targets is None:
                wrong.append(
                    f'{f.name} calls through a pointer at {a:#x}: '
                    + SUGGEST.format('CALLS', f'calls {f.name} ...'))
            out += [(d, t) for t in targets or []]
        return out, wrong + self._frame(f)

    def _frame(self, f):
        """What is wrong with the function's own frame."""
        r = self.g.record(f)
        if r is not None and r.form == STATED:
            return []
        if f.lost:
            a, text = min(f.lost.items())
            return [f'{f.name} at {a:#x}: {text}']
        if f.variable and f.addr not in self.notes.variable:
            return [f'{f.name} has a frame of variable size: '
                    + SUGGEST.format('VARIABLE', f'variable {f.name} ...')]
        return []

    def own(self, f):
        r = self.g.record(f)
        own = max(r.own, f.own) if r is not None and r.form == STATED else (
            f.own)
        return own + max([0] + [f.later(b) for b in f.low if b]) \
            + self.notes.variable.get(f.addr, 0)

    def reached(self, f):
        """All functions that f leads to, itself among them."""
        seen, work = {}, [f]
        while work:
            g = work.pop()
            if g.addr not in seen:
                seen[g.addr] = g
                work += [c for _, c in self.edges(g)[0]
                         if not self.g.ends(c)]
        return seen.values()

    # -- depths ------------------------------------------------------------

    def of(self, f, cut=frozenset(), kernel=False):
        """Found of f. cut: recursive functions whose number is counted
        already; kernel: below an entry, where only checks need."""
        part = self.parts.get(f.addr, frozenset())
        key = (f.addr, cut & part, kernel, self.switch)
        if key not in self.memo:
            self.memo[key] = self._of(f, part, cut & part, kernel)
        return self.memo[key]

    def _of(self, f, part, cut, kernel):
        times = self.notes.recurses.get(f.addr)
        if times is None or f.addr in cut or f.addr not in part:
            return self._once(f, part, cut, kernel)
        once = self._once(f, part, cut | {f.addr}, kernel)
        found, rounds = Found(), (times - 1) * once.back.get(f.addr, 0)
        found.need, found.depth = once.need + rounds, once.depth + rounds
        found.need_by, found.depth_by = once.need_by, once.depth_by
        found.back = {a: n + rounds for a, n in once.back.items()
                      if a != f.addr}
        found.open = once.open
        return found

    def _once(self, f, part, cut, kernel):
        edges, wrong = self.edges(f)
        kernel = kernel or self.g.kernel_entry(f) and any(
            self.g.form(c) == INTERNAL for _, c in edges)
        found = Found()
        found.depth = self.own(f)
        found.need = f.check.covers if f.check and self.g.checked(f) else (
            0 if kernel else found.depth)
        if f.variable and not kernel:
            found.need = max(found.need, found.depth)
        if f.addr in self.loops:
            wrong = wrong + [self.loops[f.addr]]
        opened = set(wrong)
        for at, callee in edges:
            if callee.addr in cut:
                found.back[callee.addr] = max(
                    at, found.back.get(callee.addr, 0))
            elif not (callee.addr in part and f.addr in self.loops
                      and stackcycles.later(self.loops, f, callee)):
                self._add(found, opened, at, callee, cut, kernel)
        stated = self.notes.uses.get(f.addr, self.g.bound(f))
        if stated is not None and self.g.record(f) is None:
            opened = set()
            if found.depth < stated:
                found.depth, found.depth_by = stated, None
            if found.need < stated:
                found.need, found.need_by = stated, None
        found.open = frozenset(opened)
        return found

    def _add(self, found, opened, at, callee, cut, kernel):
        if self.g.ends(callee):
            if self.g.checked(callee) and callee.check:
                self._deepen(found, at, callee, callee.check.covers)
            if callee.name == SWITCH and at + self.switch > found.depth:
                found.depth = at + self.switch
                found.depth_by = (at, callee), Found()
            return
        below = self.of(callee, cut, kernel)
        opened |= below.open
        for a, n in below.back.items():
            found.back[a] = max(at + n, found.back.get(a, 0))
        self._deepen(found, at, callee, below.need, below)
        if at + below.depth > found.depth:
            found.depth, found.depth_by = at + below.depth, (
                (at, callee), below)

    @staticmethod
    def _deepen(found, at, callee, need, below=None):
        if at + need > found.need and need > 0:
            found.need = at + need
            found.need_by = ((at, callee), below or Found())

