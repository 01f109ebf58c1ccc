/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A ring of bytes between one producer and one consumer, each a task or an
 * interrupt handler. Neither ever waits for the other, and neither masks
 * anything: each index has one writer, and a byte is stored before the index
 * that publishes it.
 *
 *   head  counts bytes put; written by the producer alone
 *   tail  counts bytes got; written by the consumer alone
 *
 * Both run freely and wrap at 2^32; head - tail is the number of bytes inside,
 * 0..size. An interrupt between a store and the index that publishes it sees a
 * ring without that byte; never half of one.
 *
 * Not here: waiting (a semaphore beside it does that), several producers.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
    uint8_t *bytes; /* const; room for size bytes, owned by the ring */
    uint32_t mask;  /* const; size - 1, size a power of two */
    uint32_t head;  /* atomic; the producer's */
    uint32_t tail;  /* atomic; the consumer's */
};

/* For an array of 2^n elements. */
#define RING_INIT(array)              \
  {                                   \
    (array), sizeof(array) - 1u, 0, 0 \
  }

/* May be read from either side; the other side may change it at once. */
static inline uint32_t ring_used(const struct ring *ring)
{
    uint32_t tail = __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);

    return __atomic_load_n(&ring->head, __ATOMIC_RELAXED) - tail;
}

static inline bool ring_full(const struct ring *ring)
{
    return ring_used(ring) > ring->mask;
}

/**
 * Append `byte`.
 *
 * @context   the producer
 * @return    false when the ring is full; nothing changed
 */
static inline bool ring_put(struct ring *ring, uint8_t byte)
{
    uint32_t head = ring->head;

    /* Pairs with the release in ring_get(): the slot has been read. */
    if (head - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) > ring->mask) {
        return false;
    }
    ring->bytes[head & ring->mask] = byte;
    /* Pairs with the acquire in ring_get(): publishes the byte. */
    __atomic_store_n(&ring->head, head + 1u, __ATOMIC_RELEASE);
    return true;
}

/**
 * Take the oldest byte.
 *
 * @param[out] byte  written only when there was one
 * @context   the consumer
 * @return    false when the ring is empty
 */
static inline bool ring_get(struct ring *ring, uint8_t *byte)
{
    uint32_t tail = ring->tail;

    if (__atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) == tail) {
        return false;
    }
    *byte = ring->bytes[tail & ring->mask];
    __atomic_store_n(&ring->tail, tail + 1u, __ATOMIC_RELEASE);
    return true;
}
