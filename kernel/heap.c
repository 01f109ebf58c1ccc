/* SPDX-License-Identifier: MIT */
/*
 * The heap's regions as tasks see them: the kernel lock, whose blocks they are,
 * and what a wrong use comes to. The blocks themselves: block.c.
 *
 * Whatever an application hands over, and whatever lies in a region, is looked
 * at under the lock only at addresses inside a region.
 */
#include "heap.h"

#include "arch.h"
#include "panic.h"
#include "softlock.h"
#include "task.h"
#include "weak.h"

#include "core/block.h"

static struct {
    struct region regions[AL_HEAP_REGIONS];
    uint32_t count; /* of regions; grows only */
} heap __attribute__((section(".bss.alula.state")));

/* Lets go of the lock between one list and the next. */
static void *alloc_in(
        struct region *region, struct al_task *owner, uint32_t size)
{
    uint32_t from = block_class(size);

    while (from < BLOCK_LISTS) {
        struct block *block;

        softlock_take();
        block = block_alloc(region, size, owner, &from);
        if (block != NULL && owner != NULL) {
            owner->heap_bytes += block_payload(block);
        }
        softlock_leave();
        if (block != NULL) {
            return &block->next_free;
        }
    }
    return NULL;
}

void *heap_alloc(struct al_task *owner, size_t bytes)
{
    uint32_t size = block_size_for(bytes);
    void *block = alloc_in(&heap.regions[0], owner, size);

    for (uint32_t i = 1; i < AL_HEAP_REGIONS && block == NULL; i++) {
        if ((heap.regions[i].flags & AL_HEAP_BY_NAME) == 0) {
            block = alloc_in(&heap.regions[i], owner, size);
        }
    }
    return block;
}

void *al_heap_alloc(size_t bytes)
{
    CALLER_MUST(HEAP, 1, !arch_in_handler());
    return heap_alloc(al_core.current, bytes);
}

static struct region *named(int32_t region)
{
    CALLER_MUST(HEAP, 1, !arch_in_handler());
    CALLER_MUST(HEAP, 4, (uint32_t)region < heap.count);
    return &heap.regions[region];
}

void *al_heap_alloc_from(int32_t region, size_t bytes)
{
    return alloc_in(named(region), al_core.current, block_size_for(bytes));
}

/* The region that an address lies in; for one that lies in none, region 0. */
static struct region *region_of(const struct block *block)
{
    struct region *found = &heap.regions[0];

    for (uint32_t i = 1; i < AL_HEAP_REGIONS; i++) {
        struct region *region = &heap.regions[i];

        if ((uintptr_t)block - region->low < region->span) {
            found = region;
        }
    }
    return found;
}

WEAK(spawn_empty_held, struct al_task)

/* A live block is its owner's no longer. Who ended in memory of its own, which
 * is something else by now, has no account any more. */
static void disown_held(const struct block *block)
{
    struct al_task *owner = block->owner;

    if (owner == NULL || !task_is_known(owner)) {
        return;
    }
    owner->heap_bytes -= block_payload(block);
    if (owner->heap_bytes == 0) {
        spawn_empty_held(owner);
    }
}

bool heap_free_held(void *payload)
{
    struct block *block = block_of(payload);
    struct region *region = region_of(block);

    if (block_look(region, block) != BLOCK_LIVE) {
        return false;
    }
    disown_held(block);
    block_retire(region, block);
    block_free(region, block);
    return true;
}

void heap_keep(void *payload)
{
    struct block *block = block_of(payload);

    softlock_take();
    if (block_look(region_of(block), block) == BLOCK_LIVE) {
        disown_held(block);
        block_own(block, NULL);
    }
    softlock_leave();
}

/* Take the lock for a task that names a live block of some task's. If it is
 * none, let go of the lock and end the caller. */
static void enter_task(struct block *block)
{
    enum block_state state;

    softlock_take();
    state = block_look(region_of(block), block);
    if (state == BLOCK_LIVE && block->owner != NULL) {
        return;
    }
    softlock_leave();
    panic_caller(state == BLOCK_OVERRUN ? PANIC_HEAP_3 : PANIC_HEAP_2);
}

static void enter(struct block *block)
{
    CALLER_MUST(HEAP, 1, !arch_in_handler());
    enter_task(block);
}

/*
 * What has no account any more, in two steps, for whom the lock keeps waiting.
 * After the first the block is nobody's, that is, as the kernel's own: live, and
 * refused to all.
 */
static void give_back(struct block *block)
{
    struct region *region = region_of(block);

    block_retire(region, block);
    softlock_leave();
    softlock_take();
    block_free(region, block);
    softlock_leave();
}

void al_heap_free(void *payload)
{
    struct block *block = block_of(payload);

    if (payload == NULL) {
        CALLER_MUST(HEAP, 1, !arch_in_handler());
        return;
    }
    enter(block);
    disown_held(block);
    give_back(block);
}

size_t al_heap_size(const void *payload)
{
    struct block *block = block_of(payload);
    size_t bytes;

    enter(block);
    bytes = block_payload(block);
    softlock_leave();
    return bytes;
}

/* Add to, or take from, what a block counts for. */
static void account_held(const struct block *block, uint32_t change)
{
    if (task_is_known(block->owner)) {
        block->owner->heap_bytes += change;
    }
}

static bool resize_block(struct block *block, size_t bytes)
{
    struct region *region = region_of(block);
    uint32_t wanted = block_size_for(bytes);
    uint32_t before;
    bool fits;

    enter(block);
    before = block_size(block);
    if (before < wanted) {
        block_grow(region, block, wanted);
    }
    fits = block_size(block) >= wanted;
    if (fits) {
        block_trim(region, block, wanted);
        account_held(block, block_size(block) - before);
    }
    softlock_leave();
    return fits;
}

bool al_heap_resize(void *payload, size_t bytes)
{
    return resize_block(block_of(payload), bytes);
}

/* One step a lock: allocate, free what lies before, free what lies behind. */
void *al_heap_alloc_aligned(int32_t number, size_t bytes, size_t align)
{
    struct region *region = named(number);
    uint32_t size = block_size_for(bytes);
    struct block *block;
    uint32_t room;
    void *at;

    CALLER_MUST(HEAP, 5, align != 0 && (align & (align - 1)) == 0);
    if (align <= BLOCK_ALIGN) {
        return alloc_in(region, al_core.current, size);
    }
    if (size >= BLOCK_MOST || align > BLOCK_MOST / 4) {
        return NULL;
    }
    at = alloc_in(
            region, al_core.current, size + (uint32_t)align + BLOCK_LEAST);
    if (at == NULL) {
        return NULL;
    }
    block = block_of(at);
    enter(block);
    room = block_size(block);
    block = block_trim_front(region, block, align);
    account_held(block, block_size(block) - room);
    softlock_leave();
    /* Not by al_heap_resize(): its check could end the caller here. */
    return resize_block(block, bytes) ? &block->next_free : NULL;
}

al_status al_heap_give(void *payload, struct al_task_id to)
{
    struct block *block = block_of(payload);

    CALLER_MUST(HEAP, 6, task_id_is_sane(to));
    enter(block);
    if (!task_id_lives(to)) {
        softlock_leave();
        return AL_E_STALE;
    }
    to.task->heap_bytes += block_payload(block);
    disown_held(block);
    block_own(block, to.task);
    softlock_leave();
    return AL_OK;
}

void heap_boot(uintptr_t low, uintptr_t high)
{
    struct region *region = &heap.regions[0];

    region->low = low;
    region->span = high - low;
    block_build(region, block_touch(region));
    heap.count = 1;
}

static bool is_apart(const struct region *plan)
{
    for (uint32_t i = 0; i < heap.count; i++) {
        const struct region *region = &heap.regions[i];

        if (plan->low < region->low + region->span &&
                plan->low + plan->span > region->low) {
            return false;
        }
    }
    return true;
}

static void region_add_held(const struct region *plan, struct block *first)
{
    struct region *region = &heap.regions[heap.count];

    region->low = plan->low;
    region->span = plan->span;
    region->flags = plan->flags;
    block_build(region, first);
    heap.count++;
}

int32_t al_heap_add(void *memory, size_t bytes, uint32_t flags)
{
    uintptr_t low = (uintptr_t)memory;
    struct region plan = {.flags = flags};
    struct block *first;
    int32_t region = AL_E_FULL;
    bool apart;

    CALLER_MUST(HEAP, 1, !arch_in_handler());
    CALLER_MUST(HEAP, 7,
            bytes <= UINTPTR_MAX - low && block_plan(&plan, low, low + bytes) &&
                    is_apart(&plan));
    if (heap.count == AL_HEAP_REGIONS) {
        return region;
    }
    first = block_touch(&plan);
    softlock_take();
    apart = is_apart(&plan);
    if (apart && heap.count < AL_HEAP_REGIONS) {
        region = (int32_t)heap.count;
        region_add_held(&plan, first);
    }
    softlock_leave();
    CALLER_MUST(HEAP, 7, apart);
    return region;
}

static void add_info(struct al_heap_info *info, uint32_t i)
{
    const struct region *region = &heap.regions[i];
    size_t used;
    size_t blocks;
    uint32_t damaged;
    size_t largest;

    /* Not one store to the caller's memory with the lock held. */
    softlock_take();
    used = region->used_bytes;
    blocks = region->blocks;
    damaged = region->damaged;
    largest = block_largest(region);
    softlock_leave();
    info->total_bytes += block_total(region);
    info->used_bytes += used;
    info->blocks += blocks;
    info->damaged += damaged;
    if (info->largest_bytes < largest) {
        info->largest_bytes = largest;
    }
}

static void clear_info(struct al_heap_info *info)
{
    info->total_bytes = 0;
    info->used_bytes = 0;
    info->blocks = 0;
    info->largest_bytes = 0;
    info->damaged = 0;
}

void al_heap_read(struct al_heap_info *info)
{
    CALLER_MUST(HEAP, 1, !arch_in_handler());
    clear_info(info);
    for (uint32_t i = 0; i < heap.count; i++) {
        add_info(info, i);
    }
}

void al_heap_read_region(int32_t region, struct al_heap_info *info)
{
    CALLER_MUST(HEAP, 1, !arch_in_handler());
    CALLER_MUST(HEAP, 4, (uint32_t)region < heap.count);
    clear_info(info);
    add_info(info, (uint32_t)region);
}

/* The end of a scope: what was given away meanwhile is not the scope's. In a
 * handler the slot is empty. */
static void free_slot(void *slot)
{
    void *payload = *(void **)slot;
    struct block *block = block_of(payload);

    if (payload == NULL) {
        return;
    }
    enter_task(block);
    if (block->owner == al_core.current) {
        block->owner->heap_bytes -= block_payload(block);
        give_back(block);
    } else {
        softlock_leave();
    }
}

void al_heap_scope_open(struct al_scope *scope, void **slot, size_t bytes)
{
    al_scope_open(scope, free_slot, slot);
    *slot = al_heap_alloc(bytes);
}
