/* SPDX-License-Identifier: MIT */
/*
 * The board tests' checks, printed over semihosting (Arm, "Semihosting for
 * AArch32 and AArch64", sections 5 and 6: operation in r0, argument in r1).
 *
 * Each line goes out in one semihosting call, so lines of several tasks and
 * handlers never mix. Not here: anything of the kernel's, which may be broken.
 */
#include "test.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SYS_WRITE0 = 0x04,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT = 0x18,
    STOPPED_APPLICATION_EXIT = 0x20026,
    STOPPED_RUN_TIME_ERROR = 0x20023,
};

struct line {
    unsigned length;
    char text[160]; /* longer ones are cut; the last two are "\n\0" */
};

static struct {
    unsigned checks; /* any context, atomically */
    unsigned failed; /* any context, atomically */
} test;

static void semihost(unsigned operation, uintptr_t argument)
{
    register unsigned r0 __asm__("r0") = operation;
    register uintptr_t r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void put(struct line *line, char c)
{
    if (line->length < sizeof line->text - 2) {
        line->text[line->length] = c;
        line->length++;
    }
}

static void put_text(struct line *line, const char *text)
{
    while (*text != '\0') {
        put(line, *text);
        text++;
    }
}

static void put_number(struct line *line, unsigned n, unsigned base)
{
    char digits[10];
    unsigned count = 0;

    do {
        digits[count] = "0123456789abcdef"[n % base];
        count++;
        n /= base;
    } while (n != 0);
    while (count > 0) {
        count--;
        put(line, digits[count]);
    }
}

static void put_signed(struct line *line, int n)
{
    if (n < 0) {
        put(line, '-');
    }
    put_number(line, n < 0 ? 0u - (unsigned)n : (unsigned)n, 10);
}

static void put_formatted(struct line *line, const char *format, va_list args)
{
    for (const char *p = format; *p != '\0'; p++) {
        if (*p != '%') {
            put(line, *p);
            continue;
        }
        p++;
        while (*p == 'l' || *p == 'z') {
            p++; /* as wide as int on the boards */
        }
        switch (*p) {
        case 'd':
        case 'i':
            put_signed(line, va_arg(args, int));
            break;
        case 'u':
            put_number(line, va_arg(args, unsigned), 10);
            break;
        case 'x':
        case 'p':
            put_number(line, va_arg(args, unsigned), 16);
            break;
        case 'c':
            put(line, (char)va_arg(args, int));
            break;
        case 's':
            put_text(line, va_arg(args, const char *));
            break;
        case '%':
            put(line, '%');
            break;
        default:
            put_text(line, "(test.c: format?)");
            return;
        }
    }
}

static void emit(struct line *line)
{
    line->text[line->length] = '\n';
    line->text[line->length + 1] = '\0';
    semihost(SYS_WRITE0, (uintptr_t)line->text);
}

void test_check(bool ok, const char *condition, const char *file, int line_no,
        const char *name, ...)
{
    struct line line = {.length = 0};
    va_list args;

    __atomic_fetch_add(&test.checks, 1, __ATOMIC_RELAXED);
    put_text(&line, ok ? "ok " : "not ok ");
    va_start(args, name);
    put_formatted(&line, name, args);
    va_end(args);
    if (!ok) {
        __atomic_fetch_add(&test.failed, 1, __ATOMIC_RELAXED);
        put_text(&line, ": not true: ");
        put_text(&line, condition);
        put_text(&line, " (");
        put_text(&line, file);
        put(&line, ':');
        put_signed(&line, line_no);
        put(&line, ')');
    }
    emit(&line);
}

void test_say(const char *text, ...)
{
    struct line line = {.length = 0};
    va_list args;

    va_start(args, text);
    put_formatted(&line, text, args);
    va_end(args);
    emit(&line);
}

void test_note(const char *text, ...)
{
    struct line line = {.length = 0};
    va_list args;

    put_text(&line, "# ");
    va_start(args, text);
    put_formatted(&line, text, args);
    va_end(args);
    emit(&line);
}

/* Where `text` is named in the command line, what stands behind; or NULL. */
static const char *behind(const char *text)
{
    static char line[256];
    uintptr_t block[2] = {(uintptr_t)line, sizeof line - 1};

    semihost(SYS_GET_CMDLINE, (uintptr_t)block);
    for (const char *p = line; *p != '\0'; p++) {
        const char *at = p;
        const char *wanted = text;

        while (*wanted != '\0' && *at == *wanted) {
            at++;
            wanted++;
        }
        if (*wanted == '\0') {
            return at;
        }
    }
    return NULL;
}

unsigned test_number(const char *text, unsigned standard)
{
    const char *digit = behind(text);
    unsigned number = 0;

    if (digit == NULL) {
        return standard;
    }
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        number = number * 10 + (unsigned)(*digit - '0');
    }
    return number;
}

unsigned test_seed(unsigned standard)
{
    unsigned seed = test_number("SEED=", standard);

    test_note("SEED=%u", seed);
    return seed;
}

_Noreturn void test_done(void)
{
    struct line line = {.length = 0};

    put_text(&line, "# done ");
    put_number(&line, test.checks, 10);
    emit(&line);
    semihost(SYS_EXIT, test.failed == 0 ? STOPPED_APPLICATION_EXIT
                                        : STOPPED_RUN_TIME_ERROR);
    for (;;) {
    }
}
