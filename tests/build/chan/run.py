#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A channel's items have its type: others do not compile, in C and in C++17.

Fails if: a value of another type than the channel's compiles as an item, or as
the place of one; if a capacity that is no power of two, or an item of more than
AL_CHAN_ITEM_MAX bytes does; or if one that is right does not.
"""
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/build"))
from check import CLANG, CPU, GCC, Checks, run  # noqa: E402

checks = Checks()

HEAD = """
#include <alula/alula.h>
struct item { int a; char b; };
struct same { int a; char b; };
struct large { char bytes[65]; };
AL_CHAN(numbers, uint32_t, 4);
AL_CHAN(bytes, unsigned char, 1);
AL_CHAN(floats, float, 2);
AL_CHAN(items, struct item, 8);
AL_CHAN(texts, const char *, 2);
AL_CHAN_TYPE(longs, long long, 2);
extern struct longs shared;
struct longs shared = AL_CHAN_INIT(long long, 2);
struct longs made;
void use(const struct item *item, volatile int *status);
void use(const struct item *item, volatile int *status)
{
    uint32_t number = 0; unsigned char byte = 0; float real = 0;
    struct item one = *item; struct same other = {1, 2};
    const char *text = 0; char *buffer = 0; long long big = 0; int plain = 0;
    (void)number; (void)byte; (void)real; (void)one; (void)other; (void)text;
    (void)buffer; (void)big; (void)plain; (void)status;
"""
TAIL = "\n}\n"

GOOD = """
    *status = al_chan_send(&numbers, number);
    *status = al_chan_send(&numbers, 5);
    *status = al_chan_send(&numbers, plain);
    *status = al_chan_try_send(&bytes, 'x');
    *status = al_chan_send_until(&floats, 1.5f, al_in(5));
    *status = al_chan_send(&items, *item);
    *status = al_chan_send(&items, one);
    *status = al_chan_send(&texts, text);
    *status = al_irq_chan_send(&texts, text + 1);
    *status = al_chan_send(&shared, big);
    al_chan_init(&made);
    *status = al_chan_recv(&numbers, &number);
    *status = al_chan_try_recv(&bytes, &byte);
    *status = al_chan_recv_until(&floats, &real, al_in(5));
    *status = al_irq_chan_recv(&items, &one);
    *status = al_chan_recv(&texts, &text);
    *status = al_chan_recv(&made, &big);
    *status = (int)al_chan_count(&made);
    al_chan_close(&made);
    al_chan_destroy(&made);
    AL_CHAN_SENDER_SCOPED(&items);
    AL_CHAN_RECEIVER_SCOPED(&numbers);
"""

BAD = {
    "a float to integers": "*status = al_chan_send(&numbers, real);",
    "an integer to floats": "*status = al_chan_send(&floats, number);",
    "a double to floats": "*status = al_chan_send(&floats, 1.5);",
    "another struct": "*status = al_chan_send(&items, other);",
    "a pointer to a struct": "*status = al_chan_send(&items, item);",
    "a struct to integers": "*status = al_chan_send(&numbers, one);",
    "an integer to structs": "*status = al_chan_send(&items, 5);",
    "a pointer to integers": "*status = al_chan_send(&numbers, text);",
    "an integer to pointers": "*status = al_chan_send(&texts, plain);",
    "another pointer": "*status = al_chan_send(&texts, item);",
    "in a handler": "*status = al_irq_chan_send(&numbers, real);",
    "until a deadline": "*status = al_chan_send_until(&items, other, 5);",
    "received as another integer": "*status = al_chan_recv(&numbers, &plain);",
    "received as a narrower one": "*status = al_chan_recv(&numbers, &byte);",
    "received as another struct": "*status = al_chan_recv(&items, &other);",
    "received by a constant's address": "*status = al_chan_recv(&items, item);",
    "received by a handler": "*status = al_irq_chan_recv(&floats, &number);",
    "no channel": "*status = al_chan_send(&number, number);",
}

BAD_OUTSIDE = {
    "a capacity of 3": "AL_CHAN(three, int, 3);",
    "no capacity": "AL_CHAN(none, int, 0);",
    "an item of 65 bytes": "AL_CHAN(heavy, struct large, 2);",
}

LANGUAGES = {
    "C, GCC": (*GCC, "-std=gnu11", "-x", "c"),
    "C, Clang": (*CLANG, "-std=gnu11", "-x", "c"),
    "C++, GCC": (*GCC, "-std=gnu++17", "-x", "c++"),
    "C++, Clang": (*CLANG, "-std=gnu++17", "-x", "c++"),
}


def compiles(tmp, language, source):
    file = Path(tmp) / "source"
    file.write_text(source, encoding="utf-8")
    done = run(*LANGUAGES[language], *CPU, "-ffreestanding", "-O1", "-Wall",
               "-Wextra", "-Wshadow", "-Werror", "-I", ROOT / "include", "-I",
               ROOT / "arch/cortexm/include", "-S", "-o", "/dev/null", file)
    return done.returncode == 0, done.stdout + done.stderr


with tempfile.TemporaryDirectory() as tmp:
    for language in LANGUAGES:
        good, said = compiles(tmp, language, HEAD + GOOD + TAIL)
        checks.check(f"right items, {language}", good, said)
        for name, line in BAD.items():
            good, said = compiles(tmp, language, HEAD + line + TAIL)
            checks.check(f"{name}, {language}", not good, "it compiles")
        for name, line in BAD_OUTSIDE.items():
            good, said = compiles(tmp, language, HEAD + TAIL + line)
            checks.check(f"{name}, {language}", not good, "it compiles")
        sentence = compiles(tmp, language, HEAD + BAD["another struct"] + TAIL)
        checks.check(f"told in a sentence, {language}",
                     "this value is not of the type of the channel" in sentence[1],
                     sentence[1])
sys.exit(checks.done())
