/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The heap's regions and the blocks in them. Nothing here takes the kernel
 * lock: the caller holds it wherever a region changes. No block that is named
 * here need be one, unless it says "live" or "taken". A size is in bytes and
 * that of a whole block, its header included.
 */

#include <alula/heap.h>

struct block {
    uint32_t head;           /* size / 8, flags, check byte */
    struct al_task *owner;   /* free, or the kernel's: NULL */
    struct block *next_free; /* from here on payload */
    struct block **link;     /* free: what leads here; a list, or next_free */
};

#define BLOCK_HEADER ((uint32_t)offsetof(struct block, next_free))
#define BLOCK_SHIFT  11u
#define BLOCK_ALIGN  8u         /* of headers, sizes and payloads */
#define BLOCK_MOST   (1u << 24) /* a region is smaller */

/* A payload has at least two links, and the footer in a word of its own: 16
 * bytes on 32-bit processors. */
#define BLOCK_LEAST                                                    \
  (BLOCK_HEADER + ((3u * (uint32_t)sizeof(void *) + BLOCK_ALIGN - 1) & \
                          ~(BLOCK_ALIGN - 1)))

#define BLOCK_LISTS 80u /* classes of sizes */
#define BLOCK_WORDS ((BLOCK_LISTS + 31) / 32)

struct region {
    uintptr_t low;             /* its lists, then its first header; const */
    uintptr_t span;            /* bytes from there to its end; const; 0: none */
    uint32_t map[BLOCK_WORDS]; /* bit c: list c is not empty */
    size_t used_bytes;         /* in live blocks, headers included */
    size_t blocks;             /* live */
    uint32_t damaged;          /* damages found */
    uint32_t flags;            /* the caller's; const */
};

/* The size of a block of at least `bytes`; of more than any block has when none
 * is that large. */
uint32_t block_size_for(size_t bytes);

AL_INLINE uint32_t block_size(const struct block *block)
{
    return block->head >> BLOCK_SHIFT << 3;
}

AL_INLINE uint32_t block_payload(const struct block *block)
{
    return block_size(block) - BLOCK_HEADER;
}

AL_INLINE struct block *block_of(const void *payload)
{
    return (struct block *)((uintptr_t)payload - BLOCK_HEADER);
}

/* The class that a block of a size stands in: four for each power of two. */
inline uint32_t block_class(uint32_t size)
{
    uint32_t payload = size - BLOCK_HEADER;
    uint32_t log = 29u - (uint32_t)__builtin_clz(payload);

    return (payload >> log) + 4 * log - 12;
}

/*
 * Make a live block of `size` or a little more, from the first list of class
 * *from or above, which is block_class(size) to begin with. NULL when that one
 * does not have it, because its first is too small or damaged: *from is the next
 * to look at then, if it is below BLOCK_LISTS.
 */
struct block *block_alloc(struct region *region, uint32_t size,
        struct al_task *owner, uint32_t *from);

/* Free what a live block has beyond `size`, if that makes a block. */
void block_trim(struct region *region, struct block *block, uint32_t size);

/* Free what a live block has before the first place at which its payload is
 * aligned; `align` is a power of two above BLOCK_ALIGN, the block larger than
 * that by BLOCK_LEAST. Returns the rest, as live as it was. */
struct block *block_trim_front(
        struct region *region, struct block *block, uintptr_t align);

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

/* Make a live block nobody's, and count it no more: a part of freeing it. */
void block_retire(struct region *region, struct block *block);

/* Free such a block, joined with what is free on either side. */
void block_free(struct region *region, struct block *block);

/* Let a live block have the free one behind it, if both have `size` bytes
 * together. */
void block_grow(struct region *region, struct block *block, uint32_t size);

/* The payload of the empty region's block. */
size_t block_total(const struct region *region);

/* The first block of the highest class: no other is a class larger. */
size_t block_largest(const struct region *region);

/* Where will a region lie in [low, high)? The others of its fields must be 0.
 * False when there is no room for one. */
bool block_plan(struct region *region, uintptr_t low, uintptr_t high);

/* Empty the lists. Touches all that building will: memory that is none faults
 * here, before the lock is taken. Returns where the first block will be. */
struct block *block_touch(const struct region *region);

/* Make one free block of it. */
void block_build(struct region *region, struct block *first);
