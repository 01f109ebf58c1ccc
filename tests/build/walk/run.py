#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""alula-as against an independent walk of sp over the object code.

A corpus of C (corpus/*.c: frames, variable frames, jumps, variadics, nested
functions, ...) goes through alula-as with each compiler and level; then for
each function of each object

  - the walk's depth is the recorded one, the check covers exactly that;
  - each variable frame has a check that is proved exact (tools/varcheck.py);
  - the code but for the checks is what the compiler alone makes of it;
  - unwind tables and landing pads say the same as without checks.

Fixed frames of 1 to 65536 bytes are swept; so is link-time optimisation.
Fails if: alula-as finds a depth too small or too large, misplaces a check,
or loses a function.

timeout: 900
"""
import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / 'tests/build'), str(ROOT / 'tools'),
                str(Path(__file__).parent)]
from check import CPU, Checks, run  # noqa: E402
import elfwalk  # noqa: E402
import unwind  # noqa: E402

CORPUS = sorted((Path(__file__).parent / 'corpus').glob('*.c'))
M3 = ('-mcpu=cortex-m3', '-mthumb', '-mfloat-abi=soft')
PICOLIBC = '/usr/lib/picolibc/arm-none-eabi/include'
GCC_FLAGS = ('-ffixed-r9 -fexceptions -funwind-tables -fnon-call-exceptions '
             '-fno-shrink-wrap -mno-sched-prolog -fno-ipa-pure-const '
             '-fdisable-tree-nothrow -fdisable-rtl-nothrow -ffunction-sections '
             '--specs=picolibc.specs').split()
CLANG_FLAGS = ('-ffixed-r9', '-fexceptions', '-funwind-tables',
               '-ffunction-sections', '-isystem', PICOLIBC)
LEVELS = {'gcc': ('-O0', '-Og', '-O1', '-O2', '-O3', '-Os'),
          'clang': ('-O0', '-O2', '-Os')}
EXTRA = (('gcc', '-O2', ('-fno-omit-frame-pointer',)),
         ('gcc', '-O2', ('-g',)), ('gcc', '-Os', ('-pipe',)),
         ('gcc', '-O2', ('-fshrink-wrap',)),
         ('gcc', '-O2', ('-fstack-protector-all',)),
         ('gcc', '-O2', M3), ('gcc', '-O0', M3), ('clang', '-O2', M3),
         ('clang', '-O2', ('-fno-omit-frame-pointer',)),
         ('clang', '-O2', ('-g',)))
NOT_FOR_CLANG = {'nested'}


def alula_as(tmp):
    """Build the filter as its README says."""
    out = Path(tmp) / 'as'
    out.mkdir()
    done = run('cc', '-std=c11', '-D_POSIX_C_SOURCE=200809L', '-O1', '-o',
               out / 'as', *sorted((ROOT / 'tools/alula-as').glob('*.c')))
    if done.returncode:
        raise RuntimeError(done.stderr)
    (out / 'alula-clang').symlink_to('as')
    return out


def command(tools, compiler, level, extra, src, obj, checks=True):
    cpu = () if extra == M3 else CPU
    if compiler == 'gcc':
        filtered = ('-B', f'{tools}/') if checks else ()
        return ('arm-none-eabi-gcc', *filtered, *cpu, *GCC_FLAGS, level,
                *extra, '-w', '-c', src, '-o', obj)
    launcher = (tools / 'alula-clang',) if checks else ()
    return (*launcher, 'clang-19', '--target=arm-none-eabi', *cpu,
            *CLANG_FLAGS, level, *extra, '-w', '-c', src, '-o', obj)


def stack_tool():
    import importlib.machinery
    import importlib.util
    path = str(ROOT / 'tools/alula-stack')
    loader = importlib.machinery.SourceFileLoader('alula_stack', path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader('alula_stack', loader))
    loader.exec_module(module)
    return module


STACK = stack_tool()


def judge(obj):
    """(functions, complaints) of one object."""
    graph = STACK.Graph(str(obj), {})
    wrong = STACK.Verify(graph, exact=True).run()
    for f in graph.functions.values():
        r = graph.record(f)
        if r is None:
            wrong.append(f'{f.name}: no record')
            continue
        if f.anonymous:
            wrong.append(f'{f.name}: code without a name')
        if f.check and any(f.check.addr <= i.target < f.check.end
                           for i in graph.image.insns.values()
                           if i.mn == 'b' and i.target is not None):
            wrong.append(f'{f.name}: a loop runs through its check')
        later = max([f.later(b) for b in f.low if b], default=0)
        need = r.own if not f.variable else max(
            r.own, max(-off + later for s in f.lowered_from.values()
                       for b, off in s if b == 0))
        if r.effective != max(need, r.own):
            wrong.append(f'{f.name}: effective frame {r.effective}, not '
                         f'{need}')
        if f.check and f.check.form == 1 and r.effective == 0:
            wrong.append(f'{f.name}: checked for nothing')
        if f.check and f.check.form != 1 and f.check.covers != r.effective:
            wrong.append(f'{f.name}: covers {f.check.covers}, frame '
                         f'{r.effective}')
    return len(graph.functions), wrong


def skeleton(image):
    """function -> mnemonics in order, without checks, without the padding and
    choices of encoding that depend on addresses."""
    out = {}
    for f in image.functions.values():
        if f.variable or f.anonymous:
            continue                # their checks stand in the middle
        skip = range(f.check.addr, f.check.end) if f.check else ()
        out[f.name] = [i.mn for a, i in sorted(image.insns.items())
                       if f.addr <= a < f.end and a not in skip
                       and i.mn != 'nop']
    return out


def compile_both(args):
    tools, tmp, compiler, level, extra, src = args
    name = '_'.join([compiler, level, *extra, src.stem]).replace('/', '')
    obj, plain = Path(tmp) / f'{name}.o', Path(tmp) / f'{name}.plain.o'
    done = run(*command(tools, compiler, level, extra, src, obj))
    if done.returncode:
        said = [x for x in done.stderr.splitlines() if 'error' in x]
        return name, None, None, '; '.join(said[:4])
    run(*command(tools, compiler, level, extra, src, plain, checks=False))
    return name, obj, plain, ''


def corpus(c, tools, tmp):
    jobs = [(tools, tmp, comp, level, (), src) for comp in LEVELS
            for level in LEVELS[comp] for src in CORPUS]
    jobs += [(tools, tmp, comp, level, extra, src)
             for comp, level, extra in EXTRA for src in CORPUS]
    jobs = [j for j in jobs if j[2] == 'gcc'
            or j[5].stem not in NOT_FOR_CLANG]
    total = pads = 0
    with ThreadPoolExecutor(2) as pool:
        for name, obj, plain, error in pool.map(compile_both, jobs):
            if not c.check(f'{name}_compiles', obj is not None, error):
                continue
            n, wrong = judge(obj)
            total += n
            c.equal(f'{name}_depths', wrong, [])
            images = [elfwalk.Image(str(p)).walk() for p in (obj, plain)]
            a, b = map(skeleton, images)
            c.equal(f'{name}_code', [f for f in a if a[f] != b.get(f)], [])
            a, b = map(unwind.tables, images)
            pads += sum(p is not None for t in a.values() for p in t[-1])
            c.check(f'{name}_tables', a == b and a, [
                (f, a[f], b.get(f)) for f in a if a[f] != b.get(f)])
            obj.unlink()
            plain.unlink()
    c.check('corpus_functions', total > 1100, total)
    c.check('corpus_landing_pads', pads > 200, pads)


def sweep(c, tools, tmp):
    """Frames of 1 to 65536 bytes: all to 300, then around each change of
    encoding, then by steps."""
    sizes = sorted(set(range(1, 301)) | set(range(301, 4200, 7))
                   | set(range(4080, 4110)) | set(range(4200, 65536, 211))
                   | {2 ** k + d for k in range(8, 16) for d in (-8, -4, 0, 4)}
                   | set(range(65500, 65537, 4)))
    src = Path(tmp) / 'sweep.c'
    src.write_text('int ext(void *);\n' + ''.join(
        f'int f{n}(void) {{ char b[{n}]; return ext(b) + 1; }}\n'
        for n in sizes))
    for compiler in LEVELS:
        obj = Path(tmp) / f'sweep-{compiler}.o'
        done = run(*command(tools, compiler, '-O2', (), src, obj))
        if not c.check(f'sweep_{compiler}_compiles', done.returncode == 0,
                       done.stderr):
            continue
        n, wrong = judge(obj)
        c.equal(f'sweep_{compiler}', (n, wrong), (len(sizes), []))
        graph = STACK.Graph(str(obj), {})
        bad = [f.name for f in graph.functions.values() if f.check.size not in
               ((6,) if f.own <= 64 else (10, 12, 14, 16))]
        c.equal(f'sweep_{compiler}_check_bytes', bad, [])


def lto(c, tools, tmp):
    """Link-time optimisation: checks come in at the link."""
    objs = []
    for src in CORPUS:
        if src.stem == 'nested':
            continue
        obj = Path(tmp) / f'lto-{src.stem}.o'
        done = run(*command(tools, 'gcc', '-O2', ('-flto',), src, obj))
        c.check(f'lto_{src.stem}_compiles', done.returncode == 0, done.stderr)
        objs.append(obj)
    out = Path(tmp) / 'lto.o'
    flags = [x for x in GCC_FLAGS if 'specs' not in x]
    done = run('arm-none-eabi-gcc', '-B', f'{tools}/', *CPU, *flags, '-O2',
               '-flto', '-fno-toplevel-reorder', '-flinker-output=nolto-rel',
               '-nostdlib', '-r', '-o', out, *objs)
    said = [x for x in done.stderr.splitlines() if 'note:' not in x]
    if c.check('lto_links', done.returncode == 0, '\n'.join(said)):
        n, wrong = judge(out)
        c.check('lto_depths', n > 70 and not wrong, f'{n} functions, {wrong}')


def places(c, tools, tmp):
    """A function that begins with its loop: the check stands before it
    (as compilers may begin one; attribute and comment make it GCC's text)."""
    src, obj = Path(tmp) / 'loop.s', Path(tmp) / 'loop.o'
    src.write_text('''
        .eabi_attribute 6, 13
        .syntax unified
        .thumb
        .text
        .global f
        .type f, %function
f:
        @ args = 0, pretend = 0, frame = 0
.L1:    ldrb r1, [r0], #1
        cmp r1, #32
        beq .L1
        push {r4, lr}
        bl ext
        pop {r4, pc}
        .size f, .-f
''')
    done = run('arm-none-eabi-gcc', '-B', f'{tools}/', *CPU, '-c', src, '-o',
               obj)
    if c.check('loop_first_assembles', done.returncode == 0, done.stderr):
        c.equal('loop_first', judge(obj), (1, []))


def refusals(c, tools, tmp):
    """What cannot be checked is an error that names function and line, or a
    stated annotation; never silent."""
    cases = {
        'naked': '__attribute__((naked)) void f(void) '
                 '{ __asm("push {r4}\\npop {r4}\\nbx lr"); }',
        'inline_sp': 'int ext(int); int f(int a) { __asm volatile('
                     '"sub sp, sp, %0" :: "r"(a)); return ext(a); }',
        'file_scope': '__asm(".thumb_func\\n.global f\\n.type f, %function\\n'
                      'f: ldr sp, [r0]\\nbx lr");'}
    for name, text in cases.items():
        src, obj = Path(tmp) / f'{name}.c', Path(tmp) / f'{name}.o'
        src.write_text(text + '\n')
        done = run(*command(tools, 'gcc', '-O2', (), src, obj))
        if done.returncode:
            c.check(f'refuses_{name}', re.search(r'\.[cs]:\d+: .*\bf\b',
                                                 done.stderr), done.stderr)
        else:
            c.equal(f'checks_{name}', judge(obj)[1], [])


def main():
    c = Checks()
    os.environ['LC_ALL'] = 'C'
    with tempfile.TemporaryDirectory() as tmp:
        tools = alula_as(tmp)
        corpus(c, tools, tmp)
        sweep(c, tools, tmp)
        lto(c, tools, tmp)
        places(c, tools, tmp)
        refusals(c, tools, tmp)
    return c.done()


if __name__ == '__main__':
    sys.exit(main())
