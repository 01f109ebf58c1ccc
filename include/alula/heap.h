/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The heap: two-level segregated fit, constant time. Each block knows the task
 * that allocated it. A plain block outlives its task and is counted as left
 * behind; a scoped one is returned when its block is left or its task dies.
 * For tasks only: an interrupt handler neither allocates nor frees.
 */

#include <alula/scope.h>
#include <alula/status.h>
#include <alula/types.h>

AL_EXTERN_C_BEGIN

struct al_heap_info {
    size_t total_bytes;   /* payload of the empty heap's one block */
    size_t used_bytes;    /* in live blocks, headers included */
    size_t blocks;        /* live blocks */
    size_t largest_bytes; /* lower bound of the largest free payload */
};

/**
 * Allocate `bytes` bytes.
 *
 * @param[in] bytes  0 is taken as 1
 * @context   task
 * @return    the block, aligned to 8, contents undefined; the caller's to
 *            free; NULL when no free block is large enough
 * @panics    HEAP.1  called from an interrupt handler
 * @unwind    stays, counted for its task as left behind
 * @cost      constant
 */
void *al_heap_alloc(size_t bytes);

/**
 * Free a block.
 *
 * @param[in] block  from al_heap_alloc(), or NULL, which does nothing
 * @context   task
 * @panics    HEAP.1  called from an interrupt handler
 * @panics    HEAP.2  not a live block of this heap (freed twice, never
 *                    allocated, or its header was overwritten)
 * @cost      constant
 */
void al_heap_free(void *block);

/**
 * Read the heap's state.
 *
 * @param[out] info  filled in
 * @context   task
 * @cost      constant
 */
void al_heap_read(struct al_heap_info *info);

/* Opens a scope that frees `*slot`, then allocates into it. */
void al_heap_scope_open(struct al_scope *scope, void **slot, size_t bytes);

/**
 * Allocate until the end of the enclosing block, or of the task.
 *
 * @param[out] pointer  name of a void * variable that this declares; NULL when
 *                      the heap has no such block
 * @param[in] bytes
 */
#define AL_HEAP_SCOPED(pointer, bytes)                                \
  void *pointer = NULL;                                               \
  __attribute__((cleanup(al_scope_close))) struct al_scope AL_UNIQUE( \
          al_heap_);                                                  \
  al_heap_scope_open(&AL_UNIQUE(al_heap_), &(pointer), bytes)

AL_EXTERN_C_END
