/* SPDX-License-Identifier: MIT */
/*
 * Figures, kept sorted. See series.h.
 */
#include "series.h"

#include <board.h>

#include "count.h"
#include "say.h"

#define SERIES_NAME_(key, name) [key] = #name,
static const char *const names[SERIES_COUNT] = {SERIES_KEYS(SERIES_NAME_)};

static struct {
    uint32_t count;
    uint32_t values[REPEAT]; /* sorted */
} series[SERIES_COUNT];

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
