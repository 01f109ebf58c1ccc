# SPDX-License-Identifier: MIT
"""The tasks of an image and the stack that each needs; its interrupt levels.

A task's stack, from its lowest byte: what statistics keep there and cleanups
may use, the kernel's reserve, what checked code may use, a copy of the task's
arguments, its thread-local variables.
"""
import irqstack
from elffile import ElfError

DEF_BYTES = 36               # struct al_task_def, 9 words
SWITCH = 40                  # struct called_context, without the FPU's
NAME, ENTRY, ARGS_BYTES, STACK_BYTES, PRIO = 1, 2, 4, 6, 7


class Task:
    """One row. needs: all of its stack that it needs; depth: bytes that its
    code stores to, from the top; open: sentences, if it has no bound."""

    def __init__(self, name, entry, prio, stack_bytes):
        self.name, self.entry, self.prio = name, entry, prio
        self.stack_bytes, self.runtime = stack_bytes, False
        self.needs = self.depth = self.args = self.tls = 0
        self.path, self.deepest, self.open = [], [], []

    @property
    def state(self):
        """'ok', 'too small' or 'no bound'."""
        if self.stack_bytes < self.needs:
            return 'too small'
        return 'no bound' if self.open else 'ok'


class Tasks:
    def __init__(self, needs):
        self.needs, self.g = needs, needs.g
        self.elf = self.g.image.elf
        self.at = {s.name.split('.')[0]: s.value for s in self.elf.symbols
                   if s.name}
        for name in ('__al_stack_reserve', '__al_below_floor'):
            if name not in self.at:
                raise ElfError(f'{self.elf.path}: is no image of Alula: it has '
                               f'no symbol {name}')
        self.reserve = self.at['__al_stack_reserve']
        self.below_floor = self.at['__al_below_floor']
        self.rows = [self.task(a) for a in self._definitions()]
        self.rows += [self.made(f, n) for f, n in needs.notes.tasks]
        self._runtime()

    def _definitions(self):
        low, high = (self.at.get(f'__al_taskdefs_{n}', 0)
                     for n in ('low', 'high'))
        out = list(range(low, high, DEF_BYTES))
        return out + ([self.at['idle_def']] if 'idle_def' in self.at else [])

    def _text(self, at):
        out = b''
        while len(out) < 64:
            b = self.elf.read(at + len(out), 1)
            if not b or b == b'\0':
                break
            out += b
        return out.decode('utf-8', 'replace')

    def task(self, at):
        w = [self.elf.word(at + 4 * n) for n in range(DEF_BYTES // 4)]
        entry = self.g.functions.get((w[ENTRY] or 0) & ~1)
        t = Task(self._text(w[NAME]), entry, w[PRIO], w[STACK_BYTES])
        if entry is None:
            raise ElfError(f'{self.elf.path}: the task {t.name} begins in no '
                           'function')
        t.args = w[ARGS_BYTES] + 7 & ~7
        self.measure(t)
        return t

    def made(self, entry, stack_bytes):
        """A task made at run time; its arguments are not known."""
        t = Task(entry.name, entry, None, stack_bytes)
        self.measure(t)
        return t

    def measure(self, t):
        self.needs.switch = SWITCH
        if any(self.g.uses_fpu(f) for f in self.needs.reached(t.entry)):
            self.needs.switch = self.g.image.by_name['arch_switch'].own
        found = self.needs.of(t.entry)
        self.needs.switch = 0
        if t.prio != 0 and 'arch_tls_start' in self.g.image.by_name:
            t.tls = self.at.get('__al_tls_bytes', 0)
        above = t.args + t.tls
        t.needs = (self.below_floor + self.reserve
                   + (found.need + 7 & ~7) + above)
        t.depth = found.depth + above
        t.path = found.path(t.entry.name, 'need')
        t.deepest = found.path(t.entry.name, 'depth')
        t.open = sorted(found.open)

    def _runtime(self):
        rows = {t.name: t for t in self.rows}
        for name, note in self.needs.notes.runtime:
            if name.removesuffix('?') in rows:
                rows[name.removesuffix('?')].runtime = True
            elif not name.endswith('?'):
                self.needs.notes.wrong(note, f'the image has no task {name}')

    def failures(self):
        """Sentences: tasks whose stacks are too small, or without a bound."""
        for t in self.rows:
            if t.runtime:
                continue
            if t.stack_bytes < t.needs:
                yield (f'task {t.name}: its stack has {t.stack_bytes} bytes '
                       f'and needs {"at least " if t.open else ""}{t.needs}')
            for text in t.open:
                yield f'task {t.name}: no bound: {text}'


def levels(graph):
    """Rows of the interrupt stack: see irqstack.needed()."""
    return irqstack.needed(graph)
