#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""alula-decode: layout, decoding, refusal, and that no input makes it fall.

Fails if: a member of the header moves without tools/crashrecord.py; the
checksum of kernel/crash.c and of the tool differ; a record of another build is
decoded; a damaged record is shown, or gives a traceback; a handler's death is
not told from a task's.
"""
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / 'tools'))
sys.path.insert(0, str(ROOT / 'tests/build'))
import crashrecord as cr  # noqa: E402
from check import Checks, run, gcc, link  # noqa: E402

DECODE = str(ROOT / 'tools/alula-decode')
SOURCE = '''
volatile int sink;
static const char why[] = "the well is dry";
const char *keep = why;
static inline __attribute__((always_inline)) void leaf(int n) { sink = 7 / n; }
__attribute__((noinline)) void middle(int n)
{
    leaf(n);
    sink++;
}
void outer(int n)
{
    middle(n);
    sink--;
}
void _start(void)
{
    outer(0);
    sink = (int)keep;
    for (;;) {
    }
}
'''


def record(build, sequence=3, pcs=(), pc_count=None, **changed):
    """The bytes of a valid record."""
    members = dict(magic=cr.MAGIC, version=cr.VERSION, size=cr.SIZE,
                   sequence=sequence, checksum=0, build_id=build, cause=7,
                   detail=(0, 0), text=0, task=b'worker\0\0\0\0\0\0',
                   generation=2, tick=(1000, 1), pc=pcs[0] if pcs else 0,
                   lr=0, sp=0x20001000, psr=0x01000000, fault_status=0,
                   fault_address=0, scopes_undone=1, heap_left=0, nested=0,
                   pc_count=len(pcs) if pc_count is None else pc_count,
                   pcs=tuple(pcs) + (0,) * (32 - len(pcs)))
    members.update(changed)
    data = b''
    for name, form in cr.FIELDS:
        v = members[name]
        data += struct.pack('<' + form, *(v if isinstance(v, tuple) else (v,)))
    at = cr.offsets()['checksum'][0]
    return data[:at] + struct.pack('<I', cr.checksum(data)) + data[at + 4:]


def layout(c, tmp):
    """The header's offsets, as the compiler lays them out."""
    body = '\n'.join(
        f'const unsigned off_{n}[2] = {{offsetof(struct al_crash_record, {n}),'
        f' sizeof(((struct al_crash_record *)0)->{n})}};'
        for n, _ in cr.FIELDS)
    obj = gcc(tmp, 'layout', '#include <stddef.h>\n#include <alula/crash.h>\n'
              'const unsigned total = sizeof(struct al_crash_record);\n'
              'const unsigned magic = AL_CRASH_MAGIC, version ='
              ' AL_CRASH_VERSION;\n'
              'const unsigned members[] = {AL_CRASH_NEWEST, AL_CRASH_OLDEST};'
              '\n' + body, '-O1', f'-I{ROOT}/include',
              f'-I{ROOT}/arch/cortexm/include')
    from elffile import Elf
    elf = Elf(obj)

    def words(name, n):
        s = next(s for s in elf.symbols if s.name == name)
        return struct.unpack(f'<{n}I', elf.read(s.value, 4 * n))
    c.equal('layout_size', words('total', 1)[0], cr.SIZE)
    c.equal('layout_magic', (words('magic', 1) + words('version', 1)),
            (cr.MAGIC, cr.VERSION))
    c.equal('layout_kept', words('members', 2), (cr.NEWEST, cr.OLDEST))
    for n, _ in cr.FIELDS:
        c.equal(f'layout_{n}', words(f'off_{n}', 2), cr.offsets()[n])
    text = (ROOT / 'include/alula/crash.h').read_text()
    names = {int(v): n.lower() for n, v in
             re.findall(r'AL_CAUSE_(\w+)\s*=\s*(\d+)', text)}
    c.equal('cause_names', [names.get(i) for i in range(len(cr.CAUSES))],
            list(cr.CAUSES))
    c.equal('cause_count', len(names), len(cr.CAUSES))


def kernel_checksum(c, tmp):
    """kernel/crash.c's own checksum, compiled for the host, on random
    records."""
    source = (ROOT / 'kernel/crash.c').read_text()
    body = re.search(r'static uint32_t pcs_covered\(.*?'
                     r'static uint32_t checksum\(.*?\n}\n', source, re.S)
    prog = Path(tmp) / 'sum.c'
    prog.write_text('#include <stddef.h>\n#include <stdint.h>\n'
                    '#include <stdio.h>\n#include <alula/crash.h>\n'
                    '#define ARCH_SUM_WORDS 1u\n'
                    'static uint32_t arch_sum(uint32_t sum, const uint32_t '
                    '*from) { return (sum >> 7 | sum << 25) + *from; }\n'
                    + (body.group(0) if body else '') +
                    'int main(void) { struct al_crash_record r; while '
                    '(fread(&r, sizeof r, 1, stdin)) printf("%u\\n", '
                    'checksum(&r)); return 0; }\n')
    exe = Path(tmp) / 'sum'
    done = run('cc', f'-I{ROOT}/include', '-o', exe, prog)
    if done.returncode:
        c.check('kernel_checksum', False, done.stderr)
        return
    rng = random.Random(5)
    at = cr.offsets()['pc_count'][0]
    samples = [rng.randbytes(at) + struct.pack('<I', rng.randrange(40))
               + rng.randbytes(cr.SIZE - at - 4) for _ in range(50)]
    out = subprocess.run([exe], input=b''.join(samples), capture_output=True,
                         check=True)
    c.equal('kernel_checksum', [int(x) for x in out.stdout.split()],
            [cr.checksum(s) for s in samples])


def decode(*args, data=None):
    return subprocess.run([DECODE, *map(str, args)], input=data,
                          capture_output=True, timeout=60)


def text(done):
    return (done.stdout + done.stderr).decode()


def interrupts(c, tmp):
    """An interrupt without a handler names its line."""
    path = Path(tmp) / 'interrupt.bin'
    path.write_bytes(record(bytes(8), cause=17, detail=(18, 0), pcs=(0x100,)))
    done = decode(path)
    c.check('interrupt', done.returncode == 0 and 'crash 3: task "worker" '
            '(generation 2): interrupt: line 18 has no handler' in text(done),
            text(done))


VECTORS = '''
void TIM2_IRQHandler(void) { middle(1); }
static void unhandled(void) { for (;;) { } }
void CAN_IRQHandler(void) __attribute__((alias("unhandled")));
void DMA_IRQHandler(void) __attribute__((alias("unhandled")));
void NMI_Handler(void) { sink = 2; }
void (*const __al_vectors[20])(void) = {[2] = NMI_Handler,
    [17] = TIM2_IRQHandler, [18] = CAN_IRQHandler, [19] = DMA_IRQHandler};
'''


def handlers(c, tmp):
    """A death in a handler names its line, and its function where the vector
    table has one of its own; a task's none."""
    from elffile import Elf
    elf = image(tmp, 'vectors', VECTORS)
    build = Elf(elf).build_id()[:8]
    path = Path(tmp) / 'handler.bin'
    for exception, want in (
            (17, ' in the handler of line 1 (TIM2_IRQHandler)'),
            (18, ' in the handler of line 2'), (20, ' in the handler of line 4'),
            (511, ' in the handler of line 495'),
            (2, ' in exception 2 (NMI_Handler)'), (3, ' in exception 3'),
            (0, '')):
        psr = 0x61000000 | exception
        path.write_bytes(record(build, psr=psr))
        c.check(f'handler_{exception}', f'psr {psr:#010x}{want}\n' in
                text(decode(elf, path)), text(decode(elf, path)))
    path.write_bytes(record(build, psr=0x61000011))
    c.check('handler_without_elf', ' in the handler of line 1\n' in
            text(decode(path)), text(decode(path)))
    for cause, pair, want in (
            (18, (0, 0), 'killed'), (19, (28, 0), 'storm: line 28 is disabled'),
            (20, (7, 0), 'deadline: 7 ticks'),
            (21, (7, 90), 'budget: 7 ticks in a window of 90'),
            (22, (7, 0), 'watchdog: 7 ticks'), (22, (0, 0), "the board's")):
        path.write_bytes(record(build, cause=cause, detail=pair))
        c.check(f'cause_{cause}_{pair[0]}', want in text(decode(elf, path)),
                text(decode(elf, path)))


def image(tmp, name, extra=''):
    obj = gcc(tmp, name, SOURCE + extra, '-O1', '-g', '-fno-optimize-sibling-'
              'calls')
    return link(tmp, name, obj)


def decoding(c, tmp):
    from elffile import Elf
    elf = image(tmp, 'one')
    e = Elf(elf)
    build = e.build_id()[:8]
    at = {s.name: s.value & ~1 for s in e.symbols}
    src = (Path(tmp) / 'one.c').read_text().splitlines()
    line = {k: next(n for n, t in enumerate(src, 1) if k in t)
            for k in ('7 / n', 'outer(0);', 'middle(n);')}
    dis = run('arm-none-eabi-objdump', '-d', elf).stdout
    div = int(re.search(r'^ *([0-9a-f]+):.*\tsdiv', dis, re.M).group(1), 16)
    ret = [int(m.group(1), 16) for m in re.finditer(
        r'\tbl\t\w+ <(?:middle|outer)>\n *([0-9a-f]+):', dis)]
    good = record(build, pcs=[div, ret[0] | 1, ret[1] | 1], text=at['why'],
                  lr=ret[0] | 1)
    f = Path(tmp) / 'rec.bin'
    f.write_bytes(good)
    out = decode('--elf', elf, f)
    c.equal('status_0', out.returncode, 0)
    t = text(out)
    for name, want in {
            'head': 'crash 3: task "worker" (generation 2): div0',
            'line': f'leaf at {tmp}/one.c:{line["7 / n"]}',
            'inlined': f'inlined into middle at {tmp}/one.c',
            'caller': f'outer at {tmp}/one.c:{line["middle(n);"]}',
            'caller2': f'_start at {tmp}/one.c:{line["outer(0);"]}',
            'text': 'the well is dry', 'tick': f'tick {1000 | 1 << 32}',
    }.items():
        c.check(f'shows_{name}', want in t, f'no "{want}" in:\n{t}')
    c.check('elf_first', text(decode(elf, f)) == t, 'ELF as first argument')
    words = [f'{w:08x}' for w, in struct.iter_unpack('<I', good)]
    octets = [f'{b:02x}' for b in good]
    for name, lines in {
            'words': [' '.join(words[i:i + 8]) for i in range(0, 58, 8)],
            'bytes': [f'{i:04x}: ' + ' '.join(octets[i:i + 16])
                      for i in range(0, 232, 16)],
            'solid': [good.hex()]}.items():
        f.write_text('> crashes -x\n' + '\n'.join(lines) + '\n> \n')
        c.equal(f'hex_{name}', text(decode('--elf', elf, f)), t)
    second = record(build, sequence=4, pcs=[div])
    f.write_bytes(b'ALSR' + struct.pack('<II', 4, ~4 & 0xffffffff) + bytes(232)
                  + second + good)
    t = text(decode('--elf', elf, f))
    c.equal('ring_in_order', re.findall(r'^crash (\d)', t, re.M), ['3', '4'])
    f.write_bytes(os.urandom(1001) + struct.pack('<I', cr.MAGIC) + good
                  + bytes(77))
    t = text(decode('--elf', elf, '--ram', f))
    c.equal('ram_dump', re.findall(r'^crash (\d)', t, re.M), ['3'])
    many = record(build, pcs=list(range(100, 132)), pc_count=45)
    f.write_bytes(many)
    t = text(decode('--elf', elf, f))
    rows = re.findall(r'#(\d+) +0x0*([0-9a-f]+)', t)
    want = [(k, 100 + k) for k in range(24)] + [
        (k, 100 + 24 + (k - 24) % 8) for k in range(37, 45)]
    c.equal('deep_trace', [(int(a), int(b, 16)) for a, b in rows], want)
    c.check('deep_gap', '13 frames not kept' in t, t)
    f.write_bytes(good)
    c.equal('without_elf', decode(f).returncode, 0)
    other = image(tmp, 'two', '\nint other = 3;\n')
    out = decode('--elf', other, f)
    c.check('other_build', out.returncode == 1 and 'was written by build' in
            text(out) and not out.stdout, text(out))
    bare = link(tmp, 'bare', Path(tmp) / 'one.o', '-Wl,--build-id=none')
    out = decode('--elf', bare, f)
    c.check('no_build_id', out.returncode == 2 and 'no build id' in text(out),
            text(out))
    return elf, good


def refusal(c, tmp, elf, good):
    f = Path(tmp) / 'bad.bin'
    for name, data, want in (
            ('empty', b'', 'no crash record'),
            ('magic', b'X' + good[1:], 'magic number'),
            ('version', good[:4] + b'\x09' + good[5:], 'version 9'),
            ('size', good[:6] + b'\x10\x00' + good[8:], '16 bytes'),
            ('checksum', good[:80] + b'\xff' + good[81:], 'damaged'),
            ('cut', good[:100], 'cut off')):
        f.write_bytes(data)
        out = decode('--elf', elf, f)
        c.check(f'refuses_{name}', out.returncode == 1 and want in text(out)
                and not out.stdout, text(out))
    c.equal('no_file', decode('--elf', elf, Path(tmp) / 'none').returncode, 2)
    c.equal('no_record', decode('--elf', elf).returncode, 2)
    f.write_bytes(b'not an ELF')
    c.equal('bad_elf', decode('--elf', f, f).returncode, 2)


def fuzz(c, tmp, elf, good):
    """Damage of any kind: a sentence and a status, never a traceback. In this
    process, for speed; the command's own wrapper is covered above."""
    import importlib.machinery
    import importlib.util
    loader = importlib.machinery.SourceFileLoader('alula_decode', DECODE)
    spec = importlib.util.spec_from_loader('alula_decode', loader)
    mod = importlib.util.module_from_spec(spec)
    loader.exec_module(mod)
    seed = int(os.environ.get('SEED', '1'))
    print(f'# SEED={seed}')
    rng = random.Random(seed)
    img, wrong = mod.Image(str(elf)), []
    img.learn = lambda addrs: None
    null = open(os.devnull, 'w', encoding='utf-8')
    out, err = sys.stdout, sys.stderr
    for n in range(4000):
        data = bytearray(good)
        for _ in range(rng.choice((0, 1, 1, 2, 8))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        if n % 3 == 0:      # valid checksum over nonsense: members at random
            at = cr.offsets()['checksum'][0]
            body = bytearray(rng.randbytes(cr.SIZE))
            body[:8] = good[:8]
            build = cr.offsets()['build_id'][0]
            body[build:build + 8] = good[build:build + 8]
            body[at:at + 4] = struct.pack('<I', cr.checksum(bytes(body)))
            data = body
        elif n % 3 == 1:
            data = data[:rng.randrange(len(data) + 1)] * rng.randrange(1, 3)
        if n % 7 == 0:
            data = bytes(data).hex().encode()[:rng.randrange(600)]
        sys.stdout = sys.stderr = null
        try:
            mod.decode('fuzz', bytes(data), n % 5 == 0, img)
        except Exception as e:  # noqa: BLE001: any one is a failure
            wrong.append(f'SEED={seed} n={n}: {e!r}')
        finally:
            sys.stdout, sys.stderr = out, err
    null.close()
    c.equal('fuzz_records', wrong, [])
    raw, bad = Path(elf).read_bytes(), []
    f = Path(tmp) / 'fuzz.elf'
    from elffile import Elf, ElfError
    for n in range(600):
        data = bytearray(raw)
        for _ in range(rng.choice((1, 4, 30))):
            data[rng.randrange(len(data)) if n % 2 else rng.randrange(
                52)] = rng.randrange(256)
        f.write_bytes(data[:rng.randrange(len(data))] if n % 5 == 0 else data)
        try:
            Elf(str(f)).build_id()
        except ElfError:
            pass
        except Exception as e:  # noqa: BLE001
            bad.append(f'SEED={seed} n={n}: {e!r}')
    c.equal('fuzz_elf', bad, [])


def main():
    c = Checks()
    with tempfile.TemporaryDirectory() as tmp:
        layout(c, tmp)
        kernel_checksum(c, tmp)
        interrupts(c, tmp)
        handlers(c, tmp)
        elf, good = decoding(c, tmp)
        refusal(c, tmp, elf, good)
        fuzz(c, tmp, elf, good)
    return c.done()


if __name__ == '__main__':
    sys.exit(main())
