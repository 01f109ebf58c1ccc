# SPDX-License-Identifier: MIT
"""Recognize the stack check at a function's entry (forms: alula-as).

A form is accepted only whole and exactly as the contract has it; anything
else is no check.
"""
SMALL, LARGE, IP_FREE = 1, 2, 3
SLACK = 64


class Check:
    """form 1..3; covers: deepest frame that cannot reach below the floor
    once the check has let it pass; size in bytes; end: address after it."""

    def __init__(self, form, covers, addr, end):
        self.form, self.covers = form, covers
        self.addr, self.end, self.size = addr, end, end - addr


class _Reader:
    def __init__(self, insns, addr):
        self.insns, self.addr = insns, addr

    def take(self, mn, *ops):
        """The next instruction if it is this one (None: any operand)."""
        i = self.insns.get(self.addr)
        if i is None or i.mn != mn or len(i.ops) != len(ops):
            return None
        if any(o is not None and o != p for o, p in zip(ops, i.ops)):
            return None
        self.addr = i.next
        return i

    def trap(self, number):
        it = self.take('it', 'cc')
        svc = it and self.take('svc', None)
        return bool(svc and svc.cond == 'cc' and
                    svc.ops[0].lstrip('#') == str(number))


def parse(insns, addr):
    for reader in (_small, _large, _ip_free):
        r = _Reader(insns, addr)
        found = reader(r)
        if found is not None:
            form, covers = found
            return Check(form, covers, addr, r.addr)
    return None


def _small(r):
    if r.take('cmp', 'sp', 'r9') and r.trap(1):
        return SMALL, SLACK
    return None


def _large(r):
    low = r.take('movw', 'r12', None) or r.take('mov', 'r12', None)
    if low:
        n = low.imm(1)
        high = r.take('movt', 'r12', None)
        n = (n & 0xffff) + (high.imm(1) << 16) if high else n
        ok = r.take('sub', 'r12', 'sp', 'r12')
    else:
        ok = r.take('sub', 'r12', 'sp', None) or r.take(
            'subw', 'r12', 'sp', None)
        n = ok.imm(2) if ok else None
    if not ok or n is None:
        return None
    if r.take('cmp', 'r12', 'r9') and r.trap(2):
        return LARGE, n + SLACK
    return None


def _ip_free(r):
    up = _sum(r, 'add')
    if not up or not r.take('cmp', 'sp', 'r9'):
        return None
    if _sum(r, 'sub') != up or not r.trap(3):
        return None
    return IP_FREE, up + SLACK


def _sum(r, mn):
    """A constant in several encodable steps."""
    total = 0
    while True:
        i = r.take(mn, 'r9', 'r9', None) or r.take(mn + 'w', 'r9', 'r9', None)
        if i is None or i.imm(2) is None:
            return total
        total += i.imm(2)
