#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Walk sp through every function of an Arm ELF, from the object code alone.

    elfwalk.py ELF        print a table: own depth, form of check, calls

An abstract interpretation of Thumb-2 on the disassembly, written from the
architecture and independent of alula-as, so that the one can check the other.
A value is a constant, an address relative to the entry sp, the return address
or unknown. States are kept apart by sp: paths with different depths never
merge, so conditional pops and shared tails are followed exactly. A variable
`sub sp` opens a new base from which depth is counted on from zero.

Landing pads are entered with the sp of the calls that they cover; other code
that nothing reaches (computed goto, pads for faults) with each sp at a call.

Not here: what the depths mean (alula-stack).
"""
import collections
import sys

import entrycheck
from elfimage import Code
from elffile import ElfError
from sparith import step
from spvalue import State

NORETURN = {'_Unwind_Resume', '__cxa_end_cleanup', 'abort', '_exit', 'exit',
            '__assert_func', '__cxa_throw', '__cxa_rethrow', 'longjmp',
            '__wrap_abort', '__wrap_exit', '__wrap__exit',
            '__wrap___assert_func'}
MAX_DEPTHS = 64


class Image(Code):
    """An ELF whose functions walk() measures."""

    def __init__(self, path):
        super().__init__(path)
        self.noreturn = set()

    def walk(self):
        for f in self.functions.values():
            Walker(self, f).run()
        for _ in range(4):             # until the set of dead ends is stable
            dead = {a for a, f in self.functions.items() if not f.returns}
            dead = {a for a in dead if not self._jumps_back(a, dead)}
            if dead == self.noreturn:
                break
            changed = dead ^ self.noreturn
            self.noreturn = dead
            for f in self.functions.values():
                if any(t in changed for _, _, t, _ in f.calls.values()):
                    Walker(self, f).run()
        return self

    def _jumps_back(self, addr, dead):
        """A function without a return of its own may still leave by a jump to
        one that returns, or to an unknown place."""
        f = self.functions[addr]
        return bool(f.indirect) or bool(f.problems) or any(
            jump and (t not in dead) and t not in NORETURN
            for _, _, t, jump in f.calls.values())

    def never_returns(self, target):
        return target in NORETURN or target in self.noreturn or (
            self.target_name(target) in NORETURN)


class Walker:
    """The worklist of one function."""

    def __init__(self, image, function):
        self.image, self.f = image, function
        self.states = {}       # (address, sp) -> State
        self.at = collections.defaultdict(set)     # address -> every sp
        self.work, self.weak = [], []
        self.frozen = frozenset()
        self.hopeless = False
        self.consts = {}       # address -> constants that all visits agree on
        self.limits = None     # the same, of the run before

    def run(self):
        """A constant that holds only the first time round a loop must not
        lower sp: where one did, go again with those that held everywhere."""
        f = self.f
        if f.addr not in self.image.insns:
            return
        while True:
            f.clear()
            f.check = entrycheck.parse(self.image.insns, f.addr)
            self.once()
            if self.hopeless or not f.by_register or (
                    self.consts == self.limits):
                return
            self.limits, self.consts, self.states = self.consts, {}, {}
            self.at.clear()

    def once(self):
        f, image = self.f, self.image
        self.push(f.addr, State.entry())
        self.drain()
        inside = [a for a in sorted(image.insns) if f.addr <= a < f.end] \
            if f.end - f.addr > (1 << 16) else [
                a for a in range(f.addr, f.end, 2) if a in image.insns]
        for a in inside:               # computed goto, pads for faults
            if a not in f.seen and f.sites and image.insns[a].mn != 'nop':
                self.frozen = frozenset(f.seen)     # what is known stays so
                for s in self.merged_sites():
                    self.push(a, s)
                self.drain()
        self.frozen = frozenset()

    def merged_sites(self):
        by_sp = {}
        for s in self.f.sites:
            by_sp[s.sp] = by_sp[s.sp].merged(s) if s.sp in by_sp else s
        return [s.after_call() for s in by_sp.values()]

    def push(self, addr, state):
        if addr in self.frozen:
            return
        if self.limits is not None:
            state = state.copy()
        self.agree(addr, state)
        old = self.states.get((addr, state.sp))
        if old is not None:
            new = old.merged(state)
            if new.same(old):
                return
            state = new
        elif len(self.at[addr]) >= MAX_DEPTHS:
            self.f.lost[addr] = 'sp has no bound here (a loop moves it)'
            self.work.clear()      # nothing more can be learnt
            self.weak.clear()
            self.hopeless = True
        if self.hopeless:
            return
        self.states[(addr, state.sp)] = state
        self.at[addr].add(state.sp)
        self.work.append((addr, state.sp))

    def agree(self, addr, state):
        regs = state.regs
        if self.limits is not None:
            allowed = self.limits.get(addr, {})
            for r in [r for r, v in regs.items()
                      if v[0] == 'k' and allowed.get(r) != v]:
                del regs[r]
        mine = {r: v for r, v in regs.items() if v[0] == 'k'}
        old = self.consts.get(addr)
        self.consts[addr] = mine if old is None else {
            r: v for r, v in old.items() if mine.get(r) == v}

    def drain(self):
        while self.work or self.weak:
            if self.work:
                self.visit(*self.work.pop())
                continue
            addr, state = self.weak.pop()
            known = self.at[addr]
            if not known or state.sp in known and (
                    not self.states[(addr, state.sp)].loses(state)):
                self.push(addr, state)

    def visit(self, addr, sp):
        f, state = self.f, self.states[(addr, sp)]
        i = self.image.insns[addr]
        f.seen.add(addr)
        if i.mn.startswith('it') and i.mn.strip('te') == 'i':
            self.it_block(i, state)
            return
        after = step(self.image, f, i, state)
        self.edges(i, state, after)
        for other in after.others:
            self.push(i.next, other)

    def it_block(self, it, state):
        """Both outcomes of the condition, each through the whole block."""
        first = {'hs': 'cs', 'lo': 'cc'}.get(it.ops[0], it.ops[0])
        for taken in (True, False):
            s, addr = state, it.next
            for _ in it.mn[1:]:
                i = self.image.insns.get(addr)
                if i is None:
                    s = None
                    break
                self.f.seen.add(addr)
                if (i.cond == first) == taken:
                    after = step(self.image, self.f, i, s)
                    if after.stop or after.jumps:
                        self.edges(i, s, after)
                        s = None
                        break
                    s = after.state
                addr = i.next
            if s is not None:
                self.push(addr, s)

    def edges(self, i, before, after):
        f, image = self.f, self.image
        for target in after.jumps:
            if isinstance(target, str) or target not in image.insns or (
                    target in image.functions and (target != f.addr
                                                   or before.sp == (0, 0))):
                if target != f.addr:
                    f.calls[i.addr] = (-before.sp[1], before.sp[0], target,
                                       True)
                    f.passes(i.addr, before)
                    if before.sp[0] == 0 and before.sp[1] != 0:
                        f.odd[i.addr] = (
                            f'leaves to {image.target_name(target)} with sp '
                            f'{-before.sp[1]} bytes below entry')
                continue
            self.push(target, after.state)
        if after.stop:
            return
        if i.mn in ('bl', 'blx'):
            for start, end, pad in image.pads.get(f.addr, ()):
                if start <= i.next - 1 < end and pad in image.insns:
                    self.push(pad, after.state)
        target = i.target if i.mn in ('bl', 'blx') else None
        if target is not None and image.never_returns(after.called):
            return
        if i.next in image.functions and i.next != f.addr:
            if i.mn not in ('bl', 'blx', 'nop'):
                f.calls[i.addr] = (-after.state.sp[1], after.state.sp[0],
                                   i.next, True)
        elif i.next not in image.insns:
            if i.mn not in ('bl', 'blx', 'svc', 'nop', 'bkpt'):
                f.odd[i.addr] = 'runs on into data'
        elif i.mn in ('bl', 'blx') and i.next in image.targets:
            self.weak.append((i.next, after.state))
        else:
            self.push(i.next, after.state)


def main(argv):
    if len(argv) != 2 or argv[1].startswith('-'):
        print(__doc__.split('\n\n')[1], file=sys.stderr)
        return 2
    try:
        image = Image(argv[1]).walk()
    except ElfError as e:
        print(f'elfwalk: {e}', file=sys.stderr)
        return 2
    print(f'{"own":>7} {"later":>6} {"check":>12} {"insns":>6}  function')
    for _, f in sorted(image.functions.items()):
        later = max([f.later(b) for b in f.low if b != 0], default=None)
        check = f'{f.check.form}/{f.check.size}' if f.check else '-'
        print(f'{f.own:7} {"-" if later is None else later:>6} {check:>12} '
              f'{len(f.seen):6}  {f.name}')
        for a, (depth, base, target, jump) in sorted(f.calls.items()):
            print(f'{"":36}{a:#x} {"jumps" if jump else "calls"} '
                  f'{image.target_name(target)} at {depth}'
                  f'{" after a variable part" if base else ""}')
        for a, (depth, base) in sorted(f.indirect.items()):
            print(f'{"":36}{a:#x} calls through a pointer at {depth}')
        for a, text in sorted(f.problems.items()):
            print(f'{"":36}{a:#x} {text}')
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))
