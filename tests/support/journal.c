/* SPDX-License-Identifier: MIT */
/* See journal.h. */
#include "journal.h"

static char text[64];
static volatile unsigned length;

void journal_note(char what)
{
    if (length < sizeof text - 1) {
        text[length] = what;
        length++;
    }
}

void journal_clear(void)
{
    for (unsigned i = 0; i < sizeof text; i++) {
        text[i] = '\0';
    }
    length = 0;
}

const char *journal(void)
{
    return text;
}

unsigned journal_length(void)
{
    return length;
}

bool journal_is(const char *expected)
{
    unsigned i = 0;

    while (expected[i] != '\0' && text[i] == expected[i]) {
        i++;
    }
    return expected[i] == '\0' && i == length;
}
