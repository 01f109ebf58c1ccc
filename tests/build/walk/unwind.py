# SPDX-License-Identifier: MIT
"""What an object's unwind tables say, in a form that survives inserted code.

Per function: the unwind instructions, and for each call the landing pad that
covers it, both counted in calls from the function's start.
"""
import struct


def _prel31(elf, at):
    """The address that a place-relative word names."""
    raw = elf.read(at, 4)
    value, = struct.unpack('<I', raw)
    offset = (value & 0x7fffffff) - ((value & 0x40000000) << 1)
    if at in elf.relocs:
        sym = elf.symbols[elf.relocs[at][1]]
        return sym.name if not sym.defined else sym.value + offset
    return at + offset


def _uleb(data, at):
    n = shift = 0
    while True:
        byte = data[at]
        n |= (byte & 0x7f) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return n, at


def _call_sites(data):
    """[(start, length, landing pad)] of a C function's LSDA."""
    if data[0] != 0xff:
        raise ValueError('landing pads relative to another address')
    at = 2
    if data[1] != 0xff:
        _, at = _uleb(data, 2)
    if data[at] != 1:
        raise ValueError('call sites not in uleb128')
    size, at = _uleb(data, at + 1)
    end, out = at + size, []
    while at < end:
        row = []
        for _ in range(4):
            n, at = _uleb(data, at)
            row.append(n)
        out.append(tuple(row[:3]))
    return out


def tables(image):
    """function -> (unwind bytes, [landing pad of each call])."""
    elf, out = image.elf, {}
    for s in elf.sections:
        if not s.name.startswith('.ARM.exidx'):
            continue
        for at in range(s.addr, s.end, 8):
            start = _prel31(elf, at) & ~1
            f = image.functions.get(start)
            if f is None:
                raise ValueError(f'{s.name}: an entry for no function')
            out[f.name] = _entry(image, f, at + 4)
    return out


def _entry(image, f, at):
    elf = image.elf
    word, = struct.unpack('<I', elf.read(at, 4))
    if at not in elf.relocs:
        return word, []
    tab = _prel31(elf, at)
    head, = struct.unpack('<I', elf.read(tab, 4))
    if tab not in elf.relocs:                      # compact: no landing pads
        n = (head >> 16 & 0xff) if head >> 24 & 15 else 0
        return elf.read(tab, 4 + 4 * n).hex(), []
    count = elf.read(tab + 4, 4)[3]
    section = elf.section_at(tab)
    lsda = section.data[tab - section.addr + 8 + 4 * count:]
    calls = [a for a in range(f.addr, f.end, 2) if a in image.insns
             and image.insns[a].mn in ('bl', 'blx')]
    pads = []
    for a in calls:
        back = image.insns[a].next - 1 - f.addr    # inside the call
        pad = next((p for start, size, p in _call_sites(lsda)
                    if start <= back < start + size), None)
        pads.append(pad and sum(c < f.addr + pad for c in calls))
    return _prel31(elf, tab), elf.read(tab + 4, 4 + 4 * count).hex(), pads
