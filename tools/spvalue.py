# SPDX-License-Identifier: MIT
"""Values that a register or a slot of the frame may hold, and their state.

Values: ('k', n) constant; ('s', base, off) address off from a base, where base
0 is the entry sp and any other base is named by the instructions that lowered
sp by an unknown amount; ('m', {(base, off), ...}) one of these; ('sh', base,
off, n) such an address shifted right by n; ('lr',) the return address; ('sym',
name) an address still to be linked; None unknown.
"""
CALLER_SAVED = ('r0', 'r1', 'r2', 'r3', 'r12', 'lr')
M32 = 0xffffffff
MAX_EITHER = 8


def places(value):
    """The addresses that a value may be, as (base, off)."""
    if value[0] == 's':
        return frozenset([value[1:]])
    return value[1] if value[0] == 'm' else frozenset()


class State:
    __slots__ = ('sp', 'regs', 'slots', 'fresh')

    def __init__(self, sp, regs, slots, fresh):
        self.sp, self.regs, self.slots = sp, regs, slots
        self.fresh = fresh     # bases computed that sp has not taken yet

    @staticmethod
    def entry():
        return State((0, 0), {'lr': ('lr',)}, {}, frozenset())

    def copy(self):
        return State(self.sp, dict(self.regs), dict(self.slots), self.fresh)

    def merged(self, other):
        def both(a, b):
            out = {k: v for k, v in a.items() if b.get(k) == v}
            for k in a.keys() & b.keys() - out.keys():
                either = places(a[k]) | places(b[k])
                if places(a[k]) and places(b[k]) and len(either) <= MAX_EITHER:
                    out[k] = ('m', either)
            return out
        return State(self.sp, both(self.regs, other.regs),
                     both(self.slots, other.slots), self.fresh | other.fresh)

    def same(self, other):
        return (self.regs == other.regs and self.slots == other.slots
                and self.fresh == other.fresh)

    def loses(self, other):
        """Would a merge lose a place that sp may be restored to?"""
        new = self.merged(other)
        return any(places(v) and k not in d for d, e in (
            (new.regs, self.regs), (new.slots, self.slots))
            for k, v in e.items())

    def after_call(self):
        s = self.copy()
        for r in CALLER_SAVED:
            s.regs.pop(r, None)
        return s

    def get(self, reg):
        return ('s',) + self.sp if reg == 'sp' else self.regs.get(reg)

    def put(self, reg, value):
        if value is None:
            self.regs.pop(reg, None)
        else:
            self.regs[reg] = value


def aligned(value, n):
    """The lowest that `value` can be after its low bits below n are cleared;
    every base is a multiple of 8."""
    off = value[2]
    if n <= 8:
        return ('s', value[1], off - off % n)
    return ('s', value[1], off - off % 8 - (n - 8))


def number(text):
    if text is None or not text.startswith('#'):
        return None
    try:
        return int(text[1:], 0)
    except ValueError:
        return None
