/* SPDX-License-Identifier: MIT */
/*
 * The ring belongs to nobody. `tail` and `head` move by load-linked and
 * store-conditional only, and nothing in between is ever half done:
 *
 *   put    stage    store the item in the slot behind the last one, each word
 *                   by a pair of its own in which `tail` was looked at: so a
 *                   slot that was published meanwhile is not overwritten
 *          publish  in one pair around `tail`, see that it has not moved, then
 *                   move it on
 *   take             in one pair around `head`, read the slot, then move it on
 *
 * Whoever is interrupted, or preempted, in between finds out by the last store
 * and starts again; who came in between has a whole item in the ring, or out
 * of it. Tasks without the kernel lock may stage into one slot in turns: they
 * look at the slot again when they publish (ring.h). No slot is ever reserved,
 * so nobody waits for a task that is not running. What a pair cannot see is
 * 2^31 items sent during one call.
 */
#include "ring.h"

static uint32_t *slot_at(struct al_chan *chan, uint32_t index)
{
    return (uint32_t *)(void *)(chan + 1) +
           (index & chan->mask) / NEXT * chan->words;
}

bool ring_put(struct al_chan *chan, const uint32_t *item)
{
    return al_chan_put(chan, item);
}

bool ring_take(struct al_chan *chan, uint32_t *item)
{
    uint32_t head;

    do {
        const uint32_t *slot;

        head = (uint32_t)arch_load_linked(&chan->head);
        if (ring_is_empty(chan)) {
            return false;
        }
        slot = slot_at(chan, head);
        for (uint32_t i = 0; i < chan->words; i++) {
            *(volatile uint32_t *)&item[i] = ring_look(&slot[i]);
        }
    } while (!arch_store_if(&chan->head, head + NEXT));
    return true;
}
