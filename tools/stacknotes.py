# SPDX-License-Identifier: MIT
"""What people state about stacks: annotations in an image, and in files.

include/alula/stack.h writes them to .debug_alula: a word for the place in the
code that it stands at (0: none), a word for a function or table it names (0: none), text,
padded to words. A file has a line for each (docs/stack.md has them all):

    calls CALLER [CALLEE...]   calls through pointers in CALLER reach these only:
                               functions, or those that constant objects name
    set NAME FUNCTION...       "set:NAME" behind "calls" stands for all of these
    callback FUNCTION          calls through pointers in it, and below it, reach
                               functions that its caller names in its code
    scope OPENER CLEANUP       a call of OPENER registers CLEANUP
    recurses FUNCTION TIMES    at most so many of it are on a stack at once
    variable FUNCTION BYTES    its arrays of variable size take so much at most
    uses FUNCTION BYTES        precompiled: so much, with all that it calls
    runtime TASK               run-time checks suffice for it
    task ENTRY BYTES           made at run time, with a stack of so many bytes

"NAME?": the image may lack it. Here they are read and bound to functions;
what they mean is stackneed's.
"""
import collections
import glob
import os

from elffile import ElfError, STT_OBJECT

SECTION = '.debug_alula'
SHF_COMPRESSED = 0x800
# kind: (words behind it at least, at most, the last is a number)
FORMS = {'calls': (1, 999, False), 'set': (2, 999, False), 'callback': (1, 1, False),
         'scope': (2, 2, False),
         'recurses': (2, 2, True), 'variable': (2, 2, True),
         'uses': (2, 2, True), 'runtime': (1, 1, False),
         'task': (2, 2, True)}


def default_files():
    here = os.path.dirname(os.path.abspath(__file__))
    return sorted(glob.glob(os.path.join(here, 'bounds', '*.notes')))


class Note:
    """kind, words behind it, where it stands; place and callee: addresses of
    one in the code, else None."""

    def __init__(self, where, text, place=None, callee=None):
        self.where, self.place, self.callee = where, place, callee
        words = text.split()
        self.kind, self.words = (words or [''])[0], words[1:]
        self.wrong = self._wrong(text)

    def _wrong(self, text):
        if self.kind not in FORMS:
            return f'"{text}" is no annotation: {", ".join(FORMS)} are'
        least, most, number = FORMS[self.kind]
        if self.place is not None:          # the function is where it stands
            least -= 1
            most -= 1
        if not least <= len(self.words) <= most:
            return f'"{text}" has too few or too many words'
        if number and not self.words[-1].isdigit():
            return f'"{text}": "{self.words[-1]}" is no number'
        return None


def read_files(paths):
    notes = []
    for path in paths:
        try:
            with open(path, encoding='utf-8') as f:
                lines = f.read().splitlines()
        except (OSError, UnicodeDecodeError) as e:
            raise ElfError(f'{path}: {e}') from e
        for n, line in enumerate(lines, 1):
            line = line.split('#')[0].strip()
            if line:
                note = Note(f'{path}:{n}', line)
                if note.wrong:
                    raise ElfError(f'{note.where}: {note.wrong}')
                notes.append(note)
    return notes


def read_image(elf):
    """The notes in an image's .debug_alula. One whose place is 0 and that
    needs one stood in a function that the image does not have."""
    section, notes = elf.section(SECTION), []
    data, at = (section.data, 0) if section else (b'', 0)
    if section and section.flags & SHF_COMPRESSED:
        raise ElfError(f'{elf.path}: {SECTION} is compressed: link without '
                       '-gz')
    while at + 8 < len(data):
        place, callee = (int.from_bytes(data[at + k:at + k + 4], 'little')
                         for k in (0, 4))
        end = data.find(b'\0', at + 8)
        if end < 0:
            raise ElfError(f'{elf.path}: {SECTION} is not whole')
        text = data[at + 8:end].decode('utf-8', 'replace')
        at = end + 4 & ~3
        anywhere = text.startswith(':')
        if not anywhere and place == 0:
            continue
        note = Note(f'an annotation at {place & ~1:#x}' if place else
                    f'{elf.path}: an annotation', text.lstrip(':'),
                    None if anywhere else place & ~1, callee & ~1)
        if note.wrong:
            raise ElfError(f'{note.where}: {note.wrong}')
        notes.append(note)
    return notes


class Notes:
    """The notes bound to an image's functions; addresses are the keys."""

    def __init__(self, graph, notes):
        self.g, self.errors = graph, []
        self.calls, self.scopes = {}, collections.defaultdict(list)
        self.recurses, self.variable, self.uses = {}, {}, {}
        self.runtime, self.tasks, self.callbacks = set(), [], {}
        self.excused = set()       # call back: what, their callers say
        self.clones = collections.defaultdict(list)
        for f in graph.functions.values():
            for n in {n.split('.')[0] for n in f.names} | set(f.names):
                self.clones[n].append(f)
        self.sets = collections.defaultdict(list)
        for note in sorted(notes, key=lambda n: n.kind != 'set'):
            getattr(self, '_' + note.kind)(note)

    def wrong(self, note, text):
        self.errors.append(f'{note.where}: {note.kind}: {text}')

    def find(self, note, name):
        """Functions of that name, and what compilers made of it."""
        found = self.clones.get(name.removesuffix('?'), []) or (
            self.table(name.removesuffix('?')))
        if not found and not name.endswith('?'):
            self.wrong(note, f'the image has no function {name}')
        return found

    def subject(self, note):
        """(functions that the note is about, the words behind)."""
        if note.place is None:
            return self.find(note, note.words[0]), note.words[1:]
        f = self.g.function_at(note.place)
        return ([f] if f else []), note.words

    def table(self, what):
        """The functions whose addresses an object holds that is named, or that
        begins at an address."""
        elf, out = self.g.image.elf, []
        for s in elf.symbols:
            if s.type == STT_OBJECT and s.size and what in (
                    s.value, s.name.split('.')[0]):
                words = (elf.word(a) for a in range(
                    s.value, s.value + s.size - 3, 4))
                out += [self.g.functions[w & ~1] for w in words
                        if isinstance(w, int) and w & 1
                        and w & ~1 in self.g.functions]
        return out

    def _calls(self, note):
        functions, words = self.subject(note)
        callees = []
        for w in words:
            if w.startswith('set:'):
                members = self.sets[w[4:].removesuffix('?')]
                if not members:
                    return              # nobody said what is in it
                callees += members
            else:
                callees += self.find(note, w)
        if note.callee:
            f = self.g.functions.get(note.callee)
            callees += [f] if f else self.table(note.callee)
        for f in functions:
            self.calls.setdefault(f.addr, []).extend(callees)

    def _set(self, note):
        for w in note.words[1:]:
            self.sets[note.words[0]] += self.find(note, w)

    def _callback(self, note):
        for f in self.find(note, note.words[0]):
            self.callbacks[f.addr] = f

    def _scope(self, note):
        for f in self.find(note, note.words[0]):
            self.scopes[f.addr] += self.find(note, note.words[1])

    def _number(self, note, into, least):
        functions, words = self.subject(note)
        n = int(words[-1])
        if n < least:
            self.wrong(note, f'{n} is less than {least}')
        for f in functions:
            into[f.addr] = max(n, into.get(f.addr, 0))
        return functions, n

    def _recurses(self, note):
        self._number(note, self.recurses, 1)

    def _variable(self, note):
        self._number(note, self.variable, 0)

    def _uses(self, note):
        functions, n = self._number(note, self.uses, 0)
        for f in functions:
            if self.g.record(f) is not None:
                self.wrong(note, f'{f.name} is not precompiled: alula-as '
                                 f'found that it takes {f.own} bytes')
            elif f.own > n:
                self.wrong(note, f'{f.name} takes {f.own} bytes itself, more '
                                 f'than {n}')

    def _runtime(self, note):
        self.runtime.add((note.words[0], note))

    def _task(self, note):
        for f in self.find(note, note.words[0])[:1]:
            self.tasks.append((f, int(note.words[1])))
