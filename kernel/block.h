/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The heap's regions and the blocks in them. Nothing here takes the kernel
 * lock: the caller holds it wherever a region changes. No block that is named
 * here need be one, unless it says "live" or "taken".
 */

#include <alula/heap.h>

struct block {
    uint32_t head;           /* check byte, payload, flags */
    struct al_task *owner;   /* free, or the kernel's: NULL */
    struct block *next_free; /* from here on payload */
    struct block *prev_free;
};

#define BLOCK_HEADER  ((uint32_t)offsetof(struct block, next_free))
#define BLOCK_PAYLOAD 0x00fffff8u /* in `head`: bytes */
#define BLOCK_ALIGN   8u          /* of headers and payloads */
#define BLOCK_MOST    (1u << 24)  /* a region is smaller */

/* A payload is a multiple of BLOCK_ALIGN, and at least two links, and the footer
 * in a word of its own: 16 bytes on 32-bit processors. */
#define BLOCK_LEAST \
  ((3u * (uint32_t)sizeof(void *) + BLOCK_ALIGN - 1) & ~(BLOCK_ALIGN - 1))

struct rank;

struct region {
    uintptr_t low;      /* first header; const */
    uintptr_t high;     /* the last header, of size 0; const */
    struct rank *ranks; /* its lists, where its memory begins; const */
    uint32_t map;       /* bit r: a list of rank r is not empty */
    size_t used_bytes;  /* in live blocks, headers included */
    size_t blocks;      /* live */
    uint32_t damaged;   /* damages found */
    uint32_t flags;     /* the caller's; const */
};

AL_INLINE uint32_t block_payload(const struct block *block)
{
    return block->head & BLOCK_PAYLOAD;
}

AL_INLINE struct block *block_of(const void *payload)
{
    return (struct block *)((uintptr_t)payload - BLOCK_HEADER);
}

/*
 * Make a live block of `payload` bytes or a little more. NULL when there is
 * none, or, with `*again` set, because a damaged one was in the way: its list
 * is given up.
 */
struct block *block_alloc(struct region *region, uint32_t payload,
        struct al_task *owner, bool *again);

/* Free what a live block has beyond `payload`, if that makes a block. */
void block_trim(struct region *region, struct block *block, uint32_t payload);

/* Free what a live block has before the first place at which its payload is
 * aligned; `align` is a power of two above BLOCK_ALIGN, the block larger than
 * that by BLOCK_GAP. Returns the rest, as live as it was. */
struct block *block_trim_front(
        struct region *region, struct block *block, uintptr_t align);

/* Less than this makes no block. */
#define BLOCK_GAP (BLOCK_HEADER + BLOCK_LEAST)

/* Change the owner of a live block. */
void block_own(struct block *block, struct al_task *owner);

enum block_state {
    BLOCK_LIVE,
    BLOCK_NOT_LIVE, /* free, or none, or its header is damaged */
    BLOCK_OVERRUN,  /* live; the header behind it is damaged */
};

/* What is at an address? */
enum block_state block_look(
        const struct region *region, const struct block *block);

/*
 * Free a live block, and join it with a free one behind it. True: there may be
 * a free one before it, too, to be merged with it, in a step of its own: until
 * then both can be had.
 */
bool block_free(struct region *region, struct block *block);

/* Join the free block at `block`, if there is one by now, with a free one
 * before it. */
void block_merge(struct region *region, struct block *block);

/* Let a live block have the free one behind it, if both have `payload` bytes
 * together. */
void block_grow(struct region *region, struct block *block, uint32_t payload);

/* The first block of the highest class: no other is a class larger. */
size_t block_largest(const struct region *region);

/* Where a region's parts will lie: its lists, the first header, the last. */
struct block_plan {
    void *low;
    struct block *first;
    struct block *last;
};

/* False when [low, high) has no room for a region. */
bool block_plan(struct block_plan *plan, uintptr_t low, uintptr_t high);

/* Empty the lists. Touches all that building will: memory that is none faults
 * here, before the lock is taken. */
void block_plan_touch(const struct block_plan *plan);

/* Make the region, one free block; of `region` all else is 0. */
void block_plan_build(const struct block_plan *plan, struct region *region);
