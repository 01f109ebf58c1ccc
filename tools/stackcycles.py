# SPDX-License-Identifier: MIT
"""Recursion: which functions call each other in a circle.

parts() finds the strongly connected parts of a call graph, and the circles in
them that no stated number of recursions breaks.
"""


def parts(functions, callees, stated):
    """(address -> frozenset of the addresses of its part, address -> sentence
    where a circle has no stated number). Only functions in circles are there."""
    part = {}
    for group in _groups(functions, callees, lambda f: True):
        if len(group) > 1 or group[0] in callees(group[0]):
            members = frozenset(f.addr for f in group)
            part.update((a, members) for a in members)
    # What is left when the stated ones are taken out.
    loops = {}
    left = {a: f for a, f in functions.items()
            if a in part and a not in stated}
    for group in _groups(left, callees, lambda f: f.addr in left):
        if len(group) > 1 or group[0] in callees(group[0]):
            order = _order(group, callees)
            text = 'recursion: ' + ' -> '.join(
                _circle(group, callees)) + ': AL_STACK_RECURSES() in it ' \
                f'(alula/stack.h), or "recurses {group[0].name} ..." in a ' \
                'file of notes'
            for n, f in enumerate(order):
                loops[f.addr] = Loop(text, n)
    return part, loops


class Loop(str):
    """The sentence, and where in the order of a walk the function comes."""

    def __new__(cls, text, place):
        self = super().__new__(cls, text)
        self.place = place
        return self


def later(loops, f, callee):
    """Does a call lead back in a circle without a number? It is left out, so
    that what is known can be counted."""
    return callee.addr in loops and loops[callee.addr] == loops[f.addr] and (
        loops[callee.addr].place <= loops[f.addr].place)


def _order(group, callees):
    """The group's members in the order of a walk from the first: after it no
    call leads round without one that goes back."""
    members = {f.addr for f in group}
    done, order = set(), []
    for first in group:
        stack = [(first, iter(callees(first)))] if first.addr not in done else []
        done.add(first.addr)
        while stack:
            f, rest = stack[-1]
            g = next((c for c in rest if c.addr in members
                      and c.addr not in done), None)
            if g is None:
                order.append(f)
                stack.pop()
            else:
                done.add(g.addr)
                stack.append((g, iter(callees(g))))
    return order[::-1]


def _circle(group, callees):
    """Names along one circle through the first of the group."""
    first, members = group[0], {f.addr for f in group}
    came, work = {}, [first]
    while work:
        f = work.pop(0)
        for c in callees(f):
            if c.addr == first.addr:
                names = [first.name]
                while f.addr != first.addr:
                    names.append(f.name)
                    f = came[f.addr]
                return names + [first.name] if len(names) == 1 else (
                    [names[0]] + names[:0:-1] + [first.name])
            if c.addr in members and c.addr not in came:
                came[c.addr] = f
                work.append(c)
    return [first.name]


def _groups(functions, callees, inside):
    """Strongly connected parts (Tarjan), without recursion of our own."""
    index, low, on, stack, out = {}, {}, set(), [], []
    for root in functions.values():
        if root.addr in index:
            continue
        work = [(root, None)]
        while work:
            f, rest = work.pop()
            if rest is None:
                index[f.addr] = low[f.addr] = len(index)
                stack.append(f)
                on.add(f.addr)
                rest = iter([c for c in callees(f) if inside(c)])
            for c in rest:
                if c.addr not in index:
                    work += [(f, rest), (c, None)]
                    break
                if c.addr in on:
                    low[f.addr] = min(low[f.addr], index[c.addr])
            else:
                if low[f.addr] == index[f.addr]:
                    group = []
                    while not group or group[-1] is not f:
                        group.append(stack.pop())
                        on.discard(group[-1].addr)
                    out.append(group[::-1])
                if work:
                    up = work[-1][0]
                    low[up.addr] = min(low[up.addr], low[f.addr])
    return out
