# SPDX-License-Identifier: MIT
"""Read the unwind tables of an Arm ELF: .ARM.exidx, .ARM.extab, C's LSDA.

Objects and images alike. What is not a table of C functions (another
personality, another encoding) has no landing pads here; damage raises ElfError.
"""
import struct

from elffile import ElfError


def prel31(elf, at):
    """The address (or undefined symbol) that a place-relative word names."""
    raw = elf.read(at, 4)
    if raw is None:
        raise ElfError(f'{elf.path}: an unwind table ends early')
    value, = struct.unpack('<I', raw)
    offset = (value & 0x7fffffff) - ((value & 0x40000000) << 1)
    if at in elf.relocs:
        sym = elf.symbols[elf.relocs[at][1]]
        return sym.name if not sym.defined else sym.value + offset
    return at + offset


def index(elf):
    """Yield (function address, address of the entry's second word)."""
    for s in elf.sections:
        if s.name.startswith('.ARM.exidx'):
            for at in range(s.addr, s.end - 7, 8):
                start = prel31(elf, at)
                if isinstance(start, int):
                    yield start & ~1, at + 4


def generic(elf, second):
    """(table address, unwind bytes, LSDA) of an entry with a personality
    routine of its own, or None: inline, compact, or cannot unwind."""
    word, = struct.unpack('<I', elf.read(second, 4))
    linked = second not in elf.relocs
    if linked and (word == 1 or word >> 31):
        return None
    tab = prel31(elf, second)
    head = elf.read(tab, 8) if isinstance(tab, int) else None
    if head is None:
        raise ElfError(f'{elf.path}: an unwind entry names no table')
    if struct.unpack('<I', head[:4])[0] >> 31 and tab not in elf.relocs:
        return None
    count = head[7]
    section = elf.section_at(tab)
    return (tab, elf.read(tab + 4, 4 + 4 * count),
            section.data[tab - section.addr + 8 + 4 * count:])


def _uleb(data, at):
    n = shift = 0
    while True:
        byte = data[at]
        n |= (byte & 0x7f) << shift
        shift, at = shift + 7, at + 1
        if byte < 0x80:
            return n, at


def call_sites(lsda):
    """[(start, length, landing pad)], relative to the function; 0: no pad."""
    try:
        if lsda[0] != 0xff:            # pads relative to another address
            return []
        at = 2
        if lsda[1] != 0xff:
            _, at = _uleb(lsda, 2)
        if lsda[at] != 1:              # not in uleb128
            return []
        size, at = _uleb(lsda, at + 1)
        end, out = at + size, []
        while at < end:
            row = []
            for _ in range(4):
                n, at = _uleb(lsda, at)
                row.append(n)
            out.append(tuple(row[:3]))
        return out
    except IndexError:
        return []


def landing_pads(elf):
    """function address -> [(start, end, landing pad)], all addresses."""
    out = {}
    for start, second in index(elf):
        entry = generic(elf, second)
        if entry is not None:
            pads = [(start + s, start + s + n, start + p)
                    for s, n, p in call_sites(entry[2]) if p]
            if pads:
                out[start] = pads
    return out
