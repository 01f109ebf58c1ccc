/* SPDX-License-Identifier: MIT */
/*
 * Claim: each check that a compiler can put into C, of the debug preset's list
 * (enum and return are for C++), ends
 * the task that fails it, whose scopes are undone, and the record names cause,
 * file and line.
 *
 * For each kind of check, in the function that opened the scope and one below:
 *  1. the victim fails it; it died once
 *  2. its scope and its lock are undone; cause, line and file are right
 *
 * Fails if: a handler is missing, returns, or takes the data for another kind.
 * builds: gcc-Og-checks gcc-O2-checks gcc-O0-checks clang-O0-checks clang-O2-checks
 * sources: ../support/recover.c
 * recovers: oob check | running |
 *     the failed check ends the task; file and line are in the record |
 *     panic_to_restart unwind_frame unwind_scope
 */
#include "recover.h"

#define NOINLINE __attribute__((noinline))

static struct al_mutex mutex = AL_MUTEX_INIT;
static volatile int32_t zero;
static volatile int32_t one = 1;
static volatile int32_t most = INT32_MAX;
static volatile int32_t sink;
static volatile uint32_t line;
static int32_t table[8];

enum colour {
    RED,
    GREEN,
    BLUE
};

static uint8_t raw_bool = 2;
static uint32_t raw_enum = 77;

__attribute__((nonnull)) static NOINLINE void takes_pointer(int32_t *p)
{
    __asm__ volatile("" ::"r"(p) : "memory");
}

static NOINLINE int32_t *hidden(int32_t *p)
{
    __asm__ volatile("" : "+r"(p)::"memory");
    return p;
}

/* The statement, and the line that the record must name. */
#define HERE(statement) \
  do {                  \
    line = __LINE__;    \
    statement;          \
  } while (0)

static NOINLINE void bounds(void)
{
    HERE(table[hidden(table) == NULL ? 0 : 7 + one] = 1);
}

static NOINLINE void null_read(void)
{
    HERE(sink = *hidden(NULL));
}

static NOINLINE void null_write(void)
{
    HERE(*hidden(NULL) = 1);
}

static NOINLINE void divide(void)
{
    HERE(sink = one / zero);
}

static NOINLINE void modulo(void)
{
    HERE(sink = one % zero);
}

static NOINLINE void add(void)
{
    HERE(sink = most + one);
}

static NOINLINE void subtract(void)
{
    HERE(sink = -most - 1 - one);
}

static NOINLINE void multiply(void)
{
    HERE(sink = most * 2);
}

static NOINLINE void negate(void)
{
    HERE(sink = -(-most - one));
}

static NOINLINE void shift_far(void)
{
    HERE(sink = one << (31 + one));
}

static NOINLINE void shift_negative(void)
{
    HERE(sink = one >> (zero - 1));
}

static NOINLINE void variable_array(void)
{
    HERE(char array[zero - 4]; takes_pointer((int32_t *)(void *)array));
}

static NOINLINE void unreachable(void)
{
    HERE(__builtin_unreachable());
}

static NOINLINE void load_bool(void)
{
    HERE(sink = *(volatile bool *)(void *)&raw_bool);
}

static NOINLINE void nonnull(void)
{
    HERE(takes_pointer(hidden(NULL)));
}

static NOINLINE void pointer(void)
{
    int32_t *high = hidden((int32_t *)0xfffffff0u);
    int32_t far = one + 20;

    HERE(sink = (int32_t)(uintptr_t)(high + far));
}

static const struct {
    const char *name;
    void (*fail)(void);
    uint32_t cause;
} kinds[] = {
        {"bounds", bounds, AL_CAUSE_OOB},
        {"null read", null_read, AL_CAUSE_NULL},
        {"null write", null_write, AL_CAUSE_NULL},
        {"divide", divide, AL_CAUSE_DIV0},
        {"modulo", modulo, AL_CAUSE_DIV0},
        {"add", add, AL_CAUSE_CHECK},
        {"subtract", subtract, AL_CAUSE_CHECK},
        {"multiply", multiply, AL_CAUSE_CHECK},
        {"negate", negate, AL_CAUSE_CHECK},
        {"shift far", shift_far, AL_CAUSE_CHECK},
        {"shift negative", shift_negative, AL_CAUSE_CHECK},
        {"variable array", variable_array, AL_CAUSE_VLA},
        {"unreachable", unreachable, AL_CAUSE_CHECK},
        {"bool", load_bool, AL_CAUSE_CHECK},
        {"nonnull", nonnull, AL_CAUSE_NULL},
        {"pointer", pointer, AL_CAUSE_CHECK},
};

static void (*volatile fail)(void);

static void below(void)
{
    al_status status;
    AL_DEFER(rig_mark, RIG_MARK('a'));
    AL_LOCK_SCOPED(&mutex, status);
    RIG_SCOPE(inner, rig_mark, RIG_MARK('b'));
    (void)status;
    fail();
}

/* Fails in its own frame: compilers believe the handler to be nothrow, and drop
 * the landing pad. */
static NOINLINE void here(void)
{
    al_status status;
    AL_DEFER(rig_mark, RIG_MARK('a'));
    AL_LOCK_SCOPED(&mutex, status);
    RIG_SCOPE(inner, rig_mark, RIG_MARK('b'));
    (void)status;
    HERE(table[hidden(table) == NULL ? 0 : 7 + one] = 1);
}

static NOINLINE void here_overflow(void)
{
    al_status status;
    AL_DEFER(rig_mark, RIG_MARK('a'));
    AL_LOCK_SCOPED(&mutex, status);
    RIG_SCOPE(inner, rig_mark, RIG_MARK('b'));
    (void)status;
    HERE(sink = most + one);
}

static bool ends_in(const char *text, const char *end)
{
    const char *p = text;
    const char *q = end;

    while (*p != '\0') {
        p++;
    }
    while (*q != '\0') {
        q++;
    }
    while (q > end && p > text && *--p == *--q) {
    }
    return q == end && *p == *q;
}

static void one_kind(const char *name, void (*body)(void), uint32_t cause)
{
    uint32_t deaths = rig_run(body);

    CHECK(deaths == 1 && rig_record.cause == cause, "%s: %d deaths, cause %d",
            name, (int)deaths, (int)rig_record.cause);
    CHECK(rig_log_is("ba") && !al_mutex_is_held(&mutex) &&
                    rig_record.scopes_undone == 3,
            "%s: ran \"%s\", undone %d", name, rig_log(),
            (int)rig_record.scopes_undone);
    CHECK(rig_record.detail[0] == line, "%s: line %d, not %d", name,
            (int)rig_record.detail[0], (int)line);
    CHECK(al_crash_text(&rig_record) != NULL &&
                    ends_in(al_crash_text(&rig_record), "crash_checks.c"),
            "%s: file", name);
}

static void judge_main(void)
{
    for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        fail = kinds[i].fail;
        one_kind(kinds[i].name, below, kinds[i].cause);
    }
    one_kind("bounds here", here, AL_CAUSE_OOB);
    one_kind("overflow here", here_overflow, AL_CAUSE_CHECK);
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
