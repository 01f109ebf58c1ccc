#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""alula-audit: every masking instruction is found, sorted, or a failure.

Fails if: a mask hides behind an innocent name, inlining, a missing symbol, a
data directive or a section of its own; a listed function escapes the rule on
names or counts; a restart sets a mask; an empty job counts as success.
"""
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / 'tests/build'))
from check import CLANG, GCC, Checks, build, gcc, link, run  # noqa: E402

AUDIT = ROOT / 'tools/alula-audit'
ASM = '.syntax unified\n.thumb\n.text\n'
START = '''
int work(int);
void _start(void) { for (;;) work(3); }
'''
INNOCENT = 'int work(int n) { return n * 3; }\n'


def fn(name, body, attributes='', glob=True):
    return (f'{f".global {name}" if glob else ""}\n.type {name}, %function\n'
            f'.thumb_func\n{attributes}\n{name}:\n{body}\n.size {name}, '
            f'.-{name}\n')


class Audit:
    def __init__(self, checks, tmp):
        self.c, self.tmp, self.n = checks, tmp, 0

    def run(self, objects, listing='', *flags):
        self.n += 1
        lst = Path(self.tmp) / f'{self.n}.list'
        lst.write_text(listing)
        elf = link(self.tmp, f'audit{self.n}', *objects)
        js = Path(self.tmp) / 'out.json'
        js.unlink(missing_ok=True)
        done = run(AUDIT, '--list', lst, '--json', js, elf, *flags)
        rows = json.loads(js.read_text())['instructions'] \
            if js.exists() else []
        return done, rows

    def expect(self, name, objects, listing, status, rows, says=''):
        """rows: sorted (function, kind) of each instruction found."""
        done, got = self.run(objects, listing)
        text = done.stdout + done.stderr
        got = sorted((r['function'], r['kind'] or '-') for r in got)
        self.c.check(name, done.returncode == status and got == sorted(rows)
                     and says in text, f'status {done.returncode}, {got}: '
                     f'{text}')

    def asm(self, name, text):
        return build(self.tmp, name, ASM + text, suffix='.s')


def planted(a, start, work):
    """Each hidden mask must fail, named or at least located."""
    every = {'cpsid_i': 'cpsid i', 'cpsid_f': 'cpsid f', 'cpsie': 'cpsie i',
             'cpsid_if': 'cpsid if', 'primask': 'msr PRIMASK, r0',
             'basepri': 'msr BASEPRI, r1', 'basepri_max':
             'msr BASEPRI_MAX, r2', 'faultmask': 'msr FAULTMASK, r11',
             'in_it': 'it eq\nmsreq BASEPRI, r3'}
    for name, text in every.items():
        o = a.asm(f'every_{name}', fn('work', f'{text}\nbx lr'))
        a.expect(f'finds_{name}', [start, o], '', 1, [('work', '-')])
    o = a.asm('others', fn('work', 'msr PSP, r0\nmsr CONTROL, r0\nmrs r0, '
                           'BASEPRI\nmsr APSR_nzcvq, r1\nbx lr'))
    a.expect('leaves_other_registers', [start, o], '', 0, [])
    a.expect('clean_image', [start, work], '', 0, [])
    o = gcc(a.tmp, 'inlined', '''
static inline __attribute__((always_inline)) void al_restart_mask(void)
{ __asm volatile("cpsid i"); }
int work(int n) { al_restart_mask(); return n; }
''', '-O2')
    a.expect('inlined', [start, o], 'restart al_restart_mask 1 x\n', 1,
             [('work', '-')])
    o = build(a.tmp, 'clang', '''
int work(int n) { __asm volatile("msr basepri, %0" :: "r"(n)); return n; }
''', '-O2', compiler=CLANG)
    a.expect('clang_object', [start, o], '', 1, [('work', '-')])


def nameless(a, start):
    """Code that no symbol names, behind code or data of a listed function."""
    boot = ('boot boot_all 1 first instructions\n')
    for n, tail in enumerate(('', '.ltorg\n', '.word 1, 2, 3\n')):
        front = a.asm(f'front{n}', fn(
            'boot_all', 'ldr r0, =0x12345678\ncpsie i\nbx lr\n' + tail)
            + fn('work', 'b boot_all'))
        lib = a.asm(f'lib{n}', fn('hidden', 'push {r4, lr}\ncpsid i\n'
                                  'pop {r4, pc}', glob=False)
                    + '.global entry\n.set entry, hidden\n')
        bare = Path(a.tmp) / f'bare{n}.o'
        run('arm-none-eabi-objcopy', '--strip-all', '--remove-section',
            '.ARM.attributes', lib, bare)
        a.expect(f'no_symbols_{n}', [start, front, bare], boot, 1,
                 [('?', '-'), ('boot_all', 'boot')])
        lib2 = Path(a.tmp) / f'unneeded{n}.o'
        run('arm-none-eabi-objcopy', '--strip-unneeded', lib, lib2)
        done, rows = a.run([start, front, lib2], boot)
        kinds = sorted(r['kind'] or '-' for r in rows)
        a.c.check(f'no_local_symbols_{n}', done.returncode == 1 and
                  kinds == ['-', 'boot'], done.stdout)
    o = a.asm('data', fn('work', 'nop\n.hword 0xb672\nbx lr'))
    a.expect('as_data_fallen_into', [start, o], '', 1, [('work', '-')])
    o = a.asm('data2', fn('work', 'b 1f\n.word 7\n1: .hword 0xf380, 0x8811\n'
                          'bx lr'))
    a.expect('as_data_jumped_to', [start, o], '', 1, [('work', '-')])
    o = a.asm('data3', fn('work', '.hword 0xb672, 0x4770'))
    a.expect('as_data_called', [start, o], '', 1, [('work', '-')])
    o = a.asm('pool', fn('work', 'ldr r0, =0xb672b672\nbx lr\n.ltorg'))
    a.expect('literal_is_no_code', [start, o], '', 0, [])
    o = a.asm('ram', '.section .data.fast, "awx"\n' + fn(
        'fast', 'cpsid i\nbx lr') + '.text\n' + fn(
            'work', 'ldr r0, =fast\nbx r0'))
    a.expect('code_in_ram', [start, o], '', 1, [('fast', '-')])
    o = a.asm('own', '.section .lib.code, "ax"\n' + fn(
        'lib', 'cpsid i\nbx lr') + '.text\n' + fn('work', 'b lib'))
    a.expect('section_of_its_own', [start, o], '', 1, [('lib', '-')])


def lists(a, start, work):
    def f(name, *lines):
        return a.asm('listed_' + name, fn(name, '\n'.join(lines) + '\nbx lr')
                     + fn('work', f'b {name}'))
    good = {'boot': ('board_reset', 'cpsid i'), 'restart':
            ('al_recover', 'cpsie i'), 'kernel-stop':
            ('kernel_stop', 'cpsid i'), 'lock': ('al_ceiling_raise',
                                                 'msr BASEPRI_MAX, r0')}
    for kind, (name, insn) in good.items():
        o = f(name, insn)
        a.expect(f'{kind}_listed', [start, o], f'{kind} {name} 1 reason\n', 0,
                 [(name, kind)])
        a.expect(f'{kind}_not_listed', [start, o], '', 1, [(name, '-')],
                 'on no list')
        o = f(name, insn, insn)
        a.expect(f'{kind}_too_many', [start, o], f'{kind} {name} 1 reason\n',
                 1, [(name, '-')] * 2, 'may hold 1')
        o = f('task_enter', insn)
        a.expect(f'{kind}_name_says_nothing', [start, o],
                 f'{kind} task_enter 1 reason\n', 1, [('task_enter', '-')],
                 'name does not say so')
    o = f('HAL_Lock', 'cpsid i', 'cpsie i')
    a.expect('third_party', [start, o], 'third-party HAL_Lock vendor code\n',
             0, [('HAL_Lock', 'third-party')] * 2)
    a.expect('restart_is_no_boot', [start, f('task_restart', 'cpsie i')],
             'boot task_restart 1 x\n', 1, [('task_restart', '-')])
    for name, lines, ok in (
            ('sets', ['cpsid i'], False),
            ('sets_basepri', ['movs r0, #16', 'msr BASEPRI, r0'], False),
            ('unknown', ['msr BASEPRI, r0'], False),
            ('clears', ['movs r0, #0', 'msr BASEPRI, r0'], True),
            ('clears_late', ['mov r3, #0', 'movs r1, #4', 'msr PRIMASK, r3'],
             True),
            ('overwritten', ['movs r0, #0', 'movs r0, #1',
                             'msr PRIMASK, r0'], False),
            ('loaded', ['movs r0, #0', 'ldr r0, [r1]', 'msr PRIMASK, r0'],
             False),
            ('popped', ['movs r0, #0', 'push {r1}', 'pop {r0}',
                        'msr PRIMASK, r0'], False),
            ('called', ['movs r0, #0', 'bl work', 'msr PRIMASK, r0'], False),
            ('conditional', ['it eq', 'moveq r0, #0', 'msr PRIMASK, r0'],
             False),
            ('jumped', ['cbz r1, 1f', 'movs r0, #0', '1: msr PRIMASK, r0'],
             False)):
        kind = 'restart' if ok else '-'
        a.expect(f'restart_{name}', [start, f('task_restart', *lines)],
                 'restart task_restart 2 x\n', 0 if ok else 1,
                 [('task_restart', kind)])
    for name, text in (('kind', 'root f 1 x'), ('count', 'boot f one x'),
                       ('reason', 'boot f 1'),
                       ('twice', 'boot f 1 x\nboot f 1 x')):
        done, _ = a.run([start, work], text + '\n')
        a.c.check(f'bad_list_{name}', done.returncode == 2 and
                  'list:' in done.stderr, done.stderr)
    o = f('irq_lock_ceiling.constprop.0', 'cpsid i')
    a.expect('clone_of_listed', [start, o], 'lock irq_lock_ceiling 1 x\n', 0,
             [('irq_lock_ceiling.constprop.0', 'lock')])


def nothing(a):
    c = a.c
    c.equal('no_image', run(AUDIT).returncode, 2)
    c.equal('missing_file', run(AUDIT, '/nonexistent.elf').returncode, 2)
    c.equal('missing_list', run(AUDIT, '--list', '/nonexistent',
                                '/bin/true').returncode, 2)
    junk = Path(a.tmp) / 'junk.elf'
    junk.write_bytes(b'junk')
    c.equal('not_an_elf', run(AUDIT, junk).returncode, 2)
    c.equal('host_elf', run(AUDIT, '/bin/true').returncode, 2)
    o = gcc(a.tmp, 'nocode', 'int x = 3;\n')
    done, _ = a.run([o, '-Wl,-e,0'], '')
    c.check('no_code', done.returncode == 2 and 'no code' in done.stderr,
            done.stderr)
    default = run(AUDIT, Path(a.tmp) / 'audit1.elf')
    c.equal('default_list', default.returncode, 1)


def main():
    c = Checks()
    with tempfile.TemporaryDirectory() as tmp:
        a = Audit(c, tmp)
        start = build(tmp, 'start', START, '-O1', compiler=GCC)
        work = gcc(tmp, 'work', INNOCENT, '-O1')
        planted(a, start, work)
        nameless(a, start)
        lists(a, start, work)
        nothing(a)
    return c.done()


if __name__ == '__main__':
    sys.exit(main())
