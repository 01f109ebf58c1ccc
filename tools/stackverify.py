# SPDX-License-Identifier: MIT
"""Verify the stack checks of an image: records, code and calls must agree."""
import varcheck
from stackgraph import (FORM, INTERNAL, IP_FREE, LARGE, NONE, SLACK, SMALL,
                        RAW, STATED, Unbounded, path_text)

WAY_OUT = ('compile it with the target\'s flags, so that it is checked, or '
           'state its depth in a bounds file')
RAW_WAY_OUT = ('no limit protects what it calls, so that it may call the '
               'inline al_irq_raw_ functions only; define it by AL_IRQ to '
               'call others')


class Verify:
    """exact: also a variable frame's check that is too strict is an error; it
    is safe, and alula-as may take the largest later part of a function."""

    def __init__(self, graph, exact=False):
        self.g, self.errors, self.exact = graph, [], exact
        self.named = graph.precompiled()

    def run(self):
        for _, f in sorted(self.g.functions.items()):
            record = self.g.record(f)
            if record is None:
                self.unmarked(f)
            else:
                self.marked(f, record)
        if not (self.g.image.insns or self.g.image.elf.relocatable):
            self.errors.append('there is no code in it')
        return self.errors

    def error(self, f, text):
        self.errors.append(f'{self.g.where(f)}: {text}')

    def way_out(self, f):
        """What to do about an unchecked function; with its depth, if the walk
        finds it."""
        try:
            return f'{WAY_OUT} ("{f.name} {self.g.depth(f)[0]}")'
        except Unbounded:
            return WAY_OUT

    def unmarked(self, f):
        moves = f.own or f.variable or any(
            'sp' in p for p in f.problems.values())
        if moves and f.addr not in self.named:
            what = f'{f.own} bytes' if f.own else 'sp'
            self.error(f, f'moves {what}, but alula-as never saw it and no '
                          f'bounds file names it: {self.way_out(f)}')
        stated = self.g.bound(f)
        if stated is None:
            return
        try:
            true, path = self.g.depth(f)
        except Unbounded:
            return
        if true > stated:
            self.error(f, f'takes {true} bytes of stack, but its stated bound '
                          f'is {stated} ({path_text(path)}): state {true}')

    def marked(self, f, r):
        if r.form not in FORM:
            self.error(f, f'its record has form {r.form}, which is none')
            return
        self.depths(f, r)
        if r.form in (NONE, SMALL, LARGE, IP_FREE):
            self.check(f, r)
            self.calls(f, r)
            for a in f.r9_writes:
                self.error(f, f'writes r9 at {a:#x}; in checked code it holds '
                              'the stack limit: compile with -ffixed-r9')
            return
        if r.form == RAW:
            self.raw(f)
        if f.check:
            self.error(f, 'has a check, but its record says '
                          f'"{FORM[r.form]}"')

    def depths(self, f, r):
        if r.form == STATED:
            if not f.problems and f.own > r.own:
                self.error(f, f'takes {f.own} bytes, but its annotation '
                              f'"@alula: unchecked" says {r.own}')
            return
        for a, text in sorted(f.problems.items()):
            self.error(f, f'{text} (at {a:#x})')
        if f.own != r.own:
            self.error(f, f'takes {f.own} bytes below its entry, but alula-as '
                          f'recorded {r.own}')
        if bool(f.variable) != r.variable:
            self.error(f, 'moves sp by a variable amount' if f.variable else
                       'is recorded as moving sp by a variable amount and '
                       'does not')
        if r.form == INTERNAL:
            return
        for a, bases in sorted(f.variable.items()):
            later = max(self.later(f, b) for b in bases)
            off, wrong = varcheck.exact(self.g.image, f, a, later) or (
                0, None)
            if off is not None and off < 0 and not self.exact:
                wrong = None
            for b, off in f.lowered_from[a]:
                known = self.later(f, b) if b else f.check.covers \
                    if f.check else 0
                if wrong is None and known + off < later:
                    wrong = (f'with a check that can wrap: {known + off} bytes '
                             f'are known to be left, {later} are needed')
            if wrong:
                self.error(f, f'lowers sp by a variable amount at {a:#x} '
                              + wrong)

    def raw(self, f):
        """A raw handler runs with the limit of whatever it interrupted: no
        checked code may run below it. What ends everything may be called."""
        for a, (_, _, target, _) in sorted(f.calls.items()):
            callee = self.g.resolve(target)
            if callee is not None and (
                    self.g.ends(callee) and not self.g.checked(callee) or
                    callee.name.startswith(f.name + '.cold')):
                continue
            name = (self.g.where(callee) if callee else
                    self.g.image.target_name(target))
            self.error(f, f'calls {name} at {a:#x}, but it is a raw interrupt '
                          f'handler: {RAW_WAY_OUT}')
        for a in sorted(f.indirect):
            self.error(f, f'calls through a pointer at {a:#x}, but it is a raw '
                          f'interrupt handler: {RAW_WAY_OUT}')

    def later(self, f, base):
        """The fixed part below a variable one, bounded calls included."""
        return max([f.later(base)] + [
            d + (self.g.bound(c) or 0) for d, b, t, _ in f.calls.values()
            if b == base for c in [self.g.resolve(t)] if c])

    def check(self, f, r):
        form = f.check.form if f.check else NONE
        if form != r.form:
            self.error(f, f'its record says check "{FORM[r.form]}", its code '
                          f'has "{FORM[form]}"')
        if r.effective < r.own:
            self.error(f, f'its record says effective frame {r.effective}, '
                          f'less than its own {r.own}')
        covers = f.check.covers if f.check else 0
        if covers < r.effective and not (
                self.g.kernel_entry(f) and form in (SMALL, NONE)):
            self.error(f, f'its check covers {covers} bytes, its frame takes '
                          f'{r.effective}')
        if form in (LARGE, IP_FREE) and covers > max(
                r.effective, SLACK) + 3:
            self.error(f, f'its check asks for {covers} bytes, its frame takes '
                          f'only {r.effective}')

    def calls(self, f, r):
        if self.g.kernel_entry(f) and self.internal_below(f):
            return                  # the reserve answers for what it calls
        for a, (depth, base, target, _) in sorted(f.calls.items()):
            callee = self.g.resolve(target)
            if callee is None:
                continue            # not linked yet
            form = self.g.form(callee)
            if form in (NONE, SMALL, LARGE, IP_FREE) or self.g.ends(callee):
                continue
            if form == INTERNAL:
                self.error(f, f'calls {self.g.where(callee)} at {a:#x}, which '
                              'is internal to the kernel and not checked: '
                              'call the kernel by its al_ functions')
                continue
            self.bounded_call(f, r, a, depth, base, callee)

    def bounded_call(self, f, r, a, depth, base, callee):
        bound = self.g.bound(callee)
        record = self.g.record(callee)
        if bound is None and record is not None and record.own == 0:
            return
        if bound is None:
            kind = 'is not checked'
            if record is not None:
                kind = f'takes {record.own} bytes unchecked (by annotation)'
            self.error(f, f'calls {self.g.where(callee)} at {a:#x}, which '
                          f'{kind} and has no stated bound: '
                          + self.way_out(callee))
        elif base == 0 and depth + bound > max(
                r.effective, f.check.covers if f.check else 0):
            self.error(f, f'calls {callee.name} (bound {bound}) {depth} bytes '
                          f'deep, but only {r.effective} bytes are checked')

    def internal_below(self, f):
        forms = [self.g.form(c) for c in (
            self.g.resolve(t) for _, _, t, _ in f.calls.values()) if c]
        return INTERNAL in forms or STATED in forms or (
            f.own > SLACK and f.check and f.check.form == SMALL)
