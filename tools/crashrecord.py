# SPDX-License-Identifier: MIT
"""The layout of a crash record: include/alula/crash.h in Python.

The only place in the tools that knows it; tests/build/decode compares it with
what the compiler makes of the header, member by member.
"""
import struct

MAGIC, VERSION = 0x48534143, 2
NEWEST, OLDEST = 24, 8
# (member, struct format) in memory order; little endian, no padding.
FIELDS = (
    ('magic', 'I'), ('version', 'H'), ('size', 'H'), ('sequence', 'I'),
    ('build_id', '8s'), ('cause', 'I'), ('detail', '2I'),
    ('text', 'I'), ('task', '12s'), ('generation', 'I'), ('tick', '2I'),
    ('pc', 'I'), ('lr', 'I'), ('sp', 'I'), ('psr', 'I'),
    ('fault_status', 'I'), ('fault_address', 'I'), ('scopes_undone', 'I'),
    ('heap_left', 'I'), ('nested', 'I'), ('pc_count', 'I'),
    ('pcs', f'{NEWEST + OLDEST}I'), ('checksum', 'I'),
)
SIZE = struct.calcsize('<' + ''.join(f for _, f in FIELDS))
CAUSES = ('none', 'overflow', 'vla', 'null', 'access', 'bus', 'undef', 'div0',
          'align', 'oob', 'check', 'assert', 'panic', 'caller', 'stack',
          'fault', 'kernel', 'interrupt', 'killed', 'storm', 'deadline',
          'budget', 'watchdog')


class BadRecord(Exception):
    """What is wrong with it, as a sentence."""


def offsets():
    """member -> (offset, bytes)."""
    out, at = {}, 0
    for name, form in FIELDS:
        out[name] = (at, struct.calcsize('<' + form))
        at += out[name][1]
    return out


def checksum(data):
    """Of a record's bytes: the words behind the magic number, to the four with
    the last program counter kept, each added after a turn by 7."""
    at = offsets()
    count, = struct.unpack_from('<I', data, at['pc_count'][0])
    end = at['pcs'][0] + 16 * ((min(count, NEWEST + OLDEST) + 3) // 4)
    value = 0
    for word, in struct.iter_unpack('<I', data[at['version'][0]:end]):
        value = (value >> 7 | value << 25) + word & 0xffffffff
    return value


class Record:
    """One valid record; members as attributes."""

    def __init__(self, data):
        if len(data) < 8:
            raise BadRecord(f'it has {len(data)} bytes, a record {SIZE}')
        magic, version, size = struct.unpack_from('<IHH', data)
        if magic != MAGIC:
            raise BadRecord(f'it does not begin with the magic number '
                            f'{MAGIC:#x}, but with {magic:#x}')
        if version != VERSION:
            raise BadRecord(f'its layout has version {version}; this tool '
                            f'knows version {VERSION}')
        if size != SIZE:
            raise BadRecord(f'it says that it has {size} bytes; version '
                            f'{VERSION} has {SIZE}')
        if len(data) < SIZE:
            raise BadRecord(f'it is cut off after {len(data)} of {SIZE} bytes')
        at = offsets()
        for name, form in FIELDS:
            values = struct.unpack_from('<' + form, data, at[name][0])
            setattr(self, name, values if len(values) > 1 else values[0])
        if self.checksum != checksum(data):
            raise BadRecord(f'its checksum is {self.checksum:#x}, its content '
                            f'gives {checksum(data):#x}: it is damaged')
        self.task = self.task.split(b'\0')[0].decode('ascii', 'replace')

    @property
    def cause_name(self):
        if self.cause < len(CAUSES):
            return CAUSES[self.cause]
        return f'cause {self.cause}'

    def backtrace(self):
        """[(frame number, program counter)], newest first; a gap in the
        numbers where the middle was not kept."""
        n = self.pc_count
        if n <= NEWEST + OLDEST:
            return list(enumerate(self.pcs[:n]))
        return list(enumerate(self.pcs[:NEWEST])) + [
            (k, self.pcs[NEWEST + (k - NEWEST) % OLDEST])
            for k in range(n - OLDEST, n)]


def find(data):
    """Offsets at which a record seems to begin, at any alignment."""
    out, key = [], struct.pack('<I', MAGIC)
    at = data.find(key)
    while at >= 0:
        out.append(at)
        at = data.find(key, at + 1)
    return out
