/* SPDX-License-Identifier: MIT */
/*
 * Figures, kept sorted. See series.h.
 */
#include "series.h"

#include <board.h>
#include <fmt.h>

#include "count.h"

#define SERIES_NAME_(key, name) [key] = #name,
static const char *const names[SERIES_COUNT] = {SERIES_KEYS(SERIES_NAME_)};

static struct {
    uint32_t count;
    uint32_t values[REPEAT]; /* sorted */
} series[SERIES_COUNT];

/* Semihosting (Arm, "Semihosting for AArch32 and AArch64", 5.16). */
static void print(const char *text)
{
    register uintptr_t r0 __asm__("r0") = 4; /* SYS_WRITE0 */
    register const char *r1 __asm__("r1") = text;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

void say(const char *format, ...)
{
    char line[96];
    va_list args;

    va_start(args, format);
    (void)fmt_vprint(line, sizeof(line), format, args);
    va_end(args);
    print(line);
}

void series_add(enum series_key key, uint32_t insns)
{
    uint32_t at = series[key].count;

    if (at == REPEAT) {
        return;
    }
    series[key].count++;
    for (; at > 0 && series[key].values[at - 1] > insns; at--) {
        series[key].values[at] = series[key].values[at - 1];
    }
    series[key].values[at] = insns;
}

void series_close(enum series_key key, uint32_t to)
{
    series_add(key, count_insns(to));
}

void series_report(void)
{
    for (int key = 0; key < SERIES_COUNT; key++) {
        if (series[key].count != REPEAT) {
            say("%s: measured %u times\n", names[key],
                    (unsigned)series[key].count);
            board_exit(1);
        }
        say("bench %s %u %u %u\n", names[key], (unsigned)series[key].values[0],
                (unsigned)series[key].values[REPEAT / 2],
                (unsigned)series[key].values[REPEAT - 1]);
    }
    say("# done %u\n", (unsigned)SERIES_COUNT);
}
