#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""alula-order: an image's unwind index gets short, and says what it said.

Functions that are left in four ways stand mixed; linked again in the printed
order they need an entry per way, and each function still has its own unwind
instructions and, where it has one, its own table.
Fails if: the order leaves functions of one way apart, or names none.
"""
import struct
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / 'tests/build'), str(ROOT / 'tools')]
from check import CPU, GCC, Checks, gcc, run  # noqa: E402
import ehabi  # noqa: E402
from elffile import STT_FUNC, Elf  # noqa: E402

# name -> how it is left
SOURCE = 'int ext(int, int);\n' + ''.join(f'''
int leaf{n}(int a) {{ return a + {n}; }}
int keeps{n}(int a, int b) {{ return ext(a, {n}) + a + b; }}
int array{n}(int a) {{ int x[{n} + 9]; return ext((int)x, a) + 1; }}
static void undo{n}(int *a) {{ ext(*a, {n}); }}
int pad{n}(int a)
{{
    int x __attribute__((cleanup(undo{n}))) = a;
    return ext(a, x) + 1;
}}
''' for n in range(6))
SCRIPT = '''SECTIONS
{
    . = 0x08000000;
    .text : { INCLUDE order.ld *(.text .text.*) }
    .ARM.extab : { *(.ARM.extab*) }
    .ARM.exidx : { *(.ARM.exidx*) }
    /DISCARD/ : { *(.eh_frame) *(.note.GNU-stack) }
}
'''


def ways(path):
    """function -> its unwind word, or its table's bytes; entries in all."""
    elf = Elf(str(path))
    entries = sorted(ehabi.index(elf))
    out = {}
    for symbol in elf.symbols:
        if symbol.type == STT_FUNC and symbol.defined:
            start = symbol.value & ~1
            at = max(e for e in entries if e[0] <= start)[1]
            word, = struct.unpack('<I', elf.read(at, 4))
            table = ehabi.generic(elf, at)
            out[symbol.name] = (word if table is None
                                else (table[1], ehabi.call_sites(table[2])))
    return out, len(entries)


def main():
    c = Checks()
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        obj = gcc(tmp, 'mixed', SOURCE, '-O2', '-ffunction-sections',
                  '-fexceptions', '-fno-toplevel-reorder')
        stub = gcc(tmp, 'stub', 'int ext(int a, int b) { return a + b; }\n'
                   'void __gcc_personality_v0(void) {}\n'
                   'void __aeabi_unwind_cpp_pr0(void) {}\n'
                   'void __aeabi_unwind_cpp_pr1(void) {}\n'
                   'void _Unwind_Resume(void) {}\n',
                   '-O2', '-fexceptions', '-ffunction-sections')
        (tmp / 'image.ld').write_text(SCRIPT)

        def link(name, order):
            (tmp / 'order.ld').write_text(order)
            done = run(*GCC, *CPU, '-nostdlib', f'-L{tmp}', '-T',
                       tmp / 'image.ld', '-Wl,-e0',
                       '-Wl,--defsym=al_frame_support=0', '-o', tmp / name,
                       obj, stub)
            c.check(f'{name}_links', done.returncode == 0, done.stderr)
            return ways(tmp / name)

        before, many = link('mixed.elf', '')
        order = run(ROOT / 'tools/alula-order', tmp / 'mixed.elf')
        c.equal('ends_0', (order.returncode, order.stderr), (0, ''))
        after, few = link('ordered.elf', order.stdout)
        c.equal('ways_stay', after, before)
        words = {w for w in after.values() if isinstance(w, int)}
        tables = sum(not isinstance(w, int) for w in after.values())
        c.check('mixed_before', many > few + 10, (many, few))
        # One at the end of the code says that nothing can be left there.
        c.check('one_entry_each', few <= len(words | {1}) + tables + 1,
                (few, len(words), tables))
        again = run(ROOT / 'tools/alula-order', tmp / 'ordered.elf')
        c.equal('stable', again.stdout, order.stdout)
        bad = run(ROOT / 'tools/alula-order', tmp / 'image.ld')
        c.equal('refuses', (bad.returncode, bad.stderr),
                (1, f'alula-order: {tmp}/image.ld: not an ELF file\n'))
    return c.done()


if __name__ == '__main__':
    sys.exit(main())
