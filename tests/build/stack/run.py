#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""elfwalk and alula-stack: depths found, checks verified, the reserve summed.

Fails if: the walk misses what an instruction does to sp; a check too small, a
wrong record or unmarked code passes; a cycle or a pointer call goes into the
reserve unnoticed. Hand-written checks and records, so that alula-as is not
needed here; tests/build/walk compares the two.
"""
import json
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / 'tests/build'), str(ROOT / 'tools')]
from check import CLANG, CPU, GCC, Checks, build, link, run  # noqa: E402
import elfwalk  # noqa: E402

STACK = ROOT / 'tools/alula-stack'
HEAD = '''
.syntax unified
.thumb
.cpu cortex-m4
.fpu fpv4-sp-d16
.text
.macro record f own eff form
.pushsection .alula.fn, "o", %progbits, .text
.word \\f, \\own, \\eff, \\form
.popsection
.endm
.macro small
cmp sp, r9
it lo
svclo #1
.endm
.macro large n
sub ip, sp, #\\n
cmp ip, r9
it lo
svclo #2
.endm
'''
# Bodies and what they take: (depth of sp below entry, later fixed part or
# None). From the architecture manual, not from any tool.
BODIES = {
    'push': ('push {r4-r7, lr}\npop {r4-r7, pc}', 20, None),
    'push_one': ('str lr, [sp, #-4]!\nldr pc, [sp], #4', 4, None),
    'strd': ('strd r4, lr, [sp, #-16]!\nldrd r4, lr, [sp], #16\nbx lr', 16,
             None),
    'stm': ('stmdb sp!, {r4-r11, lr}\nldmia sp!, {r4-r11, pc}', 36, None),
    'vpush': ('vpush {d8-d10}\nvpush {s16}\nadd sp, #4\nvpop {d8-d10}\nbx lr',
              28, None),
    'vstm': ('vstmdb sp!, {s16-s18}\nvldmia sp!, {s16-s18}\nbx lr', 12, None),
    'sub_imm': ('push {lr}\nsub sp, #508\nsub.w sp, sp, #4096\n'
                'add sp, #508\nadd.w sp, sp, #4096\npop {pc}', 4608, None),
    'subw': ('subw sp, sp, #4095\naddw sp, sp, #4095\nbx lr', 4095, None),
    'by_constant': ('movw r3, #:lower16:80000\nmovt r3, #:upper16:80000\n'
                    'sub sp, sp, r3\nadd sp, r3\nbx lr', 80000, None),
    'by_literal': ('ldr r3, =70000\nsub sp, sp, r3\nldr r2, =70000\n'
                   'add sp, sp, r2\nbx lr\n.ltorg', 70000, None),
    'by_negative': ('ldr r3, =-6000\nadd sp, r3\nmov r3, #6000\nadd sp, r3\n'
                    'bx lr\n.ltorg', 6000, None),
    'frame_pointer': ('push {r7, lr}\nsub sp, #24\nmov r7, sp\nbl ext\n'
                      'adds r7, #24\nmov sp, r7\npop {r7, pc}', 32, None),
    'aligned': ('push {r7, lr}\nmov r7, sp\nsub sp, #40\nmov r3, sp\n'
                'bfc r3, #0, #5\nmov sp, r3\nmov sp, r7\npop {r7, pc}',
                48 + 24, None),
    'aligned_bic': ('mov r7, sp\nsub sp, #12\nmov r3, sp\nbic r3, r3, #15\n'
                    'mov sp, r3\nmov sp, r7\nbx lr', 12 + 4 + 8, None),
    'variable': ('push {r7, lr}\nmov r7, sp\nsub sp, sp, r0\nmov sp, r7\n'
                 'pop {r7, pc}', 8, 0),
    'variable_moved': ('push {r7, lr}\nmov r7, sp\nmov r3, sp\n'
                       'subs r3, r3, r0\nmov sp, r3\nsub sp, #24\nadd sp, '
                       '#24\nmov sp, r7\npop {r7, pc}', 8, 24),
    'variable_loop': ('push {r4, r7, lr}\nsub sp, #4\nmov r7, sp\nmovs r4, #0'
                      '\n1: adds r4, #8\nmov r8, sp\nsub sp, sp, r4\npush '
                      '{r0}\nmov sp, r8\ncmp r4, r0\nbne 1b\nadd sp, #4\n'
                      'pop {r4, r7, pc}', 16, 4),
    'saved_sp': ('push {r7, lr}\nsub sp, #8\nmov r7, sp\nmov r3, sp\n'
                 'str r3, [r7, #4]\nbl ext\nsub sp, #16\nldr r3, [r7, #4]\n'
                 'mov sp, r3\nadd sp, #8\npop {r7, pc}', 32, None),
    'conditional_pop': ('push {r4, lr}\ncmp r0, #0\nitt eq\nmoveq r0, #1\n'
                        'popeq {r4, pc}\nsub sp, #16\nadd sp, #16\n'
                        'pop {r4, pc}', 24, None),
    'conditional_add': ('sub sp, #8\ncmp r0, #1\nite eq\naddeq sp, #4\n'
                        'addne sp, #4\nsub sp, #20\nadd sp, #24\nbx lr', 24,
                        None),
    'conditional_jump': ('push {r4, lr}\ncmp r0, #0\nitt eq\n'
                         'popeq {r4, lr}\nbeq ext\nsub sp, #16\n'
                         'add sp, #16\npop {r4, pc}', 24, None),
    'table': ('push {r4, lr}\ncmp r0, #2\nbhi 3f\ntbb [pc, r0]\n9: .byte '
              '(1f-9b)/2, (2f-9b)/2, (3f-9b)/2, 0\n1: push {r0-r3}\n'
              'add sp, #16\nb 3f\n2: push {r0}\nadd sp, #4\n3: '
              'pop {r4, pc}', 24, None),
    'table_h': ('cmp r0, #1\nbhi 2f\ntbh [pc, r0, lsl #1]\n9: .hword '
                '(1f-9b)/2, (2f-9b)/2\n1: sub sp, #48\nadd sp, #48\n2: bx lr',
                48, None),
    'table_w': ('adr r1, 9f\nldr pc, [r1, r0, lsl #2]\n.align 2\n9: .word '
                '1f+1, 2f+1\n1: sub sp, #40\nadd sp, #40\n2: bx lr', 40, None),
    'computed_goto': ('push {r4, lr}\nmov r1, r0\nmov pc, r1\n'
                      '1: sub sp, #32\nadd sp, #32\npop {r4, pc}', 40, None),
    'landing_pad': ('push {r4, lr}\nbl ext\npop {r4, pc}\nsub sp, #8\n'
                    'bl ext\nb .', 16, None),
    'dead_end': ('cbz r0, 1f\npush {r4, lr}\nbl abort\n1: sub sp, #4\n'
                 'add sp, #4\nbx lr', 8, None),
    'udf': ('push {r4, lr}\nudf #255\npush {r0-r3}\npop {r4, pc}', 8, None),
    'below_sp': ('str r0, [sp, #-12]\nbx lr', 12, None),
    'post_index': ('sub sp, #16\nstr r0, [sp], #8\nldr r0, [sp], #8\nbx lr',
                   16, None),
    'pretend': ('push {r0-r3}\npush {lr}\nsub sp, #12\nadd sp, #12\n'
                'ldr lr, [sp], #4\nadd sp, #16\nbx lr', 32, None),
    'return_by_register': ('push {r4, lr}\npop {r4}\npop {r3}\nbx r3', 8,
                           None),
    'leaf': ('adds r0, #1\nbx lr', 0, None),
    'tail': ('push {r4, lr}\npop {r4, lr}\nb ext', 8, None),
}


def function(name, body, glob=True):
    return (f'{f".global {name}" if glob else ""}\n.type {name}, %function\n'
            f'.thumb_func\n{name}:\n{body}\n.size {name}, .-{name}\n')


def walk(c, tmp):
    text = HEAD + ''.join(function(f'f_{n}', b + '\n.ltorg\n.align 2')
                          for n, (b, _, _) in BODIES.items())
    o = build(tmp, 'bodies', text, suffix='.s')
    e = link(tmp, 'bodies', o, '-Wl,--defsym=ext=0x08100001',
             '-Wl,--defsym=abort=0x08100001', '-Wl,-e,0')
    for kind, path in (('object', o), ('image', e)):
        image = elfwalk.Image(str(path)).walk()
        for n, (_, own, later) in BODIES.items():
            f = image.by_name[f'f_{n}']
            got = max((f.later(b) for b in f.low if b), default=None)
            want_var = later is not None
            c.check(f'walk_{kind}_{n}', (f.own, got, bool(f.variable)) ==
                    (own, later, want_var) and not f.problems,
                    f'own {f.own}, later {got}, {f.problems}; wanted {own}, '
                    f'{later}')
    odd = {'lost': 'ldr r0, [r1]\nmov sp, r0\nbx lr',
           'unbalanced': 'push {r4}\nbx lr', 'raised': 'add sp, #8\nbx lr',
           'loop': '1: push {r0}\nb 1b',
           'leaves': 'push {r4}\nb ext',
           'into_data': 'movs r0, #1\n.word 0\n'}
    o = build(tmp, 'odd', HEAD + ''.join(function(f'f_{n}', b)
                                         for n, b in odd.items()), suffix='.s')
    image = elfwalk.Image(str(o)).walk()
    for n in odd:
        c.check(f'walk_reports_{n}', image.by_name[f'f_{n}'].problems,
                'nothing reported')
    done = run(ROOT / 'tools/elfwalk.py', e)
    c.check('walk_command', done.returncode == 0 and 'f_push' in done.stdout,
            done.stderr)
    c.equal('walk_no_elf', run(ROOT / 'tools/elfwalk.py', __file__).returncode,
            2)


def compiled(c, tmp):
    """Small C functions: the walk equals the compiler's own account, .su,
    where that is known to be right (no variadics, no inline assembly)."""
    source = '''
int ext(void *);
#define F(n) int frame_##n(void) { char b[n]; return ext(b) + 1; }
F(1) F(7) F(8) F(60) F(64) F(68) F(252) F(508) F(1020) F(4092) F(5000) F(65536)
int leaf(int a) { return a + 1; }
int args(int a, int b, int c, int d, int e, int f) { int x[3] = {e, f, a};
    return ext(x) + b + c + d; }
int pass(int a) { return args(a, 1, 2, 3, 4, 5) + 1; }
double soft(double a, double b) { return a * b + ext(0); }
float hard(float a, float b) { return a * b + (float)ext(0) + a; }
int pick(int a) { switch (a) { case 0: return ext(0); case 1: return 3;
    case 2: { int y[4]; return ext(y) + 1; } case 3: return a * 77;
    case 4: return ext(&a); case 5: return 9; } return 1; }
struct big { int v[20]; };
struct big copy(struct big *p) { struct big b = *p; ext(&b); return b; }
int deep(int n) { return n ? deep(n - 1) + ext(&n) : 0; }
'''
    count = 0
    for tool, comp in (('gcc', GCC), ('clang', CLANG)):
        for level in ('-O0', '-O1', '-O2', '-Os', '-O3'):
            name = f'{tool}{level}'
            o = build(tmp, name, source, level, '-ffixed-r9', '-fexceptions',
                      '-fstack-usage', compiler=comp)
            image = elfwalk.Image(str(o)).walk()
            wrong = []
            for line in o.with_suffix('.su').read_text().splitlines():
                where, size, _ = line.rsplit('\t', 2)
                f = image.by_name[where.split(':')[-1]]
                count += 1
                if f.own != int(size) or f.problems:
                    wrong.append((f.name, f.own, int(size), f.problems))
            c.equal(f'compiled_{name}', wrong, [])
    c.check('compiled_count', count >= 200, count)


class Images:
    def __init__(self, checks, tmp):
        self.c, self.tmp, self.n = checks, tmp, 0

    def run(self, text, *flags, bounds=''):
        self.n += 1
        b = Path(self.tmp) / f'{self.n}.bounds'
        b.write_text(bounds)
        o = build(self.tmp, f'i{self.n}', HEAD + text, suffix='.s')
        e = link(self.tmp, f'i{self.n}', o, '-Wl,-e,0',
                 '-Wl,--section-start=.far=0x20100000')
        return run(STACK, '--bounds', b, *flags, e)

    def expect(self, name, text, says='', bounds=''):
        """Passes without `says`; else fails with it in a sentence."""
        d = self.run(text, bounds=bounds)
        good = d.returncode == (1 if says else 0) and says in d.stderr
        if not says:
            good = good and not d.stderr
        self.c.check(name, good, f'status {d.returncode}: {d.stderr}')


def checked(name, size, body, own, form=1, eff=None, check=None):
    """A function with a check for `size` bytes and a record."""
    text = {1: 'small', 2: f'large {size - 64}', 0: '', 5: '', 6: ''}[form & 15]
    return function(name, (text if check is None else check) + '\n' + body) + (
        f'record {name} {own} {own if eff is None else eff} {form}\n')


PUSH = 'push {r4, lr}\npop {r4, pc}'
BIG = 'sub sp, #200\nadd sp, #200\nbx lr'


def verifying(i):
    e = i.expect
    e('small', checked('f', 8, PUSH, 8))
    e('large', checked('f', 200, BIG, 200, 2))
    e('none', checked('f', 0, 'bx lr', 0, 0))
    free = ('add.w r9, r9, #136\ncmp sp, r9\nsub.w r9, r9, #136\nit lo\n'
            'svclo #3')
    e('ip_free', function('f', free + '\n' + BIG) + 'record f 200 200 3\n')
    movw = ('movw ip, #5000-64\nsub ip, sp, ip\ncmp ip, r9\nit lo\nsvclo #2\n'
            'subw sp, sp, #2500\nsubw sp, sp, #2500\naddw sp, sp, #2500\n'
            'addw sp, sp, #2500\nbx lr')
    e('large_by_constant', function('f', movw) + 'record f 5000 5000 2\n')
    e('unmarked', function('f', PUSH), 'alula-as never saw it')
    e('unmarked_without_frame', function('f', 'bx lr'))
    e('unmarked_named', function('memcpy_', PUSH), bounds='memcpy_ 8\n')
    e('bound_too_small', function('memcpy_', PUSH), 'stated bound is 4',
      bounds='memcpy_ 4\n')
    e('bound_below_callee', function('lib', 'push {r4, lr}\nbl g\npop '
                                     '{r4, pc}') + function('g', BIG),
      'takes 208 bytes of stack', bounds='lib 200\n')
    e('closure_of_named', function('lib', 'push {r4, lr}\nbl g\npop {r4, pc}')
      + function('g', BIG), bounds='lib 208\n')
    e('closure_by_pointer', function('lib', 'push {r4, lr}\nldr r0, =g\n'
                                     'ldr r1, [r2]\nblx r1\npop {r4, pc}\n'
                                     '.ltorg') + function('g', BIG),
      bounds='lib 300\n')
    e('record_own_wrong', checked('f', 8, PUSH, 4), 'takes 8 bytes below')
    e('check_missing', function('f', PUSH) + 'record f 8 8 1\n',
      'says check "small"')
    e('check_too_small', checked('f', 192, BIG, 200, 2, eff=200),
      'covers 192')
    e('check_too_large', checked('f', 300, BIG, 200, 2), 'asks for 300')
    e('small_for_large', checked('f', 8, BIG, 200, 1), 'covers 64')
    e('small_for_entry', checked('al_f', 8, BIG, 200, 1))
    e('wrong_svc', function('f', 'cmp sp, r9\nit lo\nsvclo #2\n' + PUSH)
      + 'record f 8 8 1\n', 'its code has "none"')
    e('wrong_condition', function('f', 'cmp sp, r9\nit hi\nsvchi #1\n' + PUSH)
      + 'record f 8 8 1\n', 'its code has "none"')
    e('check_after_store', function('f', 'push {r4}\nsmall\npop {r4}\nbx lr')
      + 'record f 4 4 1\n', 'its code has "none"')
    e('r9_written', checked('f', 8, 'push {r4, lr}\nmov r9, r0\npop {r4, pc}',
                            8), 'writes r9')
    e('r9_popped', checked('f', 8, 'push {r9, lr}\npop {r9, pc}', 8),
      'writes r9')
    e('internal', checked('f', 8, PUSH, 8, 5))
    e('stated', checked('f', 8, PUSH, 8, 6))
    e('stated_too_small', checked('f', 8, PUSH, 4, 6), 'annotation')
    e('stated_unknown', checked('f', 8, 'ldr r0, [r1]\nmov sp, r0\nbx lr', 40,
                                6))
    call = 'push {r4, lr}\nbl {}\npop {r4, pc}'
    lib = function('lib', BIG)
    e('call_unbounded', checked('f', 8, call.replace('{}', 'lib'), 8)
      + lib, 'calls lib')
    e('call_bounded', checked('f', 208, call.replace('{}', 'lib'), 8, 2,
                              eff=208) + lib, bounds='lib 200\n')
    e('call_not_covered', checked('f', 8, call.replace('{}', 'lib'), 8)
      + lib, 'only 8 bytes are checked', bounds='lib 200\n')
    e('call_not_covered_deeper', checked(
        'f', 40, 'push {r4, lr}\nsub sp, #32\nbl lib\nadd sp, #32\n'
        'pop {r4, pc}', 40) + function('lib', PUSH), 'only 40 bytes are checked',
      bounds='lib 32\n')
    e('tail_call_not_covered', checked('f', 0, 'b lib', 0, 0) + lib,
      'only 0 bytes are checked', bounds='lib 200\n')
    e('call_checked', checked('f', 8, call.replace('{}', 'g'), 8)
      + checked('g', 200, BIG, 200, 2))
    e('call_internal', checked('f', 8, call.replace('{}', 'g'), 8)
      + checked('g', 8, PUSH, 8, 5), 'internal to the kernel')
    e('entry_calls_internal', checked('al_f', 8, call.replace('{}', 'g'), 8)
      + checked('g', 8, PUSH, 8, 5))
    e('call_stated', checked('f', 8, call.replace('{}', 'g'), 8)
      + checked('g', 8, PUSH, 8, 6), 'takes 8 bytes unchecked')
    e('call_by_constant', checked('f', 8, 'push {r4, lr}\nldr r3, =lib\n'
                                  'blx r3\npop {r4, pc}\n.ltorg', 8) + lib,
      'calls lib')
    var = ('push {r7, lr}\nmov r7, sp\n%ssub sp, sp, r0\nmov sp, r7\n'
           'pop {r7, pc}')
    trap = 'sub ip, sp, r9\nadd ip, ip, #%d\ncmp ip, r0\nit lo\nsvclo #4\n'
    def v(name, code, says='', body=var, own=8, form=0x41):
        e(name, function('f', 'small\n' + body % code)
          + f'record f {own} {own} {form}\n', says)
    v('variable', trap % 64)
    v('variable_unchecked', '', 'without the check')
    v('variable_unrecorded', trap % 64, 'by a variable amount', form=1)
    v('variable_lenient', trap % 68, '4 bytes too lenient')
    v('variable_strict', trap % 56)
    v('variable_other_size', (trap % 64).replace('r0', 'r1'), 'not the exact')
    v('variable_other_trap', (trap % 64).replace('#4', '#1'), 'without')
    v('variable_inverse', (trap % 64).replace('lo', 'hi'), 'without')
    v('variable_flags_lost', (trap % 64).replace('it', 'adds r1, #1\nit'),
      'without')
    v('variable_size_changed', trap % 64 + 'adds r0, #8\n', 'too lenient')
    v('variable_wraps', 'subs ip, sp, r0\nsubs ip, ip, r9\nadd ip, #64\n'
      'movs r1, #0\ncmp ip, r1\nit lo\nsvclo #4\n', 'not the exact')
    v('variable_pushed', 'push {r1}\nsub r1, sp, r9\nadd r1, r1, #68\n'
      'cmp r1, r0\npop {r1}\nit lo\nsvclo #4\n', own=12)
    later = var.replace('mov sp, r7', 'sub sp, #24\nadd sp, #24\nmov sp, r7')
    v('variable_later', trap % 40, body=later)
    v('variable_later_missed', trap % 64, 'too lenient', body=later)
    later = later.replace('24', '80')
    v('variable_later_wraps', (trap % 0).replace(
        'add ip, ip, #0', 'sub ip, ip, #16'), 'can wrap', body=later)
    new = ('push {r7, lr}\nmov r7, sp\nsub r0, sp, r0\n%s\nmov sp, r0\n'
           'mov sp, r7\npop {r7, pc}')
    v('variable_by_address', 'sub.w ip, r9, #64\ncmp r0, ip\nit lo\n'
      'svclo #4\n', body=new)
    v('variable_by_size', 'sub ip, sp, r9\nadd ip, ip, #64\n'
      'sub r0, sp, r0\ncmp ip, r0\nsub.w r0, sp, r0\nit lo\nsvclo #4\n',
      body=new)
    e('bad_form', checked('f', 8, PUSH, 8).replace('8 8 1', '8 8 9'),
      'has form 9')
    e('veneer', checked('f', 8, call.replace('{}', 'far'), 8)
      + '.section .far, "ax"\n.thumb\n' + function('far', BIG), 'calls far')
    d = i.run(checked('f', 8, call.replace('{}', 'g'), 8)
              + checked('g', 200, BIG, 200, 2), '--table')
    i.c.check('table', '200' in d.stdout and 'large' in d.stdout, d.stdout)


def reserving(i):
    def need(name, text, want, *flags, says='', bounds=''):
        js, sym = Path(i.tmp) / 'r.json', Path(i.tmp) / 'r.ld'
        js.unlink(missing_ok=True)
        sym.unlink(missing_ok=True)
        d = i.run(text, '--reserve', '--context', '100', '--json', js,
                  '--symbol-file', sym, *flags, bounds=bounds)
        if want is None:
            i.c.check(name, d.returncode == 1 and says in d.stderr
                      and not js.exists() and not d.stdout, d.stderr)
            return
        r = json.loads(js.read_text()) if js.exists() else {}
        path = [(p['function'], p['depth']) for p in r.get('path', [])]
        i.c.check(name, d.returncode == 0 and d.stdout.strip() == str(
            want[0] + 100) and r['reserve'] == want[0] + 100 and
            path == want[1] and sym.read_text() ==
            f'__al_stack_reserve = {want[0] + 100};\n',
            f'{d.stdout} {d.stderr} {path}')

    def k(name, own, *calls, form=5):
        body = f'push {{r4, lr}}\nsub sp, #{own - 8}\n' + ''.join(
            f'bl {t}\n' for t in calls) + f'add sp, #{own - 8}\npop {{r4, pc}}'
        return checked(name, 0, body, own, form)
    api = checked('al_f', 0, 'push {r4, lr}\nbl a\npop {r4, pc}', 8)
    need('sum', api + k('a', 40, 'b', 'c') + k('b', 16) + k('c', 64),
         (48, [('al_f', 0), ('a', 8), ('c', 48)]))
    need('within_slack', checked('al_f', 0, PUSH, 8), (0, [('al_f', 0)]))
    need('no_check_no_slack', checked('al_f', 0, 'b a', 0, 0) + k('a', 40),
         (40, [('al_f', 0), ('a', 0)]))
    need('stops_at_checked', api + k('a', 40, 'g', form=5)
         + checked('g', 400, 'sub sp, #400\nadd sp, #400\nbx lr', 400, 2),
         (0, [('al_f', 0), ('a', 8)]))
    need('recursion', api + k('a', 40, 'b') + k('b', 16, 'a'), None,
         says='a -> b -> a')
    icall = checked('a', 0, 'push {r4, lr}\nblx r3\npop {r4, pc}', 8, 5)
    need('indirect', api + icall, None, says='calls through a pointer')
    need('indirect_named', api + icall + k('b', 80) + k('d', 96),
         (48, [('al_f', 0), ('a', 8), ('d', 16)]), '--indirect', 'a=b,d')
    need('indirect_checked', api + icall, (0, [('al_f', 0), ('a', 8)]),
         '--indirect', 'a=checked')
    need('indirect_unknown', api + icall, None, '--indirect', 'a=nobody',
         says='no function nobody')
    need('root', api + k('a', 40) + k('recover', 120), (120, [
        ('recover', 0)]), '--root', 'recover')
    need('root_above_floor', api + k('a', 40) + k('recover', 120), (56, [
        ('recover', 0)]), '--root', 'recover=64')
    need('root_optional', api + k('a', 40), (0, [('al_f', 0), ('a', 8)]),
         '--root', 'nobody?=64')
    need('root_there', api + k('a', 40) + k('recover', 120), (56, [
        ('recover', 0)]), '--root', 'recover?=64')
    need('root_unknown', api + k('a', 40), None, '--root', 'nobody',
         says='no such function')
    need('precompiled_walked', api + k('a', 40, 'm') + function('m', BIG),
         (184, [('al_f', 0), ('a', 8), ('m', 48)]))
    need('precompiled_bound', api + k('a', 40, 'm') + function(
        'm', 'push {r4, lr}\nblx r3\npop {r4, pc}'), (84 + 4, [
            ('al_f', 0), ('a', 8), ('m', 48)]), bounds='m 104\n')
    need('stated_asm', api + checked('a', 0, 'ldr r0, [r1]\nmov sp, r0\nbx lr',
                                     112, 6), (56, [('al_f', 0), ('a', 8)]))
    need('variable', api + checked('a', 0, 'mov r7, sp\nsub sp, sp, r0\n'
                                   'mov sp, r7\nbx lr', 0, 0x45), None,
         says='variable amount')
    need('rounded_to_8', api + k('a', 68), (16, [('al_f', 0), ('a', 8)]))
    need('loop_to_entry', api + checked('a', 0, 'subs r0, #1\nbne a\nbx lr', 0,
                                        5), (0, [('al_f', 0)]))


# These call a stream's functions, which are ours and check for themselves, or
# a function that the application has made by AL_CALLBACK.
POINTERS = ('fputc', 'fgetc', 'putc', 'getc', 'getchar', 'putchar', 'fflush', 'perror',
            'tsearch', 'tfind', '__d_vfprintf', '__f_vfprintf',
            '__i_vfprintf', '__real_vfprintf', '__real_puts', '__real_fputs',
            '__real_fwrite')


def wrapped():
    """The functions that cmake/alula.cmake has the linker lead to ours."""
    text = (ROOT / 'cmake/alula.cmake').read_text()
    names = re.search(r'set\(ALULA_WRAPPED ([^)]*)\)', text).group(1).split()
    verbs = re.search(r'foreach\(verb ([^)]*)\)', text).group(1).split()
    for verb in verbs:
        names += [f'__retarget_lock_{verb}',
                  f'__retarget_lock_{verb}_recursive']
    return names


def bounds(c, tmp):
    """Each stated bound of the C library and the compiler's runtime, against
    the walk over the library that each processor links."""
    from stackgraph import Graph, Unbounded, default_bounds, read_bounds
    stated = read_bounds(default_bounds())
    script = Path(tmp) / 'libs.ld'
    script.write_text('SECTIONS { .text 0x8000000 : { *(.text*) } .data '
                      '0x20000000 : { *(.data* .bss* COMMON) } }\n')
    for name, cpu in (('m4', CPU), ('m3', ('-mcpu=cortex-m3', '-mthumb',
                                           '-mfloat-abi=soft'))):
        elf, left = Path(tmp) / f'libs-{name}.elf', dict(stated)
        # As in an image: entries of ours stand in front of some functions.
        stubs = ''.join(f'__attribute__((naked)) void __wrap_{n}(void) '
                        '{ __asm__("bx lr"); }\n' for n in wrapped())
        main = build(tmp, f'main-{name}', 'void _start(void) {}\n' + stubs,
                     cpu=cpu)
        while True:        # without what this library does not have
            wanted = [f'-Wl,--require-defined={n}' for n in left]
            d = run('arm-none-eabi-gcc', *cpu, '--specs=picolibc.specs',
                    '-nostartfiles', '-T', script, '-o', elf, main, *wanted,
                    *(f'-Wl,--wrap={n}' for n in wrapped()),
                    *(f'-Wl,--defsym={n}=0x20000000' for n in
                      ('stderr', '__heap_start', '__heap_end')))
            missing = [n for n in left if f"`{n}'" in d.stderr]
            if d.returncode == 0 or not missing:
                break
            for n in missing:
                del left[n]
        c.check(f'bounds_{name}_link', d.returncode == 0 and
                len(left) > len(stated) * 0.7, d.stderr)
        if d.returncode:
            continue
        g, wrong = Graph(str(elf), stated), []
        for n in left:
            if n in wrapped():
                continue    # ours: an entry that checks for itself
            try:
                true, _ = g.depth(g.image.by_name[n])
                if true > stated[n]:
                    wrong.append(f'{n}: {true}, stated {stated[n]}')
            except Unbounded as e:
                if n not in POINTERS or 'through a pointer' not in str(e):
                    wrong.append(f'{n}: {e}')
        c.equal(f'bounds_{name}', wrong, [])


def commands(i):
    c = i.c
    c.equal('no_file', run(STACK, '/nonexistent').returncode, 2)
    c.equal('no_argument', run(STACK).returncode, 2)
    c.equal('no_arm_elf', run(STACK, '/bin/true').returncode, 2)
    good = checked('f', 8, PUSH, 8)
    c.equal('bad_bounds', i.run(good, bounds='memcpy many\n').returncode, 2)
    c.equal('bad_indirect', i.run(good, '--reserve', '--indirect',
                                  'x').returncode, 2)
    o = build(i.tmp, 'empty', 'int x = 3;\n')
    e = link(i.tmp, 'empty', o, '-Wl,-e,0')
    c.equal('no_code', run(STACK, e).returncode, 1)
    d = i.run(checked('al_f', 8, PUSH, 8), '--reserve')
    c.equal('context_without_fpu', d.stdout.strip(), '80')
    d = i.run(checked('al_f', 8, PUSH, 8) + checked(
        'f', 0, 'vmov s0, r0\nbx lr', 0, 0), '--reserve')
    c.equal('context_with_fpu', d.stdout.strip(), '216')


def reaching(i):
    """Checked functions that precompiled code comes to."""
    blind = 'push {r4, lr}\nblx r0\npop {r4, pc}'
    hand = ('push {r4, lr}\nldr r0, =%s\nbl lib\npop {r4, pc}\n.ltorg\n'
            '.align 2')
    veneer = checked('v', 8, 'push {r9, lr}\nbl g\npop {r9, pc}', 8, 6)
    ours = checked('g', 8, PUSH, 8)
    def e(name, text, says=''):
        i.expect(f'reach_{name}', text, says, bounds='lib 8\n')
    def f(pointer, body=hand):
        return checked('f', 16, body % pointer if '%' in body else body, 8,
                       eff=16)
    e('taken', checked('f', 8, 'push {r4, lr}\nldr r0, =deep\npop {r4, pc}\n'
                       '.ltorg', 8) + function('lib', 'b deep') + function(
                           'deep', PUSH), 'f: has the address of deep')
    e('taken_harmless', checked('f', 8, 'push {r4, lr}\nldr r0, =flat\n'
                                'pop {r4, pc}\n.ltorg', 8) + function(
                                    'flat', 'bx lr'))
    e('by_name', function('lib', 'push {r4, lr}\nbl g\npop {r4, pc}') + ours,
      'lib: calls g at')
    e('by_name_jump', function('lib', 'b g') + ours, 'lib: calls g at')
    e('by_name_veneer', function('lib', 'b v') + veneer + ours)
    e('by_name_harmless', function('lib', 'b g')
      + checked('g', 0, 'bx lr', 0, 0))
    e('by_name_frameless', function('lib', 'b g')
      + checked('g', 0, 'b h', 0, 0) + checked('h', 8, PUSH, 8),
      'lib: calls g at')
    e('handed', f('g') + function('lib', blind) + ours,
      'f: hands g to lib')
    e('handed_veneer', f('v') + function('lib', blind) + veneer + ours)
    e('handed_not_called', f('g') + function('lib', PUSH) + ours)
    e('handed_deeper', f('g') + function('lib', 'b lib2') + function(
        'lib2', blind) + ours, 'f: hands g to lib')
    table = ('.section .rodata\n.align 2\n.type t, %%object\nt: .word 1, %s\n'
             '.size t, .-t\n.text\n')
    e('in_object', f('t') + function('lib', blind) + ours + table % 'g',
      'f: hands t, which holds g, to lib')
    e('in_object_veneer', f('t') + function('lib', blind) + veneer + ours
      + table % 'v')
    own = 'push {r4, lr}\nldr r0, =%s\nblx r1\npop {r4, pc}\n.ltorg'
    e('own_data', function('lib', own % 't') + ours + table % 'g',
      'lib: is precompiled and names t, which holds g')
    e('own_pointer', function('lib', own % 'g') + ours,
      'lib: has the address of g')


def main():
    c = Checks()
    with tempfile.TemporaryDirectory() as tmp:
        walk(c, tmp)
        compiled(c, tmp)
        bounds(c, tmp)
        i = Images(c, tmp)
        verifying(i)
        reaching(i)
        reserving(i)
        commands(i)
    return c.done()


if __name__ == '__main__':
    sys.exit(main())
