/* SPDX-License-Identifier: MIT */
/*
 * Two-level segregated fit. Free blocks stand in lists by size class: below 32
 * bytes one class per 8 bytes, above it four classes per power of two. Two
 * bitmaps find the smallest class whose every block fits; the block is cut,
 * and neighbours that are free are joined at once. All of it is constant time,
 * under the kernel lock, and no loop depends on the number of blocks.
 *
 * A block:   header | payload ...            used: owner is its task
 *            header | links ... | footer     free: footer holds its address
 * The footer lies in the last word before the next header and is there only
 * while that header says PREV_FREE.
 *
 * Invariants under the lock: no two free blocks are neighbours; a list's bit is
 * set exactly if it is not empty; the region ends in a used header of size 0.
 */
#include "heap.h"

#include "arch.h"
#include "panic.h"
#include "softlock.h"
#include "task.h"

#define FREE      1u /* in `size`: this block is free */
#define PREV_FREE 2u /* in `size`: the block before this one is free */
#define FLAGS     7u

#define ALIGN 8u
/* Two links, and the footer in a word of its own: 16 on 32-bit processors. */
#define MIN_PAYLOAD ((3u * (uint32_t)sizeof(void *) + ALIGN - 1) & ~(ALIGN - 1))

#define SUB_BITS  2u
#define SUBS      (1u << SUB_BITS)
#define SMALL_LOG 5u  /* below 1 << 5 one class per 8 bytes */
#define RANKS     16u /* classes up to 1 << (SMALL_LOG + RANKS - 1) */
#define MAX_BYTES (1u << 18)

struct block {
    uint32_t size; /* of the payload, a multiple of 8; and flags */
    struct al_task *owner;
    struct block *next_free; /* from here on payload */
    struct block *prev_free;
};

#define HEADER offsetof(struct block, next_free)

static struct {
    struct block *lists[RANKS][SUBS];
    uint32_t ranks;      /* bit r: some list of rank r is not empty */
    uint8_t subs[RANKS]; /* bit s: lists[r][s] is not empty */
    uintptr_t low;       /* first header */
    uintptr_t high;      /* the last header, of size 0 */
    size_t used_bytes;   /* in live blocks, headers included */
    size_t blocks;       /* live */
} heap __attribute__((section(".bss.alula.state")));

struct class
{
    uint32_t rank;
    uint32_t sub;
};

static uint32_t payload_of(const struct block *block)
{
    return block->size & ~FLAGS;
}

static struct block *next_of(const struct block *block)
{
    return (struct block *)((uintptr_t)block + HEADER + payload_of(block));
}

static struct block **footer_of(const struct block *block)
{
    return (struct block **)((uintptr_t)next_of(block) - sizeof(uintptr_t));
}

/* The class that a block of `bytes` stands in. */
static struct class class_of(uint32_t bytes)
{
    struct class c;

    if (bytes < 1u << SMALL_LOG) {
        c.rank = 0;
        c.sub = bytes / ALIGN;
        return c;
    }
    c.rank = 31u - (uint32_t)__builtin_clz(bytes);
    c.sub = bytes >> (c.rank - SUB_BITS) & (SUBS - 1);
    c.rank -= SMALL_LOG - 1;
    return c;
}

/* The smallest class in which every block has at least `bytes`. */
static struct class class_for(uint32_t bytes)
{
    if (bytes >= 1u << SMALL_LOG) {
        bytes += (1u << (31u - (uint32_t)__builtin_clz(bytes) - SUB_BITS)) - 1;
    }
    return class_of(bytes);
}

static void list_push(struct block *block)
{
    struct class c = class_of(payload_of(block));
    struct block *head = heap.lists[c.rank][c.sub];

    block->next_free = head;
    block->prev_free = NULL;
    if (head != NULL) {
        head->prev_free = block;
    }
    heap.lists[c.rank][c.sub] = block;
    heap.subs[c.rank] |= (uint8_t)(1u << c.sub);
    heap.ranks |= 1u << c.rank;
}

static void list_remove(struct block *block)
{
    struct class c = class_of(payload_of(block));

    if (block->next_free != NULL) {
        block->next_free->prev_free = block->prev_free;
    }
    if (block->prev_free != NULL) {
        block->prev_free->next_free = block->next_free;
        return;
    }
    heap.lists[c.rank][c.sub] = block->next_free;
    if (block->next_free != NULL) {
        return;
    }
    heap.subs[c.rank] &= (uint8_t) ~(1u << c.sub);
    if (heap.subs[c.rank] == 0) {
        heap.ranks &= ~(1u << c.rank);
    }
}

/* A free block of class c or above; NULL when there is none. */
static struct block *list_find(struct class c)
{
    uint32_t subs = heap.subs[c.rank] & ~0u << c.sub;
    uint32_t ranks;

    if (subs == 0) {
        ranks = heap.ranks & ~0u << (c.rank + 1);
        if (ranks == 0) {
            return NULL;
        }
        c.rank = (uint32_t)__builtin_ctz(ranks);
        subs = heap.subs[c.rank];
    }
    return heap.lists[c.rank][__builtin_ctz(subs)];
}

/* Make `block` free, with its footer, and enter it. */
static void block_release(struct block *block)
{
    block->size |= FREE;
    block->owner = NULL;
    next_of(block)->size |= PREV_FREE;
    *footer_of(block) = block;
    list_push(block);
}

/* Cut what `bytes` does not need off `block`, if it makes a block. */
static void block_cut(struct block *block, uint32_t bytes)
{
    uint32_t payload = payload_of(block);
    struct block *rest;

    if (payload < bytes + HEADER + MIN_PAYLOAD) {
        return;
    }
    block->size = bytes | (block->size & FLAGS);
    rest = next_of(block);
    rest->size = payload - bytes - (uint32_t)HEADER;
    block_release(rest);
}

void heap_boot(uintptr_t low, uintptr_t high)
{
    struct block *first;
    struct block *last;

    low = (low + ALIGN - 1) & ~(uintptr_t)(ALIGN - 1);
    high &= ~(uintptr_t)(ALIGN - 1);
    if (high - low > MAX_BYTES) {
        high = low + MAX_BYTES;
    }
    first = (struct block *)low;
    last = (struct block *)(high - HEADER);
    first->size = (uint32_t)((uintptr_t)last - low - HEADER);
    last->size = 0;
    last->owner = NULL;
    heap.low = low;
    heap.high = (uintptr_t)last;
    block_release(first);
}

void *heap_alloc(struct al_task *owner, size_t bytes)
{
    struct block *block;
    uint32_t payload;

    if (bytes > MAX_BYTES / 2) {
        return NULL;
    }
    payload = ((uint32_t)bytes + ALIGN - 1) & ~(ALIGN - 1);
    if (payload < MIN_PAYLOAD) {
        payload = MIN_PAYLOAD;
    }
    softlock_take();
    block = list_find(class_for(payload));
    if (block == NULL) {
        softlock_leave();
        return NULL;
    }
    list_remove(block);
    block->size &= ~FREE;
    next_of(block)->size &= ~PREV_FREE;
    block_cut(block, payload);
    block->owner = owner;
    if (owner != NULL) {
        owner->heap_bytes += payload_of(block);
    }
    heap.used_bytes += payload_of(block) + HEADER;
    heap.blocks++;
    softlock_leave();
    return &block->next_free;
}

void *al_heap_alloc(size_t bytes)
{
    CALLER_MUST(HEAP, 1, !arch_in_handler());
    return heap_alloc(al_core.current, bytes);
}

/* Is this the header of a live block, of whatever owner? Looks at it and its
 * neighbour only. */
static bool block_is_live(const struct block *block)
{
    uintptr_t at = (uintptr_t)block;
    uintptr_t next;

    if (at % ALIGN != 0 || at < heap.low || at >= heap.high) {
        return false;
    }
    next = at + HEADER + payload_of(block);
    return (block->size & FREE) == 0 && next > at && next <= heap.high &&
           (((const struct block *)next)->size & PREV_FREE) == 0;
}

static struct block *join_next(struct block *block)
{
    struct block *next = next_of(block);

    if ((next->size & FREE) != 0) {
        list_remove(next);
        block->size += payload_of(next) + (uint32_t)HEADER;
    }
    return block;
}

static struct block *join_prev(struct block *block)
{
    struct block *prev;

    if ((block->size & PREV_FREE) == 0) {
        return block;
    }
    prev = ((struct block **)block)[-1];
    list_remove(prev);
    prev->size += payload_of(block) + (uint32_t)HEADER;
    return prev;
}

static void free_held(struct block *block)
{
    if (block->owner != NULL) {
        block->owner->heap_bytes -= payload_of(block);
    }
    block->owner = NULL; /* no header any more, wherever it is joined to */
    heap.used_bytes -= payload_of(block) + HEADER;
    heap.blocks--;
    block_release(join_prev(join_next(block)));
}

bool heap_free_held(void *payload)
{
    struct block *block = (struct block *)((uintptr_t)payload - HEADER);

    if (!block_is_live(block) ||
            (block->owner != NULL && !task_is_known(block->owner))) {
        return false;
    }
    free_held(block);
    return true;
}

void al_heap_free(void *payload)
{
    struct block *block = (struct block *)((uintptr_t)payload - HEADER);

    CALLER_MUST(HEAP, 1, !arch_in_handler());
    if (payload == NULL) {
        return;
    }
    CALLER_MUST(HEAP, 2, block_is_live(block) && task_is_known(block->owner));
    softlock_take();
    free_held(block);
    softlock_leave();
}

void al_heap_read(struct al_heap_info *info)
{
    CALLER_MUST(HEAP, 1, !arch_in_handler());
    softlock_take();
    info->total_bytes = heap.high - heap.low - HEADER;
    info->used_bytes = heap.used_bytes;
    info->blocks = heap.blocks;
    info->largest_bytes = 0;
    if (heap.ranks != 0) {
        uint32_t rank = 31u - (uint32_t)__builtin_clz(heap.ranks);
        uint32_t sub = 31u - (uint32_t)__builtin_clz(heap.subs[rank]);

        info->largest_bytes = payload_of(heap.lists[rank][sub]);
    }
    softlock_leave();
}

static void free_slot(void *slot)
{
    al_heap_free(*(void **)slot);
}

void al_heap_scope_open(struct al_scope *scope, void **slot, size_t bytes)
{
    al_scope_open(scope, free_slot, slot);
    *slot = al_heap_alloc(bytes);
}
