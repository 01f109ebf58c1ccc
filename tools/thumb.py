# SPDX-License-Identifier: MIT
"""Instructions of an Arm ELF, as objdump prints them, in a form to compute on.

Every executable section is disassembled as Thumb, whether or not it has
symbols; mapping symbols ($d) decide what is data. IT blocks are followed here,
so that an instruction knows its condition. Addresses are those of elffile.
"""
import re
import subprocess

import elffile

OBJDUMP = 'arm-none-eabi-objdump'
CONDS = 'eq ne cs cc mi pl vs vc hi ls ge lt gt le al'.split()
INVERSE = dict(zip(CONDS, 'ne eq cc cs pl mi vc vs ls hi lt ge le gt al'
                   .split()))
SFLAG = set('add sub mov mvn lsl lsr asr and orr eor bic neg rsb mul adc sbc '
            'ror orn rrx'.split())
ALIASES = {'sb': 'r9', 'sl': 'r10', 'fp': 'r11', 'ip': 'r12'}
ALIAS = re.compile(r'\b(?:sb|sl|fp|ip)\b(?!>)')
LINE = re.compile(r'^ *([0-9a-f]+):\t([0-9a-f ]+?) *\t([^\t]+)(?:\t(.*))?$')
HEAD = re.compile(r'^Disassembly of section (.*):$')


class Insn:
    """mn: mnemonic without width, condition and flag suffixes; ops: operand
    texts; cond: '' or a condition; cond_branch mnemonics become 'b'."""
    __slots__ = ('addr', 'size', 'raw', 'text', 'mn', 'cond', 'in_it',
                 'sets', 'ops', 'target')

    @property
    def next(self):
        return self.addr + self.size

    def imm(self, i):
        """Operand i as a number, or None."""
        if i < len(self.ops) and self.ops[i].startswith('#'):
            try:
                return int(self.ops[i][1:], 0)
            except ValueError:
                return None
        return None


def split_operands(text):
    """Split at commas outside brackets and braces; drop objdump's comment."""
    text = re.split(r'\s*(?:[;@]|//)', text, maxsplit=1)[0].strip()
    text = ALIAS.sub(lambda m: ALIASES[m.group()], text)
    out, level, cur = [], 0, ''
    for ch in text:
        level += ch in '[{'
        level -= ch in ']}'
        if ch == ',' and level == 0:
            out.append(cur.strip())
            cur = ''
        else:
            cur += ch
    return out + [cur.strip()] if cur.strip() else out


def _decode(addr, raw, text, operands, it):
    i = Insn()
    i.addr, i.raw, i.text = addr, raw, f'{text} {operands}'.strip()
    i.size = 2 * len(raw)
    i.ops = split_operands(operands)
    i.cond, i.in_it, i.sets, i.target = '', False, False, None
    mn = text.split('.')[0]
    if it:
        i.cond, i.in_it = it, True
        if mn.endswith(it):
            mn = mn[:-2]
    elif mn[0] == 'b' and mn[1:] in CONDS:
        mn, i.cond = 'b', mn[1:]
    if mn[:-1] in SFLAG and mn.endswith('s'):
        mn, i.sets = mn[:-1], True
    i.mn = mn
    if mn in ('b', 'bl', 'cbz', 'cbnz'):
        i.target = addr + 4 + branch_offset(raw)
    return i


def branch_offset(raw):
    """The distance that a direct branch encodes (objdump's text is wrong for
    branches that are still to be linked)."""
    h = raw[0]
    if h >> 12 == 0xb:                              # cbz, cbnz
        return (h >> 9 & 1) << 6 | (h >> 3 & 31) << 1
    if h >> 12 == 0xd:
        return _signed((h & 0xff) << 1, 9)
    if len(raw) == 1:
        return _signed((h & 0x7ff) << 1, 12)
    low = raw[1]
    s, j1, j2 = h >> 10 & 1, low >> 13 & 1, low >> 11 & 1
    if low >> 12 & 1:                               # b, bl: 25 bits
        n = (s << 24 | (j1 ^ s ^ 1) << 23 | (j2 ^ s ^ 1) << 22
             | (h & 0x3ff) << 12 | (low & 0x7ff) << 1)
        return _signed(n, 25)
    n = s << 20 | j2 << 19 | j1 << 18 | (h & 0x3f) << 12 | (low & 0x7ff) << 1
    return _signed(n, 21)


def _signed(n, bits):
    return n - (1 << bits) if n >> bits - 1 & 1 else n


def disassemble(elf):
    """All instructions by address, of executable sections in order."""
    code = [s for s in elf.sections if s.executable and s.size]
    if not code:
        return {}
    run = subprocess.run(
        [OBJDUMP, '-d', '-z', '-w', '-M', 'force-thumb', elf.path],
        capture_output=True, text=True, errors='replace')
    if run.returncode:
        raise elffile.ElfError(f'{elf.path}: objdump: {run.stderr.strip()}')
    insns, base, it, queue = {}, 0, [], list(code)
    for line in run.stdout.splitlines():
        m = LINE.match(line)
        if not m:
            h = HEAD.match(line)
            while h and queue:
                s = queue.pop(0)
                if s.name == h.group(1):
                    base, it = (s.addr if elf.relocatable else 0), []
                    break
            continue
        text = m.group(3).strip()
        if text.startswith('.') or '<UNDEFINED>' in line:
            continue
        raw = tuple(int(h, 16) for h in m.group(2).split())
        cond = it.pop(0) if it else ''
        i = _decode(base + int(m.group(1), 16), raw, text, m.group(4) or '',
                    cond)
        if re.fullmatch('it[te]{0,3}', i.mn) and i.ops:
            first = i.ops[0]
            first = {'hs': 'cs', 'lo': 'cc'}.get(first, first)
            it = [first] + [first if c == 't' else INVERSE[first]
                            for c in i.mn[2:]]
        insns[i.addr] = i
    return insns


def regs_in(listtext):
    """Register names of '{r0, r4-r7}' or '{d8-d9}'."""
    out = []
    for part in listtext.strip('{}^ ').split(','):
        part = part.strip()
        m = re.fullmatch(r'([rsd])(\d+)-[rsd](\d+)', part)
        if m:
            out += [f'{m.group(1)}{n}'
                    for n in range(int(m.group(2)), int(m.group(3)) + 1)]
        elif part:
            out.append(part)
    return out
