/* SPDX-License-Identifier: MIT */
/*
 * Two-level segregated fit. Free blocks stand in lists by size class: below 32
 * bytes one class per 8 bytes, above it four classes per power of two. Two
 * bitmaps find the smallest class whose every block fits; the block is cut,
 * and neighbours that are free are joined at once. All of it is constant time,
 * and no loop depends on the number of blocks.
 *
 * A block:   header | payload ...            used: owner is its task
 *            header | links ... | footer     free: footer holds its address
 * The footer lies in the last word before the next header and is there only
 * while that header says PREV_FREE. A region begins with its lists, as many as
 * its size can fill, and ends in a used header of size 0.
 *
 * Applications write past their blocks, and into blocks that they have freed.
 * So nothing that lies in a region is believed: an address is inside its
 * region before it is looked at, and a header carries a check byte over its
 * own address, size, flags and owner. Headers that cease to be any are wiped.
 * What is found damaged is left alone for ever:
 *
 *   the block itself, or the header behind it     its user is told
 *   a free neighbour, its links or its footer     not joined
 *   the first of a list                           the list is given up
 *   a link to the rest of a list                  the rest is given up
 *
 * A block is cut off the end of a free one. What a program most often writes
 * past is its newest block: behind it lies an older one, not the header of all
 * that is free.
 *
 * Invariants: no two free blocks are neighbours, but for damaged ones; a list's
 * bit is set exactly if it is not empty.
 *
 * Not here: the kernel lock, owners (heap.c).
 */
#include "block.h"

#define FREE      1u /* in `head`: this block is free */
#define PREV_FREE 2u /* in `head`: the block before this one is free */
#define FLAGS     7u
#define BITS      (BLOCK_PAYLOAD | FLAGS) /* above them the check byte */

#define SUB_BITS  2u
#define SUBS      (1u << SUB_BITS)
#define ALL_SUBS  ((1u << SUBS) - 1)
#define SMALL_LOG 5u /* below 1 << 5 one class per 8 bytes */

struct rank {
    uint32_t subs; /* bit s: lists[s] is not empty */
    struct block *lists[SUBS];
};

struct class
{
    uint32_t rank;
    uint32_t sub;
};

static struct block *block_at(const struct block *block, uint32_t offset)
{
    return (struct block *)((uintptr_t)block + offset);
}

static struct block *next_of(const struct block *block)
{
    return block_at(block, BLOCK_HEADER + block_payload(block));
}

static struct block **footer_before(const struct block *block)
{
    return (struct block **)((uintptr_t)block - sizeof(uintptr_t));
}

/* The upper byte of a product depends on every bit of its factor. PREV_FREE is
 * its neighbour's to change, and left out: who follows it looks. */
static uint32_t sealed(const struct block *block, uint32_t bits)
{
    uint32_t mix =
            (uint32_t)(uintptr_t)block + (uint32_t)(uintptr_t)block->owner;

    mix = (mix ^ (bits & ~PREV_FREE)) * 0x9e3779b1u;
    return bits | (mix & ~BITS);
}

static void seal(struct block *block, uint32_t bits)
{
    block->head = sealed(block, bits);
}

/* Is this a header of the region? Of any address; the last one included. What
 * lies behind its block is in the region as well. */
static bool is_sound(const struct region *region, const struct block *block)
{
    uintptr_t at = (uintptr_t)block;

    return at % BLOCK_ALIGN == 0 &&
           at - region->low <= region->high - region->low &&
           block->head == sealed(block, block->head & BITS) &&
           (at == region->high ||
                   block_payload(block) <= region->high - at - BLOCK_HEADER);
}

static bool is_free(const struct region *region, const struct block *block)
{
    return is_sound(region, block) && (block->head & FREE) != 0;
}

/* The class that a block of `bytes` stands in. */
static struct class class_of(uint32_t bytes)
{
    struct class c;

    if (bytes < 1u << SMALL_LOG) {
        c.rank = 0;
        c.sub = bytes / BLOCK_ALIGN;
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

/* Make `head`, or nobody, the first of a list. */
static void list_begin(
        struct region *region, struct class c, struct block *head)
{
    struct rank *rank = &region->ranks[c.rank];

    rank->lists[c.sub] = head;
    if (head != NULL) {
        head->prev_free = NULL;
        rank->subs |= 1u << c.sub;
        region->map |= 1u << c.rank;
        return;
    }
    /* Bits that a program has set beyond the lists go, too. */
    rank->subs &= ALL_SUBS & ~(1u << c.sub);
    if (rank->subs == 0) {
        region->map &= ~(1u << c.rank);
    }
}

/*
 * Is this perhaps a free block? One that leads back to where its address was
 * found is.
 */
static bool may_be_free(const struct region *region, const struct block *block)
{
    uintptr_t at = (uintptr_t)block;

    return at % BLOCK_ALIGN == 0 &&
           at - region->low < region->high - region->low &&
           (block->head & FREE) != 0;
}

/* What comes behind `block` in its list: a block that says so, too, or NULL. */
static struct block *follower_of(
        struct region *region, const struct block *block)
{
    struct block *next = block->next_free;

    if (next == NULL ||
            (may_be_free(region, next) && next->prev_free == block)) {
        return next;
    }
    region->damaged++;
    return NULL;
}

static void list_push(struct region *region, struct block *block)
{
    struct class c = class_of(block_payload(block));
    struct block *head = region->ranks[c.rank].lists[c.sub];

    if (head != NULL) {
        if (may_be_free(region, head) && head->prev_free == NULL) {
            head->prev_free = block;
        } else {
            region->damaged++;
            head = NULL;
        }
    }
    block->next_free = head;
    list_begin(region, c, block);
}

/* Take a free block out of its list; false: it stands in none. */
static bool list_remove(struct region *region, struct block *block)
{
    struct block *prev = block->prev_free;
    struct block *next = block->next_free;
    struct class c;

    if (next != follower_of(region, block)) {
        return false;
    }
    if (prev != NULL) {
        if (!may_be_free(region, prev) || prev->next_free != block) {
            region->damaged++;
            return false;
        }
        prev->next_free = next;
        if (next != NULL) {
            next->prev_free = prev;
        }
        return true;
    }
    c = class_of(block_payload(block));
    if (region->ranks[c.rank].lists[c.sub] != block) {
        region->damaged++;
        return false;
    }
    list_begin(region, c, next);
    return true;
}

/* Find a list of class c or above; false when all are empty. */
static bool list_find(const struct region *region, struct class *c)
{
    uint32_t subs = 0;

    if ((region->map >> c->rank & 1) != 0) {
        subs = region->ranks[c->rank].subs & ~0u << c->sub;
    }
    if (subs == 0) {
        uint32_t map = region->map & ~1u << c->rank;

        if (map == 0) {
            return false;
        }
        c->rank = (uint32_t)__builtin_ctz(map);
        subs = region->ranks[c->rank].subs;
    }
    /* The bits lie in the region: whatever they are, this is an index. */
    c->sub = (uint32_t)__builtin_ctz(subs | 1u << (SUBS - 1));
    return true;
}

/*
 * Make `block` free and enter it; `bits` are its payload and PREV_FREE. Joined
 * with the one behind it, if that is free.
 */
static void release(struct region *region, struct block *block, uint32_t bits)
{
    struct block *next = block_at(block, BLOCK_HEADER + (bits & ~FLAGS));

    if (is_free(region, next) && list_remove(region, next)) {
        bits += BLOCK_HEADER + block_payload(next);
        next->head = 0;
        next = block_at(block, BLOCK_HEADER + (bits & ~FLAGS));
    }
    next->head |= PREV_FREE;
    *footer_before(next) = block;
    block->owner = NULL;
    seal(block, bits | FREE);
    list_push(region, block);
}

/* Cut `payload` bytes off the end of `block`, the first of list c, which keeps
 * its place if it is still of its class. */
static struct block *cut(struct region *region, struct block *block,
        struct class c, uint32_t payload)
{
    uint32_t left = block_payload(block) - payload - BLOCK_HEADER;
    struct block *end = block_at(block, BLOCK_HEADER + left);
    struct class now = class_of(left);
    bool moves = now.rank != c.rank || now.sub != c.sub;

    if (moves) {
        list_begin(region, c, follower_of(region, block));
    }
    seal(block, left | (block->head & FLAGS));
    *footer_before(end) = block;
    end->head = payload | PREV_FREE;
    if (moves) {
        list_push(region, block);
    }
    return end;
}

struct block *block_alloc(struct region *region, uint32_t payload,
        struct al_task *owner, bool *again)
{
    struct class c = class_for(payload);
    struct block *block;

    *again = false;
    if (!list_find(region, &c)) {
        return NULL;
    }
    block = region->ranks[c.rank].lists[c.sub];
    if (!is_free(region, block) || block_payload(block) < payload) {
        list_begin(region, c, NULL);
        region->damaged++;
        *again = true;
        return NULL;
    }
    next_of(block)->head &= ~PREV_FREE;
    if (block_payload(block) - payload >= BLOCK_GAP) {
        block = cut(region, block, c, payload);
    } else {
        list_begin(region, c, follower_of(region, block));
    }
    block->owner = owner;
    seal(block, block->head & BITS & ~FREE);
    region->used_bytes += block_payload(block) + BLOCK_HEADER;
    region->blocks++;
    return block;
}

void block_trim(struct region *region, struct block *block, uint32_t payload)
{
    uint32_t more = block_payload(block) - payload;

    if (more >= BLOCK_GAP) {
        release(region, block_at(block, BLOCK_HEADER + payload),
                more - BLOCK_HEADER);
        seal(block, (block->head & BITS) - more);
        region->used_bytes -= more;
    }
}

void block_own(struct block *block, struct al_task *owner)
{
    block->owner = owner;
    seal(block, block->head & BITS);
}

enum block_state block_look(
        const struct region *region, const struct block *block)
{
    const struct block *next;

    if (!is_sound(region, block) || (block->head & FREE) != 0 ||
            (uintptr_t)block == region->high) {
        return BLOCK_NOT_LIVE;
    }
    next = next_of(block);
    if (!is_sound(region, next) || (next->head & PREV_FREE) != 0) {
        return BLOCK_OVERRUN;
    }
    return BLOCK_LIVE;
}

bool block_free(struct region *region, struct block *block)
{
    uint32_t bits = block->head & BITS;

    region->used_bytes -= block_payload(block) + BLOCK_HEADER;
    region->blocks--;
    release(region, block, bits);
    return (bits & PREV_FREE) != 0;
}

void block_merge(struct region *region, struct block *block)
{
    struct block *prev;

    /* It may be anything by now; what its lists and neighbour say of it
     * decides. */
    if (!may_be_free(region, block) || (block->head & PREV_FREE) == 0) {
        return;
    }
    prev = *footer_before(block);
    if (!may_be_free(region, prev) || next_of(prev) != block ||
            !list_remove(region, prev)) {
        return;
    }
    if (list_remove(region, block)) {
        *footer_before(next_of(block)) = prev;
        seal(prev, (prev->head & BITS) + BLOCK_HEADER + block_payload(block));
        block->head = 0;
    }
    list_push(region, prev);
}

struct block *block_trim_front(
        struct region *region, struct block *block, uintptr_t align)
{
    uintptr_t payload = (uintptr_t)&block->next_free;
    uint32_t bits = block->head & BITS;
    struct block *rest;
    uint32_t gap;

    if ((payload & (align - 1)) == 0) {
        return block;
    }
    payload = (payload + BLOCK_GAP + align - 1) & ~(align - 1);
    rest = block_of((void *)payload);
    gap = (uint32_t)((uintptr_t)rest - (uintptr_t)block);
    rest->owner = block->owner;
    seal(rest, (bits & ~FLAGS) - gap);
    seal(block, (gap - BLOCK_HEADER) | (bits & PREV_FREE));
    region->blocks++;
    if (block_free(region, block)) {
        block_merge(region, block);
    }
    return rest;
}

void block_grow(struct region *region, struct block *block, uint32_t payload)
{
    struct block *next = next_of(block);
    uint32_t more = BLOCK_HEADER + block_payload(next);

    if ((next->head & FREE) == 0 || block_payload(block) + more < payload ||
            !list_remove(region, next)) {
        return;
    }
    next_of(next)->head &= ~PREV_FREE;
    next->head = 0;
    seal(block, (block->head & BITS) + more);
    region->used_bytes += more;
}

size_t block_largest(const struct region *region)
{
    struct class c;
    const struct block *block;

    if (region->map == 0) {
        return 0;
    }
    c.rank = 31u - (uint32_t)__builtin_clz(region->map);
    c.sub = region->ranks[c.rank].subs & ALL_SUBS;
    c.sub = 31u - (uint32_t)__builtin_clz(c.sub | 1u);
    block = region->ranks[c.rank].lists[c.sub];
    return is_free(region, block) ? block_payload(block) : 0;
}

bool block_plan(struct block_plan *plan, uintptr_t low, uintptr_t high)
{
    uint32_t ranks;

    low = (low + BLOCK_ALIGN - 1) & ~(uintptr_t)(BLOCK_ALIGN - 1);
    high &= ~(uintptr_t)(BLOCK_ALIGN - 1);
    if (low > high || high - low < AL_HEAP_REGION_LEAST) {
        return false;
    }
    if (high - low >= BLOCK_MOST) {
        high = low + BLOCK_MOST - BLOCK_ALIGN;
    }
    ranks = class_of((uint32_t)(high - low)).rank + 1;
    plan->low = (void *)low;
    low += ranks * sizeof(struct rank);
    plan->first = (struct block *)((low + BLOCK_ALIGN - 1) &
                                   ~(uintptr_t)(BLOCK_ALIGN - 1));
    plan->last = (struct block *)(high - BLOCK_HEADER);
    return true;
}

void block_plan_touch(const struct block_plan *plan)
{
    volatile uint32_t *word = plan->low;

    while (word < &plan->first->head) {
        *word = 0;
        word++;
    }
    *(volatile uint32_t *)&plan->first->head = 0;
    *(volatile uint32_t *)&plan->last->head = 0;
}

void block_plan_build(const struct block_plan *plan, struct region *region)
{
    region->low = (uintptr_t)plan->first;
    region->high = (uintptr_t)plan->last;
    region->ranks = plan->low;
    plan->last->owner = NULL;
    seal(plan->last, 0);
    release(region, plan->first,
            (uint32_t)(region->high - region->low) - BLOCK_HEADER);
}
