# SPDX-License-Identifier: MIT
"""Loads and stores, for sparith: what they do to sp, slots and registers.

Stores through unknown pointers are taken not to reach the slots where a
compiler keeps sp or lr; numbers in memory are never taken for constants.
"""
from spvalue import number
from thumb import regs_in


class Memory:
    """A part of sparith.Step, which has the state and set()."""

    def slot(self, base_value, off):
        if base_value and base_value[0] == 's':
            return (base_value[1], base_value[2] + off)
        return None

    def store(self, key, value, size=4):
        if key is None:
            return
        if key[0] == 0:
            self.f.lower(key)
        for k in [k for k in self.s.slots if k[0] == key[0]
                  and k[1] < key[1] + size and key[1] < k[1] + 4]:
            del self.s.slots[k]
        # A number in memory may be a variable that a pointer reaches.
        if value is not None and value[0] != 'k' and size == 4:
            self.s.slots[key] = value

    def multiple(self, i, mn, ops):
        """push, pop, ldm, stm and their vector forms."""
        load = mn in ('pop', 'vpop') or 'ld' in mn
        vector = mn[0] in 'vf'
        regs = regs_in(ops[-1])
        base = 'sp' if len(ops) == 1 else ops[0].rstrip('!')
        unit = 8 if vector and regs and regs[0][0] == 'd' else 4
        total = unit * len(regs) + (4 if mn.startswith('f') else 0)
        down = mn in ('push', 'vpush') or mn.endswith('db') or (
            mn.endswith(('dbx', 'ea')) and load)
        start = self.s.get(base)
        if start and start[0] == 's':
            low = ('s', start[1], start[2] - (total if down else 0))
            new = ('s', start[1], start[2] + (-total if down else total))
        else:
            low = new = None
        values = {}
        for n, r in enumerate(regs):
            key = self.slot(low, unit * n)
            if not load:
                self.store(key, None if vector else self.s.get(r), unit)
            elif not vector:
                values[r] = self.s.slots.get(key) if key else None
        if len(ops) == 1 or ops[0].endswith('!'):
            self.set(base, new)
        for r, v in values.items():
            if r == 'pc':
                self.set_pc(v, loaded=True)
            else:
                self.set(r, v)

    def memory(self, i, mn, ops):
        if mn in ('push', 'pop', 'vpush', 'vpop') or mn[:3] in (
                'ldm', 'stm') or mn[:4] in ('vldm', 'vstm', 'fldm', 'fstm'):
            self.multiple(i, mn, ops)
            return True
        load, store = mn[:3] in ('ldr', 'vld'), mn[:3] in ('str', 'vst')
        where = next((n for n, o in enumerate(ops) if o.startswith('[')), None)
        if not (load or store) or where is None or mn in (
                'ldrexd', 'strexd'):
            return False
        inner = ops[where].rstrip('!')[1:-1]
        parts = [p.strip() for p in inner.split(',')]
        base = self.s.get(parts[0])
        if parts[0] == 'pc':
            base = ('k', (i.addr + 4) & ~3)
        off = 0 if len(parts) == 1 else number(parts[1])
        post = number(ops[where + 1]) if where + 1 < len(ops) else None
        size = {'strb': 1, 'strh': 2, 'strd': 8, 'ldrd': 8}.get(mn, 4)
        if mn[0] == 'v' and ops[0][:1] == 'd':
            size = 8
        key = self.slot(base, off) if off is not None else None
        if store:
            exclusive = mn.startswith('strex')
            first = 1 if exclusive else 0
            if exclusive:
                self.set(ops[0], None)
            for n, r in enumerate(ops[first:where]):
                k = (key[0], key[1] + 4 * n) if key else None
                word = mn in ('str', 'strd', 'strex')
                self.store(k, self.s.get(r) if word else None,
                           4 if word else size)
        self.writeback(ops[where], parts, base, off, where, ops, post)
        if load and mn[0] == 'l':
            self.loaded(i, mn, ops, where, base, off, key, parts)
        return True

    def writeback(self, operand, parts, base, off, where, ops, post):
        if operand.endswith('!'):
            step_by = off
        elif where + 1 < len(ops):
            step_by = post
        else:
            return
        self.set(parts[0], self.add(base, step_by))

    def loaded(self, i, mn, ops, where, base, off, key, parts):
        if mn not in ('ldr', 'ldrd'):
            for r in ops[:where]:
                self.set(r, None)
            return
        for n, r in enumerate(ops[:where]):
            v = None
            if key is not None:
                v = self.s.slots.get((key[0], key[1] + 4 * n))
            elif base and base[0] == 'k' and off is not None and (
                    parts[0] == 'pc'):
                w = self.image.elf.word(base[1] + off + 4 * n)
                v = ('sym', w) if isinstance(w, str) else w is not None and (
                    'k', w) or None
            if r == 'pc':
                self.word_table(i, parts, base)
                if not self.after.jumps:
                    self.set_pc(v, loaded=parts[0] == 'sp')
            else:
                self.set(r, v)

    def word_table(self, i, parts, base):
        """ldr pc, [table, rN, lsl #2] with a table at a known place."""
        if len(parts) < 3 or not base or base[0] != 'k':
            return
        at = base[1]
        while len(self.after.jumps) < 4096:
            w = self.image.elf.word(at)
            if not isinstance(w, int) or (w & ~1) not in self.image.insns or (
                    not self.f.addr < (w & ~1) < self.f.end):
                break
            self.after.jumps.append(w & ~1)
            at += 4
        self.after.stop = bool(self.after.jumps)
