# SPDX-License-Identifier: MIT
"""What an object's unwind tables say, in a form that survives inserted code.

Per function: the unwind instructions, in which a popped r3 is padding (alula-as
makes it so), and for each call the landing pad that covers it, both counted in
calls from the function's start.
"""
import struct

import ehabi


def tables(image):
    """function -> (unwind instructions, [landing pad of each call])."""
    elf, out = image.elf, {}
    for start, second in ehabi.index(elf):
        f = image.functions.get(start)
        if f is None:
            raise ValueError('an unwind entry for no function')
        entry = ehabi.generic(elf, second)
        if entry is None:
            out[f.name] = _short(elf, second), []
            continue
        tab, code, lsda = entry
        calls = [a for a in range(f.addr, f.end, 2) if a in image.insns
                 and image.insns[a].mn in ('bl', 'blx')]
        out[f.name] = (ehabi.prel31(elf, tab), _moves(_bytes(code)[1:]),
                       _pads(image, f, calls, ehabi.call_sites(lsda)))
    return out


def _short(elf, second):
    """An entry without personality routine: inline, or a compact table."""
    if second not in elf.relocs:
        code = _bytes(elf.read(second, 4))
        return _moves(code[1:]) if code[0] >> 7 else code.hex()
    tab = ehabi.prel31(elf, second)
    head = elf.read(tab, 4)
    code = _bytes(elf.read(tab, 4 + 4 * (head[2] if head[3] & 15 else 0)))
    return _moves(code[2:] if head[3] & 15 else code[1:])


def _bytes(words):
    """Unwind instructions begin at a word's most significant byte."""
    n = len(words) // 4
    return struct.pack(f'>{n}I', *struct.unpack(f'<{n}I', words))


def _moves(code):
    """[words that sp moves by, or the bytes of another instruction]."""
    out, at = [], 0
    while at < len(code) and code[at] != 0xb0:
        op, n = code[at], 1
        if op & 0xf0 == 0x80 or op in (0xb1, 0xb3, 0xc9):
            n = 2
        elif op == 0xb2:
            n = 2 + next(k for k, b in enumerate(code[at + 1:]) if b < 0x80)
        step = code[at:at + n]
        words = 1 if step == b'\xb1\x08' else op + 1 if op < 0x40 else None
        if words is None:
            out.append(step.hex())
        elif out and isinstance(out[-1], int):
            out[-1] += words
        else:
            out.append(words)
        at += n
    return out


def _pads(image, f, calls, sites):
    pads = []
    for a in calls:
        back = image.insns[a].next - 1 - f.addr    # inside the call
        pad = next((p for start, size, p in sites
                    if start <= back < start + size), None)
        pads.append(pad and sum(c < f.addr + pad for c in calls))
    return pads
