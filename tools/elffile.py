# SPDX-License-Identifier: MIT
"""Read a 32-bit little-endian Arm ELF: sections, symbols, relocations, notes.

What the image tools need and no more, with the standard library alone, so
that they run on a fresh machine. A relocatable object gets a made address per
section (index << 28), so that one address always names one place; an image
keeps its own addresses. A file that is not what it should be raises ElfError
with a sentence; no other exception leaves this module.
"""
import struct

SHT_SYMTAB, SHT_NOBITS, SHT_REL, SHT_NOTE = 2, 8, 9, 7
SHF_ALLOC, SHF_EXEC = 2, 4
STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_SECTION = 0, 1, 2, 3
R_ARM_ABS32, R_ARM_PREL31 = 2, 42


class ElfError(Exception):
    """The file cannot be read as the ELF that was asked for."""


class Section:
    def __init__(self, index, name, fields):
        (_, self.type, self.flags, self.addr, self.offset, self.size,
         self.link, self.info, self.align, self.entsize) = fields
        self.index, self.name = index, name
        self.data = b''

    @property
    def end(self):
        return self.addr + self.size

    @property
    def executable(self):
        return bool(self.flags & SHF_EXEC) and bool(self.flags & SHF_ALLOC)


class Symbol:
    def __init__(self, name, value, size, info, shndx):
        self.name, self.value, self.size = name, value, size
        self.type, self.bind, self.shndx = info & 15, info >> 4, shndx

    @property
    def defined(self):
        return self.shndx not in (0, 0xfff1, 0xfff2)

    @property
    def glob(self):
        return self.bind in (1, 2)

    @property
    def mapping(self):
        return self.name[:2] in ('$t', '$d', '$a') and self.name[2:3] in (
            '', '.')


class Elf:
    def __init__(self, path):
        self.path = path
        try:
            with open(path, 'rb') as f:
                self.raw = f.read()
        except OSError as e:
            raise ElfError(f'{path}: {e.strerror}') from e
        try:
            self._parse()
        except (struct.error, IndexError, UnicodeDecodeError) as e:
            raise ElfError(f'{path}: damaged ELF file ({e})') from e

    def _parse(self):
        raw = self.raw
        if raw[:4] != b'\x7fELF':
            raise ElfError(f'{self.path}: not an ELF file')
        if raw[4:6] != b'\x01\x01':
            raise ElfError(f'{self.path}: not a 32-bit little-endian ELF file')
        self.type, machine = struct.unpack_from('<HH', raw, 16)
        if machine != 40:
            raise ElfError(f'{self.path}: not an Arm ELF file')
        self.relocatable = self.type == 1
        shoff, = struct.unpack_from('<I', raw, 32)
        shentsize, shnum, shstrndx = struct.unpack_from('<HHH', raw, 46)
        if shoff == 0 or shnum == 0:
            raise ElfError(f'{self.path}: has no section table')
        heads = [struct.unpack_from('<10I', raw, shoff + i * shentsize)
                 for i in range(shnum)]
        names = raw[heads[shstrndx][4]:][:heads[shstrndx][5]]
        self.sections = []
        for i, h in enumerate(heads):
            s = Section(i, _string(names, h[0]), h)
            if s.type != SHT_NOBITS:
                s.data = raw[s.offset:s.offset + s.size]
                if len(s.data) != s.size:
                    raise ElfError(f'{self.path}: section {s.name} lies '
                                   'outside the file')
            if self.relocatable:
                s.addr = i << 28
            self.sections.append(s)
        self.symbols = []
        for s in self.sections:
            if s.type == SHT_SYMTAB:
                self._symbols(s)
        self.relocs = {}
        for s in self.sections:
            if s.type == SHT_REL and self.relocatable:
                base = self.sections[s.info].addr
                for i in range(0, s.size, 8):
                    off, info = struct.unpack_from('<II', s.data, i)
                    if info & 255:         # else it only names a symbol
                        self.relocs[base + off] = (info & 255, info >> 8)

    def _symbols(self, tab):
        names = self.sections[tab.link].data
        for i in range(0, tab.size, 16):
            n, value, size, info, _, shndx = struct.unpack_from(
                '<IIIBBH', tab.data, i)
            sym = Symbol(_string(names, n), value, size, info, shndx)
            if sym.defined and shndx < len(self.sections):
                if self.relocatable:
                    sym.value += self.sections[shndx].addr
                if sym.type == STT_SECTION:
                    sym.name = self.sections[shndx].name
            self.symbols.append(sym)

    def section(self, name):
        return next((s for s in self.sections if s.name == name), None)

    def section_at(self, addr):
        for s in self.sections:
            if s.flags & SHF_ALLOC and s.addr <= addr < s.end:
                return s
        return None

    def read(self, addr, size):
        """Bytes at `addr`, or None where the file holds none."""
        s = self.section_at(addr)
        if s is None or addr + size > s.end or s.type == SHT_NOBITS:
            return None
        return s.data[addr - s.addr:addr - s.addr + size]

    def word(self, addr):
        """The number at `addr`; a symbol's name where it is still to be
        linked; None where there is nothing."""
        b = self.read(addr, 4)
        if b is None:
            return None
        value, = struct.unpack('<I', b)
        return self._relocated(addr, value)

    def _relocated(self, addr, value):
        if addr not in self.relocs:
            return value
        kind, index = self.relocs[addr]
        sym = self.symbols[index]
        if kind != R_ARM_ABS32:
            return None
        return sym.value + value if sym.defined else sym.name

    def words(self, section):
        """The words of a section that need not be in memory."""
        return [self._relocated(section.addr + i, struct.unpack_from(
            '<I', section.data, i)[0]) for i in range(0, section.size & ~3, 4)]

    def build_id(self):
        """The GNU build id, or None."""
        for s in self.sections:
            if s.type != SHT_NOTE:
                continue
            off = 0
            while off + 12 <= len(s.data):
                n, d, kind = struct.unpack_from('<III', s.data, off)
                start = off + 12 + (n + 3 & ~3)
                if kind == 3 and s.data[off + 12:off + 16] == b'GNU\0':
                    return s.data[start:start + d]
                off = start + (d + 3 & ~3)
        return None


def _string(table, offset):
    end = table.index(b'\0', offset) if b'\0' in table[offset:] else offset
    return table[offset:end].decode('utf-8', 'replace')
