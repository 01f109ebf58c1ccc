# SPDX-License-Identifier: MIT
"""Are the handlers of an image such, and does the interrupt stack hold them,
all nested?

Handlers of one level do not nest; which level a line has is known at run time
only, so that each handler counts, up to as many as there are levels. The
kernel's own exceptions share the lowest level, where the deepest of them counts.
A handler that is called through pointers, or recurses, counts as far as it is
known: its stack checks answer for the rest.
"""
from stackgraph import NONE, Unbounded

LEVELS = 14                  # ARCH_IRQ_LEVELS
FIRST_LINE = 16              # in the vector table
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


def needed(graph):
    """(bytes, [(function's name, bytes)], frame) of the deepest nesting; None
    when the image has no vector table."""
    vectors = _handlers(graph)
    if not vectors:
        return None
    depths = {}
    for f in vectors.values():
        try:
            depths[_name(f)] = graph.depth(f, whole=True)[0]
        except Unbounded:
            depths[_name(f)] = graph.known(f)
    lines = {_name(f) for n, f in vectors.items() if n >= FIRST_LINE}
    kernel = max((depths[_name(f)], _name(f)) for n, f in vectors.items()
                 if n in KERNEL)
    deepest = sorted(((depths[n], n) for n in lines), reverse=True)[:LEVELS]
    frame = FRAME_FPU if any(i.mn.startswith('v') for i in
                             graph.image.insns.values()) else FRAME
    parts = [(name, depth) for depth, name in [kernel, *deepest]]
    # The lowest one's own frame goes to a task's stack.
    total = sum(d for _, d in parts) + frame * len(deepest) + BELOW_FLOOR
    return total + 7 & ~7, parts, frame


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


def errors(graph):
    """Sentences: plain handlers, and a stack that is too small."""
    return [*plain(graph), *_too_small(graph)]


def _too_small(graph):
    at = {s.name: s.value for s in graph.image.elf.symbols}
    found = needed(graph) if '__al_irq_stack_top' in at else None
    if found is None:
        return []
    total, parts, frame = found
    room = at['__al_irq_stack_top'] - at['__al_irq_stack_low']
    if total <= room:
        return []
    names = ', '.join(f'{n} {d}' for n, d in parts)
    return [f'nested handlers may take {total} bytes of the interrupt stack '
            f'({names}, {frame} for each but the first, {BELOW_FLOOR} to '
            f'spare), which has {room}: set AL_CFG_IRQ_STACK to {total}']
