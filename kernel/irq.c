/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines by number and priority. Which line is which, and what its
 * handler is called, is the chip's (chips/).
 */
#include "irq.h"

#include "arch.h"
#include "panic.h"
#include "time.h"

#include <alula/config.h>
#include <alula/irq.h>

/*
 * Lines whose handlers died of late: as many as may be at it at once. A word
 * each, which handlers of any priority change by load-linked and
 * store-conditional: line + 1 << 24 | deaths << 16 | tick of the first of them.
 */
#define LINES 4u

static uint32_t dead[LINES] __attribute__((section(".bss.alula.state")));

/* Is this word the line's, and its window still open? */
static bool is_recent(uint32_t word, uint32_t now)
{
    return word != 0 && ((now - word) & 0xffff) < AL_TICK_HZ;
}

static uint32_t *slot_of(uint32_t line, uint32_t now)
{
    uint32_t *slot = &dead[line % LINES];

    for (uint32_t i = 0; i < LINES; i++) {
        if (dead[i] >> 24 == line + 1) {
            return &dead[i];
        }
        if (!is_recent(dead[i], now)) {
            slot = &dead[i];
        }
    }
    return slot;
}

/* A line that is enabled begins anew. */
static void forgive(uint32_t line)
{
    for (uint32_t i = 0; i < LINES; i++) {
        while (arch_load_linked(&dead[i]) >> 24 == line + 1 &&
                !arch_store_if(&dead[i], 0)) {
        }
    }
}

bool irq_died(uint32_t line)
{
    uint32_t now = (uint32_t)time_now();
    uint32_t *slot = slot_of(line, now);
    uint32_t word;

    do {
        word = (uint32_t)arch_load_linked(slot);
        if (word >> 24 != line + 1 || !is_recent(word, now)) {
            word = (line + 1) << 24 | (now & 0xffff);
        }
        word += 1u << 16;
    } while (!arch_store_if(slot, word));
    return (word >> 16 & 0xff) >= AL_CFG_IRQ_DEATHS;
}

void al_irq_enable(uint32_t line, al_prio prio)
{
    CALLER_MUST(IRQ, 1,
            prio >= AL_PRIO_IRQ(0) && prio < AL_PRIO_IRQ(AL_IRQ_LEVELS));
    CALLER_MUST(IRQ, 3, line < arch_irq_lines());
    forgive(line);
    arch_irq_enable(line, (uint32_t)prio - AL_PRIO_IRQ(0));
}

void al_irq_disable(uint32_t line)
{
    CALLER_MUST(IRQ, 3, line < arch_irq_lines());
    arch_irq_disable(line);
}
