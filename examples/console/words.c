/* SPDX-License-Identifier: MIT */
#include "words.h"

struct word word_next(const char **at)
{
    struct word word = {*at, 0};
    const char *end;

    while (*word.text == ' ') {
        word.text++;
    }
    end = word.text;
    while (*end != ' ' && *end != '\0') {
        end++;
    }
    word.length = (size_t)(end - word.text);
    *at = end;
    return word;
}

bool word_is(struct word word, const char *name)
{
    for (size_t i = 0; i < word.length; i++) {
        if (name[i] == '\0' || name[i] != word.text[i]) {
            return false;
        }
    }
    return name[word.length] == '\0';
}

/* 0..15, or 16 for what is no digit. */
static uint32_t digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0');
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10u : 16u;
}

bool word_number(struct word word, uint32_t *number)
{
    uint32_t base = 10;
    uint64_t value = 0;
    size_t i = 0;

    if (word.length > 2 && word.text[0] == '0' &&
            (word.text[1] | 0x20) == 'x') {
        base = 16;
        i = 2;
    }
    for (; i < word.length; i++) {
        uint32_t digit = digit_value(word.text[i]);

        if (digit >= base) {
            return false;
        }
        value = value * base + digit;
        if (value > UINT32_MAX) {
            return false;
        }
    }
    *number = (uint32_t)value;
    return word.length > 0;
}

bool word_next_number(
        const char **at, uint32_t least, uint32_t most, uint32_t *number)
{
    uint32_t value;

    if (!word_number(word_next(at), &value) || value < least || value > most) {
        return false;
    }
    *number = value;
    return true;
}

bool word_none(const char *at)
{
    return word_next(&at).length == 0;
}

bool verb_run(const struct verb *verbs, size_t count, bool exists,
        void (*show)(void), const char *rest)
{
    struct word word = word_next(&rest);

    if (word.length == 0) {
        show();
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (!word_is(word, verbs[i].name)) {
            continue;
        }
        if (exists || verbs[i].alone) {
            return verbs[i].run(rest);
        }
        show();
        return true;
    }
    return false;
}
