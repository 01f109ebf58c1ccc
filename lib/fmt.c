/* SPDX-License-Identifier: MIT */
/*
 * A format is read once, from left to right; each conversion is written by
 * put_field(), which alone knows widths. `struct sink` counts what was written
 * and drops what has no room, so no other function looks at the buffer's end.
 */
#include "fmt.h"

#include <stdbool.h>
#include <stdint.h>

struct sink {
    char *out;
    size_t size; /* with room for the NUL */
    size_t used;
};

struct field {
    bool behind; /* pad behind, not before */
    bool zeros;  /* pad with zeros, behind the sign */
    bool wide;   /* the argument has 64 bits */
    size_t width;
};

/* 20 digits hold 2^64 - 1. */
#define DIGITS 20

static void put(struct sink *sink, char c)
{
    if (sink->used + 1 < sink->size) {
        sink->out[sink->used] = c;
        sink->used++;
    }
}

static void put_field(struct sink *sink, const struct field *field,
        const char *text, size_t length, char sign)
{
    size_t taken = length + (sign != '\0');
    size_t pad = field->width > taken ? field->width - taken : 0;

    if (!field->behind && !field->zeros) {
        for (; pad > 0; pad--) {
            put(sink, ' ');
        }
    }
    if (sign != '\0') {
        put(sink, sign);
    }
    if (!field->behind) {
        for (; pad > 0; pad--) {
            put(sink, '0');
        }
    }
    for (size_t i = 0; i < length; i++) {
        put(sink, text[i]);
    }
    for (; pad > 0; pad--) {
        put(sink, ' ');
    }
}

static void put_text(
        struct sink *sink, const struct field *field, const char *text)
{
    struct field spaces = *field;
    const char *shown = text != NULL ? text : "(null)";
    size_t length = 0;

    spaces.zeros = false;
    while (shown[length] != '\0') {
        length++;
    }
    put_field(sink, &spaces, shown, length, '\0');
}

/*
 * Divides by 10 without a 64-bit division, which the processor does not have
 * and whose library routine would need a stated stack depth: 16 bits at a time,
 * each remainder below 10, so that every step fits 32 bits.
 */
static uint64_t divide_by_ten(uint64_t value, uint32_t *remainder)
{
    uint64_t quotient = 0;
    uint32_t rest = 0;

    for (int shift = 48; shift >= 0; shift -= 16) {
        uint32_t part = rest << 16 | (uint32_t)(value >> shift & 0xffffu);

        quotient = quotient << 16 | part / 10u;
        rest = part % 10u;
    }
    *remainder = rest;
    return quotient;
}

static void put_number(struct sink *sink, const struct field *field,
        uint64_t value, bool hex, char sign)
{
    char digits[DIGITS];
    size_t first = DIGITS;

    do {
        uint32_t digit = (uint32_t)value & 15u;

        if (hex) {
            value >>= 4;
        } else {
            value = divide_by_ten(value, &digit);
        }
        first--;
        digits[first] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
    } while (value != 0);
    put_field(sink, field, digits + first, DIGITS - first, sign);
}

/* Reads what stands between % and the letter; returns where the letter is. */
static const char *read_field(const char *at, struct field *field)
{
    *field = (struct field){0};
    if (*at == '-') {
        field->behind = true;
        at++;
    }
    if (*at == '0') {
        field->zeros = !field->behind;
        at++;
    }
    for (int i = 0; i < 2 && *at >= '0' && *at <= '9'; i++) {
        field->width = field->width * 10 + (size_t)(*at - '0');
        at++;
    }
    if (at[0] == 'l' && at[1] == 'l') {
        field->wide = true;
        at += 2;
    }
    return at;
}

size_t fmt_vprint(char *out, size_t size, const char *format, va_list args)
{
    struct sink sink = {out, size, 0};
    struct field field;

    for (const char *at = format; *at != '\0'; at++) {
        const char *percent = at;
        int64_t number;
        char letter;

        if (*at != '%') {
            put(&sink, *at);
            continue;
        }
        at = read_field(at + 1, &field);
        switch (*at) {
        case 'c':
            letter = (char)va_arg(args, int);
            field.zeros = false;
            put_field(&sink, &field, &letter, 1, '\0');
            break;
        case 's':
            put_text(&sink, &field, va_arg(args, const char *));
            break;
        case 'u':
        case 'x':
            put_number(&sink, &field,
                    field.wide ? va_arg(args, unsigned long long)
                               : va_arg(args, unsigned int),
                    *at == 'x', '\0');
            break;
        case 'd':
            number = field.wide ? va_arg(args, long long) : va_arg(args, int);
            put_number(&sink, &field,
                    number < 0 ? 0 - (uint64_t)number : (uint64_t)number, false,
                    number < 0 ? '-' : '\0');
            break;
        case '%':
            put(&sink, '%');
            break;
        default:
            /* Not a conversion: show it, and let the loop see what follows. */
            put(&sink, '%');
            at = percent;
        }
    }
    out[sink.used] = '\0';
    return sink.used;
}

size_t fmt_print(char *out, size_t size, const char *format, ...)
{
    va_list args;
    size_t used;

    va_start(args, format);
    used = fmt_vprint(out, size, format, args);
    va_end(args);
    return used;
}
