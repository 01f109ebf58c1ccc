/* SPDX-License-Identifier: MIT */
/*
 * Two-level segregated fit. Free blocks stand in lists by class, four classes
 * per power of two, and a bitmap finds the next list that is not empty. The
 * first block of a size's own class serves if it is large enough, any block of
 * a class above it is; it is cut, and neighbours that are free are joined at
 * once. All of it is constant time, and no loop depends on the number of blocks.
 *
 * A block:   header | payload ...            used: owner is its task
 *            header | links ... | footer     free: footer holds its address
 * The footer lies in the last word before the next header and is there only
 * while that header says PREV_FREE. A region begins with its lists, as many as
 * its size can fill, and ends in a used header of size 0. A block in a list
 * knows the word that leads to it, be it the list or another block's link.
 *
 * Applications write past their blocks, and into blocks that they have freed.
 * So nothing that lies in a region is believed: an address is inside its
 * region before it is looked at, a header carries a check byte over its own
 * address, size, flags and owner, and a link leads to a free block that leads
 * back. Headers that cease to be any are wiped. What is found damaged is left
 * alone for ever:
 *
 *   the block itself, or the header behind it        its user is told
 *   a free neighbour, its footer, what leads to it   not joined
 *   a link, or what it leads to                      the rest of the list is
 *                                                    given up
 *
 * A block is cut off the end of a free one. What a program most often writes
 * past is its newest block: behind it lies an older one, not the header of all
 * that is free.
 *
 * Invariants: no two free blocks are neighbours, but for damaged ones; a list's
 * bit is set exactly if it is not empty.
 *
 * Not here: the kernel lock, owners (kernel/heap.c).
 */
#include "block.h"

#define FREE      0x200u /* in `head`: this block is free */
#define PREV_FREE 0x100u /* in `head`: the block before this one is free */
#define CHECK     0xffu
#define UNCHECKED 9u /* bits */

static struct block *block_at(const struct block *block, uint32_t offset)
{
    return (struct block *)((uintptr_t)block + offset);
}

static struct block *next_of(const struct block *block)
{
    return block_at(block, block_size(block));
}

static struct block **footer_before(const struct block *block)
{
    return (struct block **)((uintptr_t)block - sizeof(uintptr_t));
}

/* The upper byte of a product depends on every bit of its factor. PREV_FREE is
 * its neighbour's to change, and left out: who follows it looks. */
static uint32_t check_of(const struct block *block, uint32_t head)
{
    uint32_t mix =
            (uint32_t)(uintptr_t)block + (uint32_t)(uintptr_t)block->owner;

    return ((mix ^ head >> UNCHECKED) * 0x9e3779b1u) >> 24;
}

static void seal(struct block *block, uint32_t size, uint32_t flags)
{
    uint32_t head = size << (BLOCK_SHIFT - 3) | flags;

    block->head = head | check_of(block, head);
}

/* Its size has changed, or its owner. */
static void seal_again(struct block *block, uint32_t size)
{
    seal(block, size, block->head & (FREE | PREV_FREE));
}

extern inline uint32_t block_class(uint32_t size);

uint32_t block_size_for(size_t bytes)
{
    uint32_t size = bytes < BLOCK_MOST ? (uint32_t)bytes : BLOCK_MOST;

    size = (size + BLOCK_HEADER + BLOCK_ALIGN - 1) & ~(BLOCK_ALIGN - 1);
    return size < BLOCK_LEAST ? BLOCK_LEAST : size;
}

static struct block **list_of(const struct region *region, uint32_t c)
{
    return &((struct block **)region->low)[c];
}

/* May a header of the region be there? */
static bool is_inside(const struct region *region, const struct block *block)
{
    return (uintptr_t)block % BLOCK_ALIGN == 0 &&
           (uintptr_t)block - region->low < region->span;
}

/* Is this a header of the region? Of any address; the last one included. So is
 * what lies behind its block. */
static inline bool is_sound(
        const struct region *region, const struct block *block)
{
    return is_inside(region, block) &&
           block_size(block) <
                   region->span - ((uintptr_t)block - region->low) &&
           ((block->head ^ check_of(block, block->head)) & CHECK) == 0;
}

static inline bool is_free(
        const struct region *region, const struct block *block)
{
    return is_sound(region, block) && (block->head & FREE) != 0;
}

/* The same, for one that leads back to where its address was found: that is
 * proof enough. */
static bool may_be_free(const struct region *region, const struct block *block)
{
    return is_inside(region, block) && (block->head & FREE) != 0;
}

/* The block that a link or a list leads to, or NULL. */
static struct block *led_to(struct region *region, struct block **link)
{
    struct block *block = *link;

    if (block == NULL || (may_be_free(region, block) && block->link == link)) {
        return block;
    }
    region->damaged++;
    return NULL;
}

/* Let a link, or a list, lead to `block`, or NULL. */
static void lead(
        struct region *region, struct block **link, struct block *block)
{
    uint32_t c = (uint32_t)(link - list_of(region, 0));

    *link = block;
    if (block != NULL) {
        block->link = link;
    } else if (c < BLOCK_LISTS) {
        /* No list, but a link that lies where a larger region has lists: that
         * bit is 0. */
        region->map[c / 32] &= ~(1u << c % 32);
    }
}

/* Take a free block out of its list; false: it stands in none. Nobody but a
 * link has a header's address. */
static bool list_remove(struct region *region, struct block *block)
{
    struct block **link = block->link;
    uintptr_t at = (uintptr_t)link - region->low;

    if (at >= region->span || at % sizeof(*link) != 0 || *link != block) {
        region->damaged++;
        return false;
    }
    lead(region, link, led_to(region, &block->next_free));
    return true;
}

/* Make `block` of `size` bytes free, and the first of its list. */
static void list_push(struct region *region, struct block *block, uint32_t size)
{
    struct block *next = block_at(block, size);
    uint32_t c = block_class(size);
    struct block **list = list_of(region, c);

    next->head |= PREV_FREE;
    *footer_before(next) = block;
    block->owner = NULL;
    seal(block, size, FREE);
    next = led_to(region, list);
    block->next_free = next;
    if (next != NULL) {
        next->link = &block->next_free;
    }
    block->link = list;
    *list = block;
    region->map[c / 32] |= 1u << c % 32;
}

/* Is it free, and can it be taken out of its list? */
static bool take(struct region *region, struct block *block)
{
    return is_free(region, block) && list_remove(region, block);
}

/*
 * Make `block` of `size` bytes free, joined with those around it that are; the
 * flags in its header say if there may be one before it.
 */
static void release(struct region *region, struct block *block, uint32_t size)
{
    struct block *next = block_at(block, size);

    if (take(region, next)) {
        size += block_size(next);
        next->head = 0;
    }
    if ((block->head & PREV_FREE) != 0) {
        struct block *prev = *footer_before(block);

        if (is_free(region, prev) && next_of(prev) == block &&
                list_remove(region, prev)) {
            block->head = 0;
            block = prev;
            size += block_size(prev);
        }
    }
    list_push(region, block, size);
}

/* The first list of class c or above that is not empty, or BLOCK_LISTS. */
static uint32_t list_find(const struct region *region, uint32_t c)
{
    uint32_t word = c / 32;
    uint32_t bits = region->map[word] & ~0u << c % 32;

    while (bits == 0) {
        word++;
        if (word == BLOCK_WORDS) {
            return BLOCK_LISTS;
        }
        bits = region->map[word];
    }
    return word * 32 + (uint32_t)__builtin_ctz(bits);
}

struct block *block_alloc(struct region *region, uint32_t size,
        struct al_task *owner, uint32_t *from)
{
    uint32_t c = list_find(region, *from);
    struct block *block;
    struct block *end;
    uint32_t left;

    *from = c + 1;
    if (c == BLOCK_LISTS) {
        return NULL;
    }
    block = *list_of(region, c);
    if (!is_free(region, block)) {
        region->damaged++; /* who frees next begins a new list */
        return NULL;
    }
    left = block_size(block) - size;
    if (left > BLOCK_MOST || !list_remove(region, block)) {
        return NULL;
    }
    next_of(block)->head &= ~PREV_FREE;
    if (left < BLOCK_LEAST) {
        size += left;
        left = 0;
    }
    __asm__("" : "+r"(left)); /* or compilers write the rest twice */
    end = block_at(block, left);
    end->owner = owner;
    seal(end, size, 0);
    if (left != 0) {
        list_push(region, block, left);
    }
    region->used_bytes += size;
    region->blocks++;
    return end;
}

void block_trim(struct region *region, struct block *block, uint32_t size)
{
    uint32_t more = block_size(block) - size;

    if (more >= BLOCK_LEAST) {
        seal_again(block, size);
        block_at(block, size)->head = 0;
        release(region, block_at(block, size), more);
        region->used_bytes -= more;
    }
}

void block_own(struct block *block, struct al_task *owner)
{
    block->owner = owner;
    seal_again(block, block_size(block));
}

enum block_state block_look(
        const struct region *region, const struct block *block)
{
    const struct block *next;

    if (!is_sound(region, block) || (block->head & FREE) != 0 ||
            block_size(block) == 0) {
        return BLOCK_NOT_LIVE;
    }
    next = next_of(block);
    if (!is_sound(region, next) || (next->head & PREV_FREE) != 0) {
        return BLOCK_OVERRUN;
    }
    return BLOCK_LIVE;
}

void block_retire(struct region *region, struct block *block)
{
    region->used_bytes -= block_size(block);
    region->blocks--;
    block_own(block, NULL);
}

void block_free(struct region *region, struct block *block)
{
    release(region, block, block_size(block));
}

struct block *block_trim_front(
        struct region *region, struct block *block, uintptr_t align)
{
    uintptr_t payload = (uintptr_t)&block->next_free;
    struct block *rest;
    uint32_t gap;

    if ((payload & (align - 1)) == 0) {
        return block;
    }
    payload = (payload + BLOCK_LEAST + align - 1) & ~(align - 1);
    rest = block_of((void *)payload);
    gap = (uint32_t)((uintptr_t)rest - (uintptr_t)block);
    rest->owner = block->owner;
    seal(rest, block_size(block) - gap, 0);
    region->used_bytes -= gap;
    release(region, block, gap);
    return rest;
}

void block_grow(struct region *region, struct block *block, uint32_t size)
{
    struct block *next = next_of(block);
    uint32_t more = block_size(next);

    if (block_size(block) + more < size || !take(region, next)) {
        return;
    }
    next_of(next)->head &= ~PREV_FREE;
    next->head = 0;
    seal_again(block, block_size(block) + more);
    region->used_bytes += more;
}

size_t block_largest(const struct region *region)
{
    const struct block *block = NULL;

    for (uint32_t c = 0; c < BLOCK_LISTS; c++) {
        if ((region->map[c / 32] >> c % 32 & 1) != 0) {
            block = *list_of(region, c);
        }
    }
    return is_free(region, block) ? block_payload(block) : 0;
}

bool block_plan(struct region *region, uintptr_t low, uintptr_t high)
{
    uintptr_t span;

    low = (low + BLOCK_ALIGN - 1) & ~(uintptr_t)(BLOCK_ALIGN - 1);
    span = (high - low) & ~(uintptr_t)(BLOCK_ALIGN - 1);
    if (low > high || span < AL_HEAP_REGION_LEAST) {
        return false;
    }
    region->low = low;
    region->span = span < BLOCK_MOST ? span : BLOCK_MOST - BLOCK_ALIGN;
    return true;
}

/* Behind the lists that the region can fill. */
static struct block *first_of(const struct region *region)
{
    uintptr_t at =
            (uintptr_t)list_of(region, block_class((uint32_t)region->span) + 1);

    return (struct block *)((at + BLOCK_ALIGN - 1) &
                            ~(uintptr_t)(BLOCK_ALIGN - 1));
}

static struct block *last_of(const struct region *region)
{
    return block_of((void *)(region->low + region->span));
}

size_t block_total(const struct region *region)
{
    return (uintptr_t)last_of(region) - (uintptr_t)first_of(region) -
           BLOCK_HEADER;
}

struct block *block_touch(const struct region *region)
{
    struct block *first = first_of(region);
    volatile uint32_t *word = &first->head;

    *(volatile uint32_t *)&last_of(region)->head = 0;
    while ((uintptr_t)word >= region->low) {
        *word = 0;
        word--;
    }
    return first;
}

void block_build(struct region *region, struct block *first)
{
    struct block *last = last_of(region);

    last->owner = NULL;
    seal(last, 0, 0);
    list_push(region, first, (uint32_t)((uintptr_t)last - (uintptr_t)first));
}
