# SPDX-License-Identifier: MIT
"""What one Thumb-2 instruction does to sp and to values derived from it.

Values and state are spvalue's; loads and stores are in spmemory.
"""
from spmemory import Memory
from spvalue import CALLER_SAVED, M32, aligned, number

NO_DEST = set('cmp cmn tst teq nop bkpt svc cps cpsid cpsie dsb dmb isb pld '
              'pli msr vmsr vcmp vcmpe wfi wfe sev yield clrex it udf cbz '
              'cbnz b bl tbb tbh dbg vpush'.split())
TWO_DEST = set('umull smull umlal smlal umaal ldrexd mrrc smlald smlsld '
               'smlalbb smlalbt smlaltb smlaltt smlaldx smlsldx'.split())
MAX_CHAIN = 4


class After:
    """state after the instruction; others: states it may be in instead; jumps:
    where else it may go; stop: it does not run on; called: target of a call."""

    def __init__(self, state):
        self.state, self.jumps, self.stop, self.called = state, [], False, None
        self.others = []


class Step(Memory):
    def __init__(self, image, f, i, state):
        self.image, self.f, self.i = image, f, i
        self.s = state.copy()
        self.after = After(self.s)

    def run(self):
        i = self.i
        for group in (self.flow, self.memory, self.compute):
            if group(i, i.mn, i.ops):
                break
        return self.after

    # -- sp and pc ---------------------------------------------------------

    def set_sp(self, value):
        s, f, i = self.s, self.f, self.i
        if value and value[0] == 'm':
            first, *rest = sorted(value[1], key=repr)
            for place in rest:
                other = Step(self.image, f, i, s)
                other.set_sp(('s',) + place)
                self.after.others.append(other.s)
            value = ('s',) + first
        if not value or value[0] != 's':
            value = ('s', ('?', i.addr), 0)
            f.lost[i.addr] = 'sets sp to a value that is not known'
        if value[1] in s.fresh:
            f.variable.setdefault(i.addr, set()).add(value[1])
            f.lowered_from.setdefault(i.addr, set()).add(s.sp)
            s.fresh -= {value[1]}
        s.sp = value[1:]
        if s.sp[0] == 0 and s.sp[1] > 0:
            f.odd[i.addr] = f'raises sp {s.sp[1]} bytes above its entry'
        f.lower(s.sp)

    def set(self, reg, value):
        if reg == 'sp':
            self.set_sp(value)
        elif reg == 'pc':
            self.set_pc(value)
        else:
            if reg == 'r9':
                self.write_r9()
            self.s.put(reg, value)

    def write_r9(self):
        check = self.f.check
        if not (check and check.addr <= self.i.addr < check.end):
            if self.i.addr not in self.f.r9_writes:
                self.f.r9_writes.append(self.i.addr)

    def set_pc(self, value, loaded=False):
        """A jump to a value: return, known address, or anywhere."""
        s, f, a = self.s, self.f, self.after
        a.stop = True
        if value == ('lr',) or loaded and value is None:
            f.returns = True
            if s.sp != (0, 0):
                f.odd[self.i.addr] = (
                    'returns with sp not at its entry value')
        elif value and value[0] == 'k':
            a.jumps.append(value[1] & ~1)
        elif value and value[0] == 'sym':
            a.jumps.append(value[1])
        else:
            f.sites.append(s)
            if s.sp == (0, 0):
                f.indirect[self.i.addr] = (0, 0)
                f.returns = True

    # -- calls and branches ------------------------------------------------

    def branch_target(self):
        i, elf = self.i, self.image.elf
        if i.addr in elf.relocs:
            sym = elf.symbols[elf.relocs[i.addr][1]]
            if not sym.defined:
                return sym.name
            return (sym.value & ~1) + i.target - i.addr
        return i.target

    def flow(self, i, mn, ops):
        s, f, a = self.s, self.f, self.after
        if mn in ('b', 'cbz', 'cbnz'):
            a.jumps.append(self.branch_target())
            a.stop = mn == 'b' and (not i.cond or i.in_it)
        elif mn == 'bl':
            self.call(self.branch_target())
        elif mn == 'blx':
            v = s.get(ops[0])
            if v and v[0] in ('k', 'sym'):
                self.call(v[1] & ~1 if v[0] == 'k' else v[1])
            else:
                f.indirect[i.addr] = (-s.sp[1], s.sp[0])
                self.call(None)
        elif mn == 'bx':
            v = s.get(ops[0])
            self.set_pc(('lr',) if ops[0] == 'lr' and v is None else v)
        elif mn in ('tbb', 'tbh'):
            self.table(1 if mn == 'tbb' else 2)
        elif mn == 'udf':
            a.stop = True
        else:
            return False
        return True

    def call(self, target):
        s, f = self.s, self.f
        if target is not None:
            f.calls[self.i.addr] = (-s.sp[1], s.sp[0], target, False)
            self.after.called = target
        f.sites.append(s.copy())
        f.passes(self.i.addr, s)
        for r in CALLER_SAVED:
            s.regs.pop(r, None)

    def table(self, width):
        """Targets of tbb, tbh. The table ends where code begins, or at its
        lowest target, or after as many entries as the index was compared to."""
        i, elf, f = self.i, self.image.elf, self.f
        base = i.next
        at, first, most = base, None, self.index_limit()
        while (first is None or at < first) and (
                at & ~1) not in self.image.insns and (
                    most is None or at - base < most * width):
            b = elf.read(at, width)
            target = base + 2 * int.from_bytes(b or b'', 'little')
            if target <= at:
                break                      # padding behind the table
            at += width
            if target in self.image.insns and (
                    target < f.end or f.end <= f.addr):
                self.after.jumps.append(target)
                first = min(first or target, target)
        self.after.stop = True
        if not self.after.jumps:
            f.lost[i.addr] = 'a table of jumps that cannot be read'

    def index_limit(self):
        """n of `cmp index, #n-1; bhi` shortly before, or None."""
        index = self.i.ops[0].strip('[]').split(',')[1].strip()
        a, insns, compared = self.i.addr, self.image.insns, False
        for _ in range(8):
            a = next((b for b in (a - 2, a - 4) if b in insns
                      and insns[b].next == a), None)
            if a is None or a in self.image.targets:
                return None
            i = insns[a]
            compared |= i.mn == 'b' and i.cond == 'hi'
            if i.mn == 'cmp' and i.ops[0] == index:
                n = i.imm(1)
                return n + 1 if compared and n is not None else None
            if i.ops and i.ops[0] == index:
                return None
        return None

    # -- computation -----------------------------------------------------------

    def add(self, a, n):
        if a is None or n is None:
            return None
        if a[0] == 's':
            return ('s', a[1], a[2] + n)
        return ('k', a[1] + n & M32) if a[0] == 'k' else None

    def operand(self, ops):
        """The last operand with its shift: a value or None."""
        if not ops:
            return None
        if ops[0].startswith('#'):
            return ('k', number(ops[0]) & M32)
        v = self.s.get(ops[0])
        if len(ops) > 1:
            kind, _, n = ops[1].partition(' #')
            if v and v[0] == 'k' and kind in ('lsl', 'lsr') and n.isdigit():
                return ('k', (v[1] << int(n) if kind == 'lsl'
                              else v[1] >> int(n)) & M32)
            return None
        return v

    def compute(self, i, mn, ops):
        if mn in NO_DEST or not ops or mn.startswith('it'):
            return True
        two = mn in TWO_DEST or mn == 'vmov' and len(ops) > 2
        if two:
            for r in ops[:2]:
                self.set(r, None)
            return True
        rd = ops[0]
        three = len(ops) > 2 and not ops[2].startswith(
            ('lsl', 'lsr', 'asr', 'ror', 'rrx'))
        a = self.s.get(ops[1] if three and mn != 'bfc' else rd)
        if three and ops[1] == 'pc':
            a = ('k', (i.addr + 4) & ~3)
        b = self.operand(ops[2:] if three else ops[1:])
        self.set(rd, self.result(i, mn, a, b))
        return True

    def result(self, i, mn, a, b):
        if mn in ('mov', 'movw', 'cpy'):
            return b
        if mn == 'mvn':
            return ('k', ~b[1] & M32) if b and b[0] == 'k' else None
        n = b[1] if b and b[0] == 'k' else None
        if mn in ('add', 'addw', 'adr'):
            if n is None and a and a[0] == 'k' and b and b[0] == 's':
                a, n = b, a[1]
            return self.add(a, n - (1 << 32) if n is not None and n >> 31
                            and a and a[0] == 's' else n) or self.unknown_add(
                                a, b)
        if mn in ('sub', 'subw'):
            if a and b and a[0] == b[0] == 's' and a[1] == b[1]:
                return ('k', a[2] - b[2] & M32)
            if a and a[0] == 's':
                if n is None:
                    return self.lowered(a)
                self.f.by_register |= not i.ops[-1].startswith('#')
            return self.add(a, None if n is None else -n if n >> 31 == 0
                            or a and a[0] == 'k' else (1 << 32) - n)
        if mn == 'rsb' and a and a[0] == 'k' and n is not None:
            return ('k', n - a[1] & M32)
        return self.bits(mn, a, n)

    def unknown_add(self, a, b):
        """sp plus something unknown: a negated size, as far as one can see."""
        for v in (a, b):
            if v and v[0] == 's' and self.i.ops[0] == 'sp':
                return self.lowered(v)
        return None

    def lowered(self, a):
        """An address an unknown amount below `a`: a new base, named by this
        instruction and by those that made the base of `a`, so that the scopes
        of nested arrays stay apart."""
        chain = a[1][1:] if a[1] and a[1][0] == 'v' else ()
        base = a[1] if self.i.addr in chain else (
            ('v',) + chain[-MAX_CHAIN + 1:] + (self.i.addr,))
        self.s.fresh |= {base}
        return ('s', base, 0)

    def bits(self, mn, a, n):
        if a is None:
            return None
        if mn == 'bfc' and a[0] == 's':
            lsb, width = number(self.i.ops[1]), number(self.i.ops[2])
            return self.align(a, 1 << width) if lsb == 0 else None
        if n is None:
            return None
        if a[0] == 's':
            if mn == 'bic' and n & n + 1 == 0:
                return self.align(a, n + 1)
            if mn == 'and' and -n & M32 and (-n & M32) & (-n & M32) - 1 == 0:
                return self.align(a, -n & M32)
            return ('sh', a[1], a[2], n) if mn == 'lsr' else None
        if a[0] == 'sh':
            return self.align(('s', a[1], a[2]), 1 << n) \
                if mn == 'lsl' and n == a[3] else None
        if a[0] != 'k':
            return None
        k = a[1]
        value = {'lsl': k << n if n < 64 else 0, 'lsr': k >> n, 'and': k & n,
                 'orr': k | n, 'eor': k ^ n, 'bic': k & ~n,
                 'mul': k * n, 'movt': (k & 0xffff) | n << 16}.get(mn)
        return None if value is None else ('k', value & M32)

    def align(self, a, n):
        """An address that sp has not taken yet and that was lowered by an
        unknown amount stays what it is: its place was unknown before."""
        if a[1] in self.s.fresh:
            return a
        return aligned(a, n)


def step(image, f, i, state):
    return Step(image, f, i, state).run()

