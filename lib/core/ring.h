/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ring of a channel: its slots, and the two indices into them. Pure data:
 * no lock, nobody waits. ring.c says how.
 */

#include <alula/chan.h>

#include "arch.h"

#define OPEN AL_CHAN_OPEN
#define NEXT AL_CHAN_NEXT

AL_STATIC_ASSERT(sizeof(struct al_chan) % sizeof(uint32_t) == 0,
        "the slots are words, right behind the channel");

AL_INLINE uint32_t ring_look(const uint32_t *index)
{
    return *(const volatile uint32_t *)index;
}

/* Is it full at an index that its tail had? An index that the tail has no more
 * gives any answer. */
static inline bool ring_is_full_at(const struct al_chan *chan, uint32_t tail)
{
    return (tail | OPEN) - (ring_look(&chan->head) | OPEN) > chan->mask;
}

static inline bool ring_is_empty(const struct al_chan *chan)
{
    return ((ring_look(&chan->tail) ^ ring_look(&chan->head)) & ~OPEN) == 0;
}

/* Put an item in, or take one out, in a handler or with the kernel lock held:
 * false if it is full, or empty. `item` is read, or written, a word at a time. */
bool ring_put(struct al_chan *chan, const uint32_t *item);
bool ring_take(struct al_chan *chan, uint32_t *item);

/* The address of a slot of one word, less a channel's size: what is behind the
 * channel is reached by a constant offset. */
AL_INLINE struct al_chan *first_word(struct al_chan *chan, uint32_t offset)
{
    return (struct al_chan *)(void *)((char *)chan +
                                      offset * (sizeof(uint32_t) / NEXT));
}

/* Ways that are not gone as a rule: they stand behind all others. */
#define RING_RARELY(condition) __builtin_expect((condition), 0)

/* Memory that is no channel would send the two below anywhere. */
AL_INLINE bool ring_is_ring(const struct al_chan *chan)
{
    return ring_look(&chan->post.tag) == AL_TAG(AL_KIND_CHAN);
}

/* The same for rings of one word, in a task, without the kernel lock: false if
 * that way is not open, or an interrupt came, or it is no channel. */
AL_INLINE bool ring_put_word(struct al_chan *chan, uint32_t value)
{
    uint32_t tail;
    uint32_t count;
    uint32_t mask;
    struct al_chan *at;

    if (RING_RARELY(!ring_is_ring(chan))) {
        return false;
    }
    tail = ring_look(&chan->tail) | OPEN;
    count = tail - ring_look(&chan->head);
    /* Counted before the mask is read: one register less, and so no frame. */
    arch_set_apart(tail);
    __asm__ volatile("" : "+r"(count) : : "memory");
    mask = ring_look(&chan->mask);
    if (RING_RARELY(count > mask)) {
        return false;
    }
    at = first_word(chan, tail & mask);
    (void)arch_load_linked_at(at, sizeof(*chan));
    if (RING_RARELY(ring_look(&chan->tail) != tail) ||
            RING_RARELY(!arch_store_if_at(at, sizeof(*chan), value))) {
        return false;
    }
    if (RING_RARELY(arch_load_linked_at(chan, offsetof(struct al_chan, tail)) !=
                    tail) ||
            RING_RARELY(ring_look((uint32_t *)(void *)(at + 1)) != value)) {
        return false;
    }
    return arch_store_if_at(chan, offsetof(struct al_chan, tail), tail + NEXT);
}

AL_INLINE bool ring_take_word(struct al_chan *chan, uint32_t *value)
{
    struct al_chan *at;
    uint32_t head;

    if (RING_RARELY(!ring_is_ring(chan))) {
        return false;
    }
    head = (uint32_t)arch_load_linked(&chan->head);
    if (RING_RARELY((head & OPEN) == 0) ||
            RING_RARELY(head == (ring_look(&chan->tail) | OPEN))) {
        return false;
    }
    at = first_word(chan, head & chan->mask);
    *value = ring_look((uint32_t *)(void *)(at + 1));
    return arch_store_if(&chan->head, head + NEXT);
}
