# SPDX-License-Identifier: MIT
"""Are the handlers of an image such, and does the interrupt stack hold them,
all nested?

Handlers of one level do not nest: the deepest counts. Which level a line has is
read off the calls of al_irq_enable(), if every one passes constants; a handler
whose level is not known counts by itself, up to as many as there are levels. The
kernel's own exceptions share the lowest one.
A handler that is called through pointers, or recurses, counts as far as it is
known: its stack checks answer for the rest.
"""
import collections

from stackgraph import NONE

LEVELS = 14                  # ARCH_IRQ_LEVELS
FIRST_LINE = 16              # in the vector table
IRQ_PRIO = 256               # AL_PRIO_IRQ(0)
KERNEL = (11, 14, 15)        # SVC, PendSV, SysTick: one level
FRAME, FRAME_FPU = 36, 108   # an exception's frame, with padding
BELOW_FLOOR = 768            # image.ld: nested exceptions unchecked; recovery


def _name(f):
    return 'unhandled' if 'unhandled' in f.names else f.name


def _handlers(graph):
    """vector's number -> function."""
    image = graph.image
    table = next((s for s in image.elf.symbols if s.name == '__al_vectors'),
                 None)
    out = {}
    for n in range(1, table.size // 4 if table else 0):
        word = image.elf.word(table.value + 4 * n)
        f = graph.functions.get(word & ~1) if isinstance(word, int) else None
        if f is not None:
            out[n] = f
    return out


def lines_by_level(graph):
    """level -> numbers of lines, from the constants that each call of
    al_irq_enable() passes; and whether every call passes such."""
    out, sure = collections.defaultdict(set), True
    enable = graph.image.by_name.get('al_irq_enable')
    for f in graph.functions.values() if enable else ():
        sure = sure and enable not in graph.taken(f)
        for _, callee, a, _ in graph.calls(f):
            if callee is not enable:
                continue
            line, prio = (f.passed.get(a, {}).get(r, {None})
                          for r in ('r0', 'r1'))
            if None in line or None in prio:
                sure = False
            for p in prio - {None}:
                out[p - IRQ_PRIO] |= line - {None}
    return out, sure


class Level:
    """Handlers that do not nest, of which the deepest counts. name: of the
    level, '?' where it is not known; frame: what the processor pushes."""

    def __init__(self, name, handlers, frame):
        self.name, self.frame = name, frame
        self.handlers = sorted(handlers, reverse=True)    # (depth, name)

    @property
    def depth(self):
        return self.handlers[0][0]


class Stack:
    """The interrupt stack: levels, the lowest first; total: bytes that all of
    them take nested; room: bytes that there are; open: sentences."""

    def __init__(self, needs):
        self.needs, self.g = needs, needs.g
        self.open, self.depths = {}, {}
        vectors = _handlers(self.g)
        for n, f in vectors.items():
            found = needs.of(f)
            self.depths[f.addr] = found.depth
            if found.open and (n in KERNEL or n >= FIRST_LINE):
                self.open[_name(f)] = sorted(found.open)
        fpu = any(i.mn.startswith('v') for i in self.g.image.insns.values())
        self.frame = FRAME_FPU if fpu else FRAME
        self.levels = self._levels(vectors) if vectors else []
        self.total = sum(x.depth + x.frame for x in self.levels) + (
            BELOW_FLOOR) + 7 & ~7
        at = {s.name: s.value for s in self.g.image.elf.symbols}
        self.room = at.get('__al_irq_stack_top', 0) - at.get(
            '__al_irq_stack_low', 0)

    def _row(self, f):
        return self.depths[f.addr], _name(f)

    def _levels(self, vectors):
        # The lowest one's own frame goes to a task's stack.
        kernel = Level('kernel', {self._row(f) for n, f in vectors.items()
                                  if n in KERNEL}, 0)
        by_level, sure = lines_by_level(self.g)
        lines = {n - FIRST_LINE: f for n, f in vectors.items()
                 if n >= FIRST_LINE}
        known = {n for ns in by_level.values() for n in ns} if sure else set()
        out = [Level(str(k), {self._row(lines[n]) for n in ns & lines.keys()},
                     self.frame)
               for k, ns in by_level.items() if sure and ns & lines.keys()]
        out += [Level('?', {row}, self.frame) for row in
                {self._row(f) for n, f in lines.items() if n not in known}]
        deepest = sorted(out, key=lambda x: -x.depth)[:LEVELS]
        return [kernel] + sorted(deepest, key=lambda x: (
            x.name == '?', int(x.name) if x.name != '?' else x.depth))


def plain(graph):
    """A sentence for each handler that would be checked against the limit of
    the task that it interrupts."""
    for f in {f.addr: f for f in _handlers(graph).values()}.values():
        calls = [graph.resolve(c[2]) for c in f.calls.values()]
        if graph.checked(f) and (graph.form(f) != NONE or f.indirect or any(
                c is None or graph.checked(c) for c in calls)):
            yield (f'{graph.where(f)}: handles an interrupt as a plain '
                   'function, so that it would be checked against the limit of '
                   'the task that it interrupts: define it by '
                   f'AL_IRQ({f.name})')


def errors(needs):
    """Sentences: plain handlers, and a stack that is too small."""
    return [*plain(needs.g), *_too_small(Stack(needs))]


def _too_small(stack):
    if not stack.levels or stack.room == 0 or stack.total <= stack.room:
        return []
    names = ', '.join(f'{x.handlers[0][1]} {x.depth}' for x in stack.levels)
    return [f'nested handlers may take {stack.total} bytes of the interrupt '
            f'stack ({names}, {stack.frame} for each but the first, '
            f'{BELOW_FLOOR} to spare), which has {stack.room}: set '
            f'AL_CFG_IRQ_STACK to {stack.total}']
