# SPDX-License-Identifier: MIT
"""Checks of each form, instruction by instruction, with their records."""
from collections import namedtuple

Form = namedtuple('Form', 'name compiler suffix flags text bounds function '
                  'begins record')


def c(name, text, begins, record, function='f', flags=('-O2',), bounds='',
      compiler='g', suffix='.c'):
    return Form(name, compiler, suffix, flags, text, bounds, function, begins,
                record)


SMALL = ['cmp sp, r9', 'it cc', 'svccc 1']


def large(n):
    return [f'sub.w ip, sp, #{n}', 'cmp ip, r9', 'it cc', 'svccc 2']


BUF = 'int g(void *); int f(void) {{ char b[{}]; return g(b) + 1; }}\n'
KERNEL = ('-O2', '-Wa,--alula-mode=kernel')
NESTED = '''int g(void *);
int f(int a)
{
    __attribute__((noinline)) int in(int b)
    {
        char x[%d];
        return g(x) + a + b;
    }
    return in(3) + in(a);
}
'''
FORMS = (
    c('none', 'int f(int a) { return a + 1; }\n', ['adds r0, #1'],
      (0, 0, 0, 0)),
    c('small', 'int g(int); int f(int a) { return g(a) + 1; }\n',
      SMALL + ['push {r3, lr}'], (8, 8, 1, 0)),
    c('small_64', BUF.format(56), SMALL + ['push {lr}'], (64, 64, 1, 0)),
    c('large_72', BUF.format(64), large(8) + ['push {lr}'], (72, 72, 2, 0)),
    c('large_4159', BUF.format(4092), ['subw ip, sp, #4040'] + large(0)[1:],
      (4104, 4104, 2, 0)),
    c('large_wide', BUF.format(8200), ['movw ip, #8144', 'sub.w ip, sp, ip',
                                       'cmp ip, r9', 'it cc', 'svccc 2'],
      (8208, 8208, 2, 0)),
    c('large_wider', BUF.format(70100), [
        'movw ip, #4512', 'movt ip, #1', 'sub.w ip, sp, ip', 'cmp ip, r9',
        'it cc', 'svccc 2'], (70112, 70112, 2, 0)),
    c('ip_free', NESTED % 100, [
        'add.w r9, r9, #56', 'cmp sp, r9', 'sub.w r9, r9, #56', 'it cc',
        'svccc 3'], (120, 120, 3, 0), function='in.0'),
    c('ip_free_small', NESTED % 8, SMALL, (24, 24, 1, 0), function='in.0'),
    c('loop_at_start', 'int g(int); __attribute__((noinline)) int f(int *a) '
      '{ while (*a++) g(1); return 3; }\n', SMALL + ['push {r4, lr}'],
      (8, 8, 1, 0)),
    *(c(f'pointer_{n}_{which}', f'int {n}(int); int (*f(void))(int)'
        f' {{{{ return {n}; }}}}\nint (*const table[])(int) = {{{{ {n} }}}};\n'
        .format(), begins, (0, bound, form, rest), function=f'__al_checked_{n}',
        bounds=f'{n} {bound}\n', compiler=which)
      for which, rest in (('g', 4095), ('c', 4095))
      for n, bound, form, begins in (
          ('shallow', 20, 1, SMALL + ['b.w 0']),
          ('deep', 100, 2, large(36) + ['b.w 0']))),
    c('bound_call', 'void *memcpy(void *, const void *, unsigned);\n'
      'int f(void *a, void *b, int n) { memcpy(a, b, n); return 1; }\n',
      large(44) + ['push {r3, lr}'], (8, 108, 2, 0),
      bounds='memcpy 100 # a comment\n'),
    c('bound_tail', 'void h(int);\nvoid f(int a) { h(a + 1); }\n',
      SMALL + ['adds r0, #1'], (0, 40, 1, 0), bounds='h 40\n'),
    c('bound_long_call', 'void h(int);\n'
      'int f(int a) { h(a + 1); return a; }\n', SMALL, (8, 8, 1, 0),
      bounds='h 100\n', flags=('-O2', '-mlong-calls')),
    c('bound_long_call_stub', 'void h(int);\n'
      'int f(int a) { h(a + 1); return a; }\n', large(36) + ['b.w 0'],
      (0, 100, 2, 4095), bounds='h 100\n', flags=('-O2', '-mlong-calls'),
      function='__al_checked_h'),
    c('bound_clang', 'void h(int);\nint f(int a) { h(a + 1); return a; }\n',
      large(52), (16, 116, 2, 0), bounds='h 100\n', compiler='c'),
    c('bound_own', 'void k(int);\n__attribute__((noinline)) void h(int a) '
      '{ k(a); k(a); }\nint f(int a) { h(a + 1); return a; }\n',
      SMALL, (8, 8, 1, 0), bounds='h 1000\n'),
    c('args', 'int g(int); int f(int a, int b, int c, int d, int e, int h) '
      '{ return g(e) + h; }\n', SMALL, (8, 8, 1, 2)),
    c('args_variadic', 'int g(void *); int f(int a, ...) { __builtin_va_list '
      'l; __builtin_va_start(l, a); return g(&l); }\n',
      SMALL + ['push {r0, r1, r2, r3}'], (32, 32, 1, 0)),
    c('args_none_clang', BUF.format(24), SMALL, (32, 32, 1, 0),
      compiler='c'),
    c('args_unknown_clang', 'int g(int); int f(int a, int b, int c, int d, '
      'int e, int h) { return g(e) + h; }\n', SMALL, (16, 16, 1, 0xfff),
      compiler='c'),
    c('kernel_entry', 'int g(void *); int al_f(void) { char b[200]; '
      'return g(b) + 1; }\n', SMALL + ['push {lr}'], (208, 208, 1, 0),
      function='al_f', flags=KERNEL),
    c('kernel_leaf', 'int al_f(int a) { return a + 1; }\n', ['adds r0, #1'],
      (0, 0, 0, 0), function='al_f', flags=KERNEL),
    c('kernel_tail', 'int g(int); int al_f(int a) { return g(a + 1); }\n',
      SMALL + ['adds r0, #1'], (0, 0, 1, 0), function='al_f', flags=KERNEL),
    c('kernel_inner', 'int g(int); int f(int a) { return g(a) + 1; }\n',
      ['push {r3, lr}'], (8, 8, 5, 0), flags=KERNEL),
    c('kernel_static', 'int g(int); static __attribute__((noinline)) int '
      'al_f(int a) { return g(a) + 1; }\nint h(int a) { return al_f(a); }\n',
      ['push {r3, lr}'], (8, 8, 5, 0), function='al_f', flags=KERNEL),
    c('kernel_asm', 'int f(int a) { __asm volatile("push {r4, r5}\\n '
      'pop {r4, r5}"); return a; }\n', ['push {r4, r5}'], (8, 8, 5, 0),
      flags=KERNEL),
    c('unchecked', '__attribute__((naked)) void f(void) { __asm("@alula: '
      'unchecked 24\\n push {r4, r9}\\n pop {r4, r9}\\n bx lr"); }\n',
      ['stmdb sp!, {r4, r9}'], (24, 24, 6, 0)),
    c('unchecked_clang', '__attribute__((naked)) void f(void) { __asm('
      '"@alula: unchecked 24\\n push {r4, r9}\\n pop {r4, r9}\\n bx lr"); '
      '}\n', ['stmdb sp!, {r4, r9}'], (24, 24, 6, 0), compiler='c'),
    c('depth', 'int g(int); int f(int a) { __asm volatile("@alula: depth 40\\n'
      ' push {r4}\\n pop {r4}"); return g(a) + 1; }\n', SMALL,
      (48, 48, 1, 0)),
    c('depth_clang', 'int g(int); int f(int a) { __asm volatile("@alula: '
      'depth 80\\n push {r4}\\n pop {r4}"); return g(a) + 1; }\n',
      large(24), (88, 88, 2, 0), compiler='c'),
    c('hand_written', '.syntax unified\n.text\n.global f\n.type f, %function\n'
      'f: @alula: unchecked 8\n push {r4, lr}\n pop {r4, pc}\n',
      ['push {r4, lr}'], (8, 8, 6, 0), suffix='.S'),
    c('vfp', 'double h(double); double f(double a, double b) { '
      'return h(a) + h(b) * 2; }\n', SMALL + ['push {r3, r4, r5, lr}'],
      (24, 24, 1, 0)),
)
