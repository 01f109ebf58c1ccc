# SPDX-License-Identifier: MIT
"""What alula-stack found out about an image's stacks: as text, as data for
JSON, as one HTML page whose call trees unfold."""
import html

from irqstack import BELOW_FLOOR
from stackgraph import path_text

STYLE = '''body{font:14px/1.5 sans-serif;margin:2em;max-width:70em}
table{border-collapse:collapse}td,th{padding:.1em .8em;text-align:right}
td:first-child,th:first-child{text-align:left}details{margin-left:1.2em}
summary{font-family:monospace}.leaf{margin-left:2.4em;font-family:monospace}
.bad{color:#b00}.way{font-weight:bold}'''
MOST = 4000                  # lines of one tree


def text(image):
    """Lines."""
    t = image.tasks
    yield (f'{image.name}: of each stack {t.reserve} bytes are the kernel\'s '
           f'reserve, {t.below_floor} the cleanups\' and statistics\'')
    yield f'{"task":16} {"stack":>6} {"needs":>6} {"spare":>6}  deepest way'
    for r in t.rows:
        least = '>=' if r.open else ''
        yield (f'{r.name:16} {r.stack_bytes:6} {least + str(r.needs):>6} '
               f'{r.stack_bytes - r.needs:6}  {path_text(r.path)}')
    for r in t.rows:
        for sentence in r.open:
            yield (f'{r.name}: no bound{" (run-time checks suffice)" if r.runtime else ""}'
                   f': {sentence}')
    if image.irq.levels:
        yield (f'{"interrupt level":16} {"depth":>6} {"frame":>6}'
               '         handlers')
    for x in image.irq.levels:
        names = ', '.join(f'{n} {d}' for d, n in x.handlers)
        yield f'{x.name:16} {x.depth:6} {x.frame:6}         {names}'
    if image.irq.levels:
        yield (f'interrupt stack: {image.irq.total} bytes nested, '
               f'{BELOW_FLOOR} of them to spare; it has {image.irq.room}')
    for name, sentences in image.irq.open.items():
        for s in sentences:
            yield f'{name}: as far as it is known: {s}'


def _path(path):
    return [{'function': n, 'at': d} for n, d in path]


def data(image):
    """For JSON."""
    t = image.tasks
    return {
        'image': image.name, 'reserve': t.reserve,
        'below_floor': t.below_floor, 'errors': image.errors,
        'tasks': [{
            'name': r.name, 'prio': r.prio, 'stack': r.stack_bytes,
            'needs': r.needs, 'bounded': not r.open, 'state': r.state,
            'runtime': r.runtime, 'depth': r.depth, 'arguments': r.args,
            'thread_local': r.tls, 'path': _path(r.path),
            'deepest': _path(r.deepest), 'open': r.open} for r in t.rows],
        'interrupts': {
            'needs': image.irq.total, 'stack': image.irq.room,
            'levels': [{'level': x.name, 'depth': x.depth, 'frame': x.frame,
                        'handlers': [{'name': n, 'depth': d}
                                     for d, n in x.handlers]}
                       for x in image.irq.levels],
            'open': image.irq.open}}


class Page:
    """The HTML page. A function's calls are unfolded once in a tree."""

    def __init__(self, image):
        self.image, self.needs = image, image.needs
        self.out, self.lines = [], 0

    def put(self, line):
        self.out.append(line)

    def page(self):
        name = html.escape(self.image.name)
        self.put(f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8">'
                 f'<title>Stacks of {name}</title><style>{STYLE}</style>'
                 f'<h1>Stacks of {name}</h1>')
        self.put('<pre>' + html.escape('\n'.join(text(self.image))) + '</pre>')
        for e in self.image.errors:
            self.put(f'<p class="bad">{html.escape(e)}')
        self.put('<p>Behind a function: where its entry lies below the task\'s '
                 'first byte; bytes of its own frame; all that it needs from '
                 'there on. The deepest way is bold.')
        for r in self.image.tasks.rows:
            self.put(f'<h2>task {html.escape(r.name)}: {r.needs} of '
                     f'{r.stack_bytes}</h2>')
            self.root(r.entry)
        for x in self.image.irq.levels:
            for _, n in x.handlers:
                f = self.needs.g.image.by_name.get(n)
                if f is not None:
                    self.put(f'<h2>interrupt {html.escape(n)}</h2>')
                    self.root(f)
        return '\n'.join(self.out) + '\n'

    def root(self, f):
        self.lines, self.seen = 0, set()
        self.node(f, 0, True, 0)

    def node(self, f, at, way, level):
        found = self.needs.of(f)
        label = html.escape(f'{f.name}  at {at}, own {f.own}, needs '
                            f'{found.need}')
        edges = [e for e in self.needs.edges(f)[0] if not self.needs.g.ends(
            e[1])]
        kind = ' class="way"' if way else ''
        self.lines += 1
        if not edges or f.addr in self.seen or self.lines > MOST:
            more = ' (see above)' if edges and f.addr in self.seen else ''
            self.put(f'<div class="leaf"><span{kind}>{label}{more}</span>'
                     '</div>')
            return
        self.seen.add(f.addr)
        self.put(f'<details{" open" if way else ""}><summary{kind}>{label}'
                 '</summary>')
        for sentence in sorted(self.needs.edges(f)[1]):
            self.put(f'<div class="leaf bad">{html.escape(sentence)}</div>')
        deepest = found.need_by[0] if found.need_by else None
        for d, c in sorted(edges, key=lambda e: -(e[0] + self.needs.of(
                e[1]).need)):
            self.node(c, at + d, way and deepest == (d, c), level + 1)
        self.put('</details>')
