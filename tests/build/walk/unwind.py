# SPDX-License-Identifier: MIT
"""What an object's unwind tables say, in a form that survives inserted code.

Per function: the unwind instructions, and for each call the landing pad that
covers it, both counted in calls from the function's start.
"""
import ehabi


def tables(image):
    """function -> (unwind bytes, [landing pad of each call])."""
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
        out[f.name] = (ehabi.prel31(elf, tab), code.hex(),
                       _pads(image, f, calls, ehabi.call_sites(lsda)))
    return out


def _short(elf, second):
    """An entry without personality routine: inline, or a compact table."""
    if second not in elf.relocs:
        return elf.read(second, 4).hex()
    tab = ehabi.prel31(elf, second)
    head = elf.read(tab, 4)
    return elf.read(tab, 4 + 4 * (head[2] if head[3] & 15 else 0)).hex()


def _pads(image, f, calls, sites):
    pads = []
    for a in calls:
        back = image.insns[a].next - 1 - f.addr    # inside the call
        pad = next((p for start, size, p in sites
                    if start <= back < start + size), None)
        pads.append(pad and sum(c < f.addr + pad for c in calls))
    return pads
