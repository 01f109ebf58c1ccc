#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""alula-as and its launcher for Clang: what they are told and what they say.

    run.py           what ./alula test runs
    run.py --full    also sweeps every fixed frame of 1 to 65536 bytes

Refusals word for word (cases.py); forms of the check, kernel mode, bounds,
annotations and records instruction by instruction; options; branches over a
growing function; that the filter stays quick, and clean under the sanitizers.
The depths themselves are compared with the object code in tests/build/walk.
Fails if: a refusal is lost or worded anew, a form of the contract changes, an
option is ignored, a dependency file or an exit status goes astray.

timeout: 900
"""
import os
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / 'tests/build'), str(ROOT / 'tools'),
                str(Path(__file__).parent)]
from check import CPU, Checks, run  # noqa: E402
import cases  # noqa: E402
from forms import FORMS  # noqa: E402
import stackgraph  # noqa: E402

GCC_FLAGS = ('-ffixed-r9', '-fexceptions', '-funwind-tables',
             '-ffunction-sections')
CLANG = ('clang-19', '--target=arm-none-eabi')


class Tool:
    """alula-as, built as its README says, and the ways to call it."""

    def __init__(self, tmp, *flags):
        self.tmp = Path(tmp)
        self.dir = self.tmp / ('as' + ''.join(flags).replace('=', ''))
        self.dir.mkdir()
        self.path = self.dir / 'alula-as'
        done = run('cc', '-std=c11', '-D_POSIX_C_SOURCE=200809L', '-O2',
                   '-Wall', '-Wextra', '-Werror', *flags, '-o', self.path,
                   *sorted((ROOT / 'tools/alula-as').glob('*.c')))
        if done.returncode:
            raise RuntimeError(done.stderr)
        (self.dir / 'as').symlink_to('alula-as')
        (self.dir / 'alula-clang').symlink_to('alula-as')

    def write(self, name, text):
        path = self.tmp / name
        path.write_text(text)
        return path

    def compile(self, which, src, *flags, out=None):
        out = out or src.with_suffix('.o')
        out.unlink(missing_ok=True)
        if which == 'g':
            front = ('arm-none-eabi-gcc', f'-B{self.dir}/')
        else:
            front = (self.dir / 'alula-clang', *CLANG)
        done = run(*front, *CPU, *GCC_FLAGS, *flags, '-c', src, '-o', out)
        return done, out

    def filter(self, src, *flags):
        """(status, filtered text, errors)"""
        out = src.with_suffix('.out.s')
        done = run(self.path, *flags, '--filter-only', src, '-o', out)
        text = out.read_text() if done.returncode == 0 else ''
        return done.returncode, text, done.stderr


def disassembly(obj, function):
    """Instructions of a function, in one form: 'sub.w ip, sp, #16'."""
    done = run('arm-none-eabi-objdump', '-d', '--no-show-raw-insn',
               '--disassemble=' + function, obj)
    out = []
    for line in done.stdout.splitlines():
        m = re.match(r'\s*[0-9a-f]+:\s+(.*)', line)
        if m:
            text = re.sub(r'\s*[@;<].*', '', m.group(1))
            out.append(' '.join(text.split()))
    return out


def record(obj, function):
    """(own, effective, form and flags, words of arguments)"""
    g = stackgraph.Graph(str(obj), {})
    f = g.image.by_name[function]
    r = g.record(f)
    return r and (r.own, r.effective, r.form | r.variable << 6, r.args)


def refusals(c, tool):
    for name, compilers, suffix, flags, text, wanted in cases.REFUSED:
        for which in compilers:
            src = tool.write(f'{name}_{which}{suffix}', text)
            done, obj = tool.compile(which, src, '-O2', '-g', *flags)
            said = [x for x in done.stderr.splitlines() if 'alula-as' in x]
            good = len(said) == len(wanted)
            for line, want in zip(said, wanted):
                parts = want if isinstance(want, tuple) else (want,)
                parts = [p.replace('{f}', str(src)) for p in parts]
                good &= (line.startswith(parts[0]) and
                         line.endswith(parts[-1]) and
                         (len(parts) > 1 or line == parts[0]))
            c.check(f'refuses_{name}_{which}', good and done.returncode == 1
                    and not obj.exists(), done.stderr or 'accepted')
    for name, body, what, way in cases.BROKEN:
        src = tool.write(f'broken_{name}.s',
                         cases.HEAD + body + '\n.size f, .-f\n')
        status, _, said = tool.filter(src)
        function = 'OUTLINED_1' if name == 'outlined' else 'f'
        want = (f"error: alula-as: function `{function}': {what}; "
                f"way out: {way or ''}")
        c.check(f'refuses_{name}', status == 1 and want in said and
                said.startswith(str(src) + ':') and said.count('\n') == 1,
                said)


def forms(c, tool):
    for case in FORMS:
        src = tool.write(f'form_{case.name}{case.suffix}', case.text)
        bounds = tool.write(f'form_{case.name}.bounds', case.bounds)
        done, obj = tool.compile(case.compiler, src, *case.flags,
                                 f'-Wa,--alula-bounds={bounds}')
        if not c.check(f'form_{case.name}_compiles', done.returncode == 0,
                       done.stderr):
            continue
        code = disassembly(obj, case.function)
        c.equal(f'form_{case.name}', code[:len(case.begins)], case.begins)
        if not any('svc' in x for x in case.begins):
            c.check(f'form_{case.name}_unchecked',
                    not any('svc' in x for x in code), code)
        c.equal(f'form_{case.name}_record', record(obj, case.function),
                case.record)


def frames_table(c, tool):
    """.alula.frames has exactly the functions that the contract asks for."""
    src = tool.write('frames.c', '''struct s { int a[20]; };
int g(void *);
int none(int a) { return a; }
int small(void) { char b[40]; return g(b) + 1; }
int large(void) { char b[200]; return g(b) + 1; }
int args(int a, int b, int c, int d, struct s e) { return a + e.a[7]; }
int both(int a, int b, int c, int d, struct s e) { char x[200];
    return g(x) + e.a[7]; }
''')
    done, obj = tool.compile('g', src, '-O2')
    c.equal('frames_compiles', done.returncode, 0)
    g = stackgraph.Graph(str(obj), {})
    words = [w for s in g.image.elf.sections if s.name == '.alula.frames'
             for w in g.image.elf.words(s)]
    table = {g.functions[a & ~1].name: w for a, w in
             zip(words[::2], words[1::2])}
    own = {f.name: f.own for f in g.functions.values()}
    want = {n: (own[n] + 3) // 4 << 12 | a for n, a in
            (('large', 0), ('args', 20), ('both', 20))}
    c.equal('frames_table', table, want)


def closes(c, tool):
    """.alula.closes has what is behind each call that a note stands before,
    once and sorted, also where the compiler merged two ends of blocks."""
    src = tool.write('closes.c', '''#define CLOSE __asm volatile \\
    ("@alula: close" ::: "memory")
void (*volatile fn)(void *);
void g(void *);
void one(void *a) { CLOSE; fn(a); g(a); }
void two(void *a, int b) { g(a); if (b) { CLOSE; fn(a); } else
    { g(a); CLOSE; fn(a); } g(a); }
int jumps(void *a, int b) { if (b == 1) { g(a); CLOSE; fn(a); return 3; }
    if (b == 2) { g(a); g(a); CLOSE; fn(a); return 3; } g(a); return 4; }
void none(void *a) { fn(a); g(a); }
''')
    for which, levels in (('g', '02s'), ('c', '02s')):
        for level in levels:
            done, obj = tool.compile(which, src, '-O' + level)
            elf = tool.tmp / 'closes.elf'
            run('arm-none-eabi-ld', '-e0', '--defsym=g=0x100001',
                '--defsym=al_cleanup_support=0x100001',
                '--defsym=al_frame_support=0',
                '--defsym=__aeabi_unwind_cpp_pr0=0',
                '--defsym=__aeabi_unwind_cpp_pr1=0', '-o', elf, obj)
            image = stackgraph.Graph(str(elf), {}).image
            words = [w for s in image.elf.sections
                     if s.name == '.alula.closes' for w in image.elf.words(s)]
            behind = {a + 2 for f in image.functions.values()
                      for a in f.indirect if f.name != 'none'}
            c.check(f'closes_{which}_O{level}', done.returncode == 0 and
                    words == sorted(behind) and len(words) >= 3,
                    f'{words}, wanted {sorted(behind)}; {done.stderr}')


def options(c, tool):
    src = tool.write('ok.s', cases.HEAD + 'bx lr\n')
    for option, said in (
            ('--alula-mode=user', "alula-as: error: --alula-mode is app or "
             "kernel, not `user'\n"),
            ('--alula-ram=lots', "alula-as: error: --alula-ram takes bytes, "
             "not `lots'\n"),
            ('--alula-fish', 'alula-as: error: no such option: '
             '--alula-fish\n'),
            (f'--alula-bounds={tool.tmp}/none', 'alula-as: error: cannot read '
             f'the bounds file {tool.tmp}/none: No such file or directory\n')):
        status, _, err = tool.filter(src, option)
        c.equal(f'option {option.split("=")[0]}', (status, err), (1, said))
    bad = tool.write('bad.bounds', '# fine\nmemcpy 8\nmemset\n')
    status, _, err = tool.filter(src, f'--alula-bounds={bad}')
    c.equal('bounds_line', (status, err),
            (1, f"{bad}:3: error: alula-as: a line here reads `name bytes'\n"))
    status, _, err = tool.filter(tool.tmp / 'absent.s')
    c.equal('no_input', (status, err),
            (1, f'alula-as: error: cannot read {tool.tmp}/absent.s: '
             'No such file or directory\n'))


def real_assembler(c, tool):
    """Arguments, exit status and messages pass; it never runs itself."""
    src = tool.write('wrong.s', cases.HEAD + 'bx lr\nfrobnicate r1\n')
    done = run(tool.path, '-mcpu=cortex-m4', src, '-o', tool.tmp / 'w.o')
    c.check('as_error_passes', done.returncode == 1 and
            'bad instruction' in done.stderr, done.stderr)
    src = tool.write('fine.s', cases.HEAD + 'bx lr\n')
    done = run(tool.path, '-mcpu=cortex-m4', '--alula-ram=4096', src, '-o',
               tool.tmp / 'fine.o')
    c.equal('as_runs', (done.returncode, done.stderr), (0, ''))
    names = run('arm-none-eabi-readelf', '-SW', tool.tmp / 'fine.o').stdout
    c.check('as_marks', '.alula.fn' in names, names)
    stub = tool.write('stub', '#!/bin/sh\nprintf "%s " "$@"\n'
                      'cat >/dev/null\nexit 7\n')
    stub.chmod(0o755)
    env = dict(os.environ, ALULA_REAL_AS=str(stub))
    done = run_env(env, tool.path, '--alula-mode=kernel', '-I', 'x', '-mthumb',
                   src, '-o', 'y')
    c.equal('as_from_environment', (done.returncode, done.stdout),
            (7, '-I x -mthumb -o y - '))
    (tool.dir / 'arm-none-eabi-as').symlink_to('alula-as')
    env = dict(os.environ, PATH=str(tool.dir))
    done = run_env(env, tool.path, src, '-o', 'y')
    c.equal('as_not_itself', (done.returncode, done.stderr),
            (1, 'alula-as: error: no real assembler: put arm-none-eabi-as '
             'into PATH, or name it in ALULA_REAL_AS\n'))


def run_env(env, *command):
    import subprocess
    return subprocess.run([str(w) for w in command], capture_output=True,
                          text=True, env=env, timeout=60)


def lto(c, tool):
    """Bytecode passes untouched; fat objects are marked; so is the link."""
    src = tool.write('l.c', 'int g(int *); int f(void) { int a[9]; '
                     'return g(a) + a[2]; }\n')
    asm = tool.tmp / 'slim.s'
    run('arm-none-eabi-gcc', *CPU, '-O2', '-flto', '-S', '-o', asm, src)
    status, text, _ = tool.filter(asm)
    c.check('lto_slim_untouched', status == 0 and text == asm.read_text() and
            '.gnu.lto' in text, status)
    done, obj = tool.compile('g', src, '-O2', '-flto', '-ffat-lto-objects')
    c.check('lto_fat_marked', done.returncode == 0 and record(obj, 'f'),
            done.stderr)
    done, obj = tool.compile('g', src, '-O2', '-pipe')
    piped = obj.read_bytes()
    done, obj = tool.compile('g', src, '-O2')
    c.check('pipe_same_object', piped == obj.read_bytes(), done.stderr)


def launcher(c, tool):
    src = tool.write('d.c', '#include "d.h"\nint g(int *);\nint f(void)\n'
                     '{\n    int a[N];\n    return g(a) + a[2];\n}\n')
    tool.write('d.h', '#define N 9\n')
    sub = tool.tmp / 'sub'
    sub.mkdir()
    done, obj = tool.compile('c', src, '-O2', '-MD', '-MP',
                             out=sub / 'd.c.o')
    dep = sub / 'd.c.d'
    c.check('clang_dependencies', done.returncode == 0 and dep.exists() and
            dep.read_text().startswith(f'{obj}:') and
            f'{tool.tmp}/d.h' in dep.read_text(), done.stderr)
    done, obj = tool.compile('c', src, '-MMD', '-MF', f'{sub}/x.d', '-MT',
                             'target')
    c.check('clang_dependency_names', (sub / 'x.d').exists() and
            (sub / 'x.d').read_text().startswith('target:'), done.stderr)
    done = run('sh', '-c', f'cd {sub} && {tool.dir}/alula-clang '
               f'{" ".join(CLANG)} -mcpu=cortex-m4 -mthumb -ffixed-r9 -c '
               f'{src}')
    c.check('clang_default_name', done.returncode == 0 and
            record(sub / 'd.o', 'f'), done.stderr)
    c.check('clang_leaves_nothing', not list(Path(
        os.environ['TMPDIR']).glob('alula-*')))
    for name, flags, said in (
            ('lto', ('-c', '-flto'), '-flto is not supported with Clang: its '
             'objects hold no assembly to check; way out: compile without '
             '-flto, or use GCC'),
            ('link', (), 'compiling and linking in one command bypasses the '
             'stack checks; way out: compile with -c, then link'),
            ('two', ('-c', str(src)), 'more than one source file in a '
             'command; way out: one compilation per file')):
        done = run(tool.dir / 'alula-clang', *CLANG, *CPU, src, *flags)
        c.equal(f'clang_refuses_{name}', (done.returncode, done.stderr),
                (1, f'alula-clang: error: {said}\n'))
    done = run(tool.dir / 'alula-clang', 'clang-19', '--version')
    c.check('clang_passes_through', done.returncode == 0 and
            'clang version' in done.stdout, done.stderr)
    done, obj = tool.compile('c', tool.write('e.c', 'int f(\n'))
    c.check('clang_errors_pass', done.returncode == 1 and
            'e.c:1:' in done.stderr and not obj.exists(), done.stderr)
    done, obj = tool.compile('c', tool.write(
        'a.S', '#define F f\n.syntax unified\n.text\n.global F\n'
        '.type F, %function\nF: @alula: unchecked 8\n push {r4, lr}\n'
        ' pop {r4, pc}\n'))
    c.equal('clang_assembly', done.returncode == 0 and record(obj, 'f'),
            (8, 8, 6, 0))
    text = ('int g(int *); int f(void) { int a[9]; __asm("push {r4}");'
            ' return g(a); }\n')
    done, _ = tool.compile('c', tool.write('line.c', text))
    c.check('clang_line_without_g', done.stderr.startswith('line.c:1: ') or
            f'{tool.tmp}/line.c:1: error: alula-as' in done.stderr,
            done.stderr)


def rounding(c, tool):
    """A size that is rounded up is checked for overflow, and the move of sp
    for its length, by each compiler at each level: 4294967295 must trap."""
    text = ('void g(void *); int h(int, int, int, int, int, int, void *);\n'
            'void once(unsigned n) { char a[n]; g(a); }\n'
            'void alloca_once(unsigned n) { g(__builtin_alloca(n)); }\n'
            'int sum(unsigned n, int m) { char a[n]; g(a); '
            '{ char b[n + m]; g(b); return a[0] + b[0]; } }\n'
            'int aligned(unsigned n) { char a[n] __attribute__((aligned(32)));'
            ' g(a); return a[1]; }\n'
            'int loop(unsigned n, int k) { int s = 0; while (k-- > 0) '
            '{ char a[n]; g(a); s += a[k]; } return s; }\n'
            'int args(unsigned n, int b) { char a[n]; g(a); '
            'return h(b, b, b, b, b, b, a); }\n'
            'int maybe(unsigned n, int b) { if (b) { char a[n]; g(a); '
            'return a[b]; } return 3; }\n'
            'int spilled(unsigned n, volatile int *p, int k) { int a = p[0], '
            'b = p[1], c = p[2], d = p[3], e = p[4], f = p[5], q = p[6]; '
            'int r = p[7], s = p[8], t = p[9]; for (int i = 0; i < k; i++) '
            '{ char z[n]; g(z); a += h(a, b, c, d, e, f, z); b ^= z[0]; '
            'p[i] = q + r * s - t; } return a + b + c + d + e + f + q + r + s '
            '+ t; }\n')
    src = tool.write('round.c', text)
    for which, levels in (('g', '0g123s'), ('c', '02s')):
        for level in levels:
            done, obj = tool.compile(which, src, '-O' + level)
            wrong = []
            for f in ('once', 'alloca_once', 'sum', 'aligned', 'loop', 'args',
                      'maybe', 'spilled'):
                code = disassembly(obj, f)
                sizes = [x for k, x in enumerate(code) if re.match(
                    r'cmp(\.w)? \w+, #(7|31)$', x) and code[k + 1:k + 3] in (
                    ['it cc', 'svccc 4'],
                    ['it cc', f'mvncc.w {x.split()[1]} #0'])]
                moves = sum(x == 'svccc 4' for x in code)
                if not sizes or moves < (3 if f == 'sum' else 1):
                    wrong.append((f, code))
            c.equal(f'rounding_{which}-O{level}', wrong, [])


def ranges(c, tool):
    """Checks in the middle of a function: cbz, tbb and literals still reach,
    whatever lies between."""
    for pad in range(0, 40, 3):
        v = 'V++; ' * pad
        text = ('extern void g(void *); extern volatile int V;\n'
                'double h(double);\n'
                f'int f(int x, unsigned n) {{ if (x) {{ char a[n]; g(a); {v}'
                'if (a[0]) { char b[n + 1]; g(b); } } return 5; }\n'
                f'double d(double x, unsigned n) {{ char a[n]; g(a); {v}'
                'if (a[1]) { char b[n * 3]; g(b); }'
                'return h(x * 3.25) + 1e-300 * x; }\n'
                'int s(int x, unsigned n) { int r = 0; switch (x) {\n')
        for k in range(6):
            text += (f'case {k}: {{ char a[n + {k}]; g(a); {v}r = a[{k}]; '
                     f'{"V ^= r;" * k} break; }}\n')
        src = tool.write(f'range{pad}.c', text + '} return r; }\n')
        for which, level in (('g', '-O1'), ('g', '-Os'), ('c', '-Os')):
            done, obj = tool.compile(which, src, level, '-w')
            good = done.returncode == 0
            if good:
                g = stackgraph.Graph(str(obj), {})
                good = not any(f.problems for f in g.functions.values())
            c.check(f'range_{pad}_{which}{level}', good, done.stderr)


def quick(c, tool):
    """Thousands of functions a second."""
    body = ''.join(f'int f{k}(int *a, int n) {{ int b[{k % 50 + 1}]; '
                   f'for (int i = 0; i < n; i++) {{ if (a[i] > {k}) '
                   f'g(b, i); else h(a + i); }} return b[0]; }}\n'
                   for k in range(3000))
    src = tool.write('many.c', 'void g(int *, int); void h(int *);\n' + body)
    asm = src.with_suffix('.s')
    run('arm-none-eabi-gcc', *CPU, *GCC_FLAGS, '-Os', '-S', '-o', asm, src)
    begin = time.monotonic()
    status, _, err = tool.filter(asm)
    took = time.monotonic() - begin
    c.check('quick', status == 0 and took < 1.5,
            f'{took:.2f} s for 3000 functions {err}')


def sanitized(c, tool, tmp):
    """The walk's corpus and damaged input through a build with sanitizers."""
    safe = Tool(tmp, '-fsanitize=address,undefined',
                '-fno-sanitize-recover=all')
    corpus = sorted((ROOT / 'tests/build/walk/corpus').glob('*.c'))
    for src in corpus:
        asm = Path(tmp) / f'{src.stem}.safe.s'
        for level in ('-O0', '-O2'):
            run('arm-none-eabi-gcc', *CPU, *GCC_FLAGS, level, '-w', '-S',
                '--specs=picolibc.specs', '-o', asm, src)
            status, text, err = safe.filter(asm)
            c.check(f'sanitized_{src.stem}{level}', status == 0 and not err,
                    err)
            plain = tool.filter(asm)[1]
            c.check(f'sanitized_same_{src.stem}{level}', text == plain)
    whole = asm.read_bytes()
    bad = []
    for k in range(60):
        cut = bytearray(whole[:len(whole) * (k + 1) // 60])
        for n in range(k, len(cut), 997):
            cut[n] = b'\n@;"[{},:#.='[(n + k) % 12]
        damaged = Path(tmp) / 'damaged.s'
        damaged.write_bytes(bytes(cut))
        done = run(safe.path, '--filter-only', damaged, '-o', '/dev/null')
        if done.returncode not in (0, 1) or 'Sanitizer' in done.stderr or (
                'runtime error' in done.stderr):
            bad.append((k, done.stderr[-300:]))
    c.equal('sanitized_damage', bad, [])


def sweep(c, tool):
    """Every fixed frame, 1024 to a file; both compilers."""
    import importlib.machinery
    import importlib.util
    loader = importlib.machinery.SourceFileLoader(
        'alula_stack', str(ROOT / 'tools/alula-stack'))
    stack = importlib.util.module_from_spec(
        importlib.util.spec_from_loader('alula_stack', loader))
    loader.exec_module(stack)
    for low in range(1, 65537, 1024):
        src = tool.write('sweep.c', 'int g(void *);\n' + ''.join(
            f'int f{n}(void) {{ char b[{n}]; return g(b) + 1; }}\n'
            for n in range(low, low + 1024)))
        for which in 'gc':
            done, obj = tool.compile(which, src, '-O2')
            graph = stack.Graph(str(obj), {})
            wrong = stack.Verify(graph).run()
            for f in graph.functions.values():
                if f.own < int(f.name[1:]) or f.check is None or (
                        f.check.form != 1 and f.check.covers != f.own):
                    wrong.append(f.name)
            c.equal(f'sweep_{low}_{which}', (len(graph.functions), wrong),
                    (1024, []))


def main():
    c = Checks()
    os.environ.update(LC_ALL='C',
                      ASAN_OPTIONS='detect_leaks=0')
    with tempfile.TemporaryDirectory() as tmp:
        os.environ['TMPDIR'] = tmp
        tool = Tool(tmp)
        for part in (refusals, forms, frames_table, closes, options,
                     real_assembler, lto, launcher, rounding, ranges, quick):
            part(c, tool)
        sanitized(c, tool, tmp)
        if '--full' in sys.argv:
            sweep(c, tool)
    return c.done()


if __name__ == '__main__':
    sys.exit(main())
