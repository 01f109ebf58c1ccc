# SPDX-License-Identifier: MIT
"""Prove that the check before a variable `sub sp` is exact.

The straight line that leads to the instruction is computed over symbols: each
register is a sum of what registers held at its start and a constant. A check
is `cmp A, B; it lo; svclo #4`. It must trap exactly when the new sp, less the
fixed part that comes later, lies below the floor, so

    A - B  =  new sp - later - (r9 - 64)

and neither side may wrap: A must be what is left of the stack (sp - r9 and a
constant) and B the size, or A and B the two addresses themselves.
"""
from thumb import regs_in

SLACK = 64
M32 = 0xffffffff
LOOK_BACK = 40
FLOW = ('b', 'bl', 'blx', 'bx', 'cbz', 'cbnz', 'tbb', 'tbh')


def linear(*terms):
    """Sum of (symbol or 1, factor); zero terms vanish."""
    out = {}
    for symbol, factor in terms:
        out[symbol] = out.get(symbol, 0) + factor & M32
    return {s: f for s, f in out.items() if f}


def plus(a, b, factor=1):
    return linear(*a.items(), *((s, f * factor) for s, f in b.items()))


class Line:
    """Registers as sums over the straight line before an instruction."""

    def __init__(self, insns, targets, addr, start):
        self.insns, self.regs, self.fresh = insns, {}, 0
        self.popped = {}       # what the last push saved
        self.checks = []       # (A, B) of each trap number 4
        self.compared = None
        for i in self._leading(targets, addr, start):
            self.step(i)

    def _leading(self, targets, addr, start):
        out = []
        while len(out) < LOOK_BACK and addr > start and addr not in targets:
            addr = next((b for b in (addr - 2, addr - 4) if b in self.insns
                         and self.insns[b].next == addr), None)
            if addr is None or self.insns[addr].mn in FLOW:
                break
            out.append(self.insns[addr])
        return reversed(out)

    def get(self, reg):
        return self.regs.setdefault(reg, linear((reg, 1)))

    def unknown(self):
        self.fresh += 1
        return linear((f'?{self.fresh}', 1))

    def operand(self, ops):
        if len(ops) > 1:
            return None                       # shifted
        if ops[0].startswith('#'):
            try:
                return linear((1, int(ops[0][1:], 0)))
            except ValueError:
                return None
        return self.get(ops[0])

    def value(self, i):
        """What a computing instruction leaves in its first operand."""
        ops = i.ops
        if i.in_it or len(ops) < 2:
            return self.unknown()
        if i.mn in ('mov', 'movw'):
            return self.operand(ops[1:]) or self.unknown()
        if i.mn in ('add', 'addw', 'sub', 'subw', 'rsb'):
            three = len(ops) > 2
            a = self.get(ops[1] if three else ops[0])
            b = self.operand(ops[2:] if three else ops[1:])
            if b is None:
                return self.unknown()
            if i.mn == 'rsb':
                return plus(b, a, -1)
            return plus(a, b, -1 if i.mn.startswith('sub') else 1)
        return self.unknown()

    def step(self, i):
        mn, ops = i.mn, i.ops
        if mn == 'cmp' and len(ops) == 2 and not i.in_it:
            self.compared = (self.get(ops[0]), self.operand(ops[1:]))
        elif mn == 'svc':
            if ops[0].lstrip('#') == '4' and i.cond == 'cc' and self.compared:
                self.checks.append(self.compared)
        elif mn in ('push', 'pop', 'vpush', 'vpop'):
            regs = regs_in(ops[-1])
            n = sum(8 if r[0] == 'd' else 4 for r in regs)
            if mn == 'pop':
                for r in regs:
                    self.regs[r] = self.popped.get(r) or self.unknown()
            if mn == 'push':
                self.popped = {r: self.get(r) for r in regs}
            self.regs['sp'] = plus(self.get('sp'), linear(
                (1, n if 'pop' in mn else -n)))
        elif mn.startswith(('str', 'vst', 'stm')) or mn in (
                'nop', 'cmn', 'tst', 'teq', 'msr') or mn.startswith('it'):
            for o in ops:                     # writeback
                if o.endswith('!') or (o.startswith('[') and o is not ops[-1]):
                    self.regs[o.strip('[]!').split(',')[0]] = self.unknown()
        else:
            n = 2 if mn in ('ldrd', 'umull', 'smull', 'vmov') else 1
            v = self.value(i)
            for k, o in enumerate(ops[:n]):
                self.regs[o.rstrip('!')] = v if k == 0 else self.unknown()
        if mn not in ('cmp', 'svc', 'push', 'pop', 'mrs') and (
                i.sets or mn in ('cmn', 'tst', 'teq', 'msr')):
            self.compared = None


def exact(image, f, addr, later):
    """What is wrong with the check before the variable lowering at `addr`:
    (bytes that it lets through too many, or None; a sentence); None when it is
    exact. A negative number: it is safe, and stricter than need be."""
    i = image.insns[addr]
    line = Line(image.insns, image.targets, addr, f.addr)
    old = line.get('sp')
    line.step(i)
    new = line.get('sp')
    r9 = line.get('r9')
    want = plus(plus(new, r9, -1), linear((1, SLACK - later)))
    seen = []
    for a, b in line.checks:
        if b is None:
            continue
        got = plus(a, b, -1)
        if got != want:
            seen.append(plus(got, want, -1))
            continue
        left = plus(plus(old, r9, -1), linear((1, SLACK - later)))
        if a == left or a == new:
            return None
        seen.append({'wraps': 1})
    if not line.checks:
        return None, 'without the check (svc #4) before it'
    off = next((s[1] for s in seen if set(s) == {1}), None)
    if off is not None:
        off = off - (1 << 32) if off >> 31 else off
        return off, (f'with a check that is {abs(off)} bytes too '
                     f'{"lenient" if off > 0 else "strict"}')
    return None, 'with a check (svc #4) that is not the exact one'
