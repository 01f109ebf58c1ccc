/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The heap: two-level segregated fit, constant time, over up to AL_HEAP_REGIONS
 * pieces of memory. Region 0 is what the image leaves of RAM; others are added
 * at run time.
 *
 * Each block knows the task that allocated it. A plain block outlives its task
 * and is counted as left behind; a scoped one is returned when its block of
 * code is left or its task dies. Ownership can be given to another task.
 *
 * A block that was written past its end, or after it was freed, damages the
 * heap's own words. They are checked whenever they are used. What breaks is
 * seen at the next call that meets it, never in the kernel:
 *
 *   al_heap_free() and others that name a block panic when the block's header,
 *   or the one behind it, is damaged: HEAP.2, HEAP.3. Nothing is changed; the
 *   block stays out of use.
 *   al_heap_alloc(), and al_heap_free() next to a damaged free block, go on
 *   without what is damaged: it is out of use from then on, and
 *   al_heap_info.damaged counts each time that a call meets damage: a block
 *   that is met twice counts twice. Whoever calls may be innocent.
 *
 * For tasks only: an interrupt handler neither allocates nor frees.
 */

#include <alula/config.h>
#include <alula/scope.h>
#include <alula/status.h>
#include <alula/types.h>

AL_EXTERN_C_BEGIN

#define AL_HEAP_REGIONS      AL_CFG_HEAP_REGIONS /* at most */
#define AL_HEAP_REGION_LEAST 256 /* bytes of a region, at least */

/* Of a region: only al_heap_alloc_from() and _aligned() take from it. For
 * memory that is not like the rest: slower, or out of reach of DMA. */
#define AL_HEAP_BY_NAME 1u

struct al_heap_info {
    size_t total_bytes;   /* payload of the empty heap's blocks, one a region */
    size_t used_bytes;    /* in live blocks, headers included */
    size_t blocks;        /* live blocks */
    size_t largest_bytes; /* lower bound of the largest free payload */
    uint32_t damaged;     /* times that damage was met and gone on without */
};

/**
 * Allocate `bytes` bytes from the first region that has them; those that were
 * added with AL_HEAP_BY_NAME are passed over.
 *
 * @param[in] bytes  0 is taken as 1; below 16 MiB
 * @context   task
 * @return    the block, aligned to 8, contents undefined; the caller's to
 *            free; NULL when no free block is large enough
 * @panics    HEAP.1  called from an interrupt handler
 * @unwind    stays, counted for its task as left behind
 * @cost      constant in the blocks; one step per region and per damaged block
 */
void *al_heap_alloc(size_t bytes);

/**
 * Allocate from one region.
 *
 * @param[in] region  0, or what al_heap_add() returned
 * @param[in] bytes   as al_heap_alloc()
 * @context   task
 * @return    as al_heap_alloc()
 * @panics    HEAP.1  called from an interrupt handler
 * @panics    HEAP.4  there is no such region
 * @unwind    as al_heap_alloc()
 * @cost      constant; one step more per damaged block
 */
void *al_heap_alloc_from(int32_t region, size_t bytes);

/**
 * Allocate from one region at a multiple of `align`.
 *
 * @param[in] region  0, or what al_heap_add() returned
 * @param[in] bytes   as al_heap_alloc()
 * @param[in] align   a power of two; up to 4 MiB, above: NULL
 * @context   task
 * @return    as al_heap_alloc(); needs a free block larger by `align` + 24
 * @panics    HEAP.1  called from an interrupt handler
 * @panics    HEAP.4  there is no such region
 * @panics    HEAP.5  `align` is no power of two
 * @unwind    as al_heap_alloc()
 * @cost      constant; one step more per damaged block
 */
void *al_heap_alloc_aligned(int32_t region, size_t bytes, size_t align);

/**
 * Free a block, whichever task it belongs to.
 *
 * @param[in] block  from al_heap_alloc() and its like, or NULL, which does
 *                   nothing
 * @context   task
 * @panics    HEAP.1  called from an interrupt handler
 * @panics    HEAP.2  not a live block of this heap (freed twice, never
 *                    allocated, or its header was overwritten)
 * @panics    HEAP.3  the header behind the block was overwritten: most likely
 *                    the block was written past its end
 * @cost      constant
 */
void al_heap_free(void *block);

/**
 * Tell how many bytes a block has: at least what was asked for.
 *
 * @param[in] block  a live one
 * @context   task
 * @panics    HEAP.1, HEAP.2, HEAP.3  as al_heap_free()
 * @cost      constant
 */
size_t al_heap_size(const void *block);

/**
 * Make a block larger or smaller where it lies.
 *
 * @param[in] block  a live one
 * @param[in] bytes  as al_heap_alloc()
 * @context   task
 * @return    true: it has `bytes` bytes now, and the contents are what they
 *            were; false: there is no room behind it, nothing has changed
 * @panics    HEAP.1, HEAP.2, HEAP.3  as al_heap_free()
 * @cost      constant
 */
AL_MUST_USE bool al_heap_resize(void *block, size_t bytes);

/**
 * Give a block to another task: from here on it is counted for that task.
 * Whoever held it in a scope (AL_HEAP_SCOPED) sets the scope's pointer to NULL
 * next; a death before that leaves the block with its new owner.
 *
 * @param[in] block  a live one, of any task
 * @param[in] task   the new owner
 * @context   task
 * @return    AL_OK       it belongs to `task`
 * @return    AL_E_STALE  `task` has ended; nothing has changed
 * @panics    HEAP.1, HEAP.2, HEAP.3  as al_heap_free()
 * @panics    HEAP.6  `task` was never a task
 * @cost      constant
 */
AL_MUST_USE al_status al_heap_give(void *block, struct al_task_id task);

/**
 * Add memory to the heap, for good.
 *
 * @param[in] memory  memory that nothing else uses: an array, or a second RAM.
 *                    Some 20 bytes per power of two of its size go to lists
 * @param[in] bytes   AL_HEAP_REGION_LEAST or more; what exceeds 16 MiB is not
 *                    used
 * @param[in] flags   0 or AL_HEAP_BY_NAME
 * @context   task
 * @return    0 or more   the region's number
 * @return    AL_E_FULL   there are AL_HEAP_REGIONS regions
 * @panics    HEAP.1  called from an interrupt handler
 * @panics    HEAP.7  too small, or a part of it is in the heap already
 * @cost      some 100 steps
 */
AL_MUST_USE int32_t al_heap_add(void *memory, size_t bytes, uint32_t flags);

/**
 * Read the heap's state, all regions together.
 *
 * @param[out] info  filled in
 * @context   task
 * @panics    HEAP.1  called from an interrupt handler
 * @cost      constant, one step per region
 */
void al_heap_read(struct al_heap_info *info);

/**
 * Read the state of one region.
 *
 * @param[in] region  0, or what al_heap_add() returned
 * @param[out] info   filled in
 * @context   task
 * @panics    HEAP.1  called from an interrupt handler
 * @panics    HEAP.4  there is no such region
 * @cost      constant
 */
void al_heap_read_region(int32_t region, struct al_heap_info *info);

/* Opens a scope that frees `*slot`, then allocates into it. */
void al_heap_scope_open(struct al_scope *scope, void **slot, size_t bytes);

/* Closes it. What it calls belongs to the kernel and runs out of no stack. */
AL_INLINE void al_heap_scope_close(struct al_scope *scope)
{
#ifdef __OPTIMIZE_SIZE__ /* a call, and no more */
    __al_scope_close(scope);
#else
    void (*fn)(void *);
    void *arg;

    if (al_scope_leave(scope, &fn, &arg)) {
        AL_BARRIER();
        ARCH_STACK_CALLS_NAMED("free_slot");
        fn(arg);
    } else {
        __al_scope_close(scope);
    }
#endif
}

/**
 * Allocate until the end of the enclosing block, or of the task.
 *
 * @param[out] pointer  name of a void * variable that this declares; NULL when
 *                      the heap has no such block
 * @param[in] bytes
 */
#define AL_HEAP_SCOPED(pointer, bytes)                                     \
  void *pointer = NULL;                                                    \
  __attribute__((cleanup(al_heap_scope_close))) struct al_scope AL_UNIQUE( \
          al_heap_);                                                       \
  al_heap_scope_open(&AL_UNIQUE(al_heap_), &(pointer), bytes)

AL_EXTERN_C_END
