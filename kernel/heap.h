/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The heap, for the kernel's own use: blocks with a stated owner, and freeing
 * under the kernel lock.
 */

#include <alula/heap.h>

/* Give the heap its region, [low, high), of AL_HEAP_REGION_LEAST or more and less
 * than 16 MiB, aligned to 8; at boot, before any task runs. */
void heap_boot(uintptr_t low, uintptr_t high);

/*
 * Allocate for `owner`, which it is counted for; NULL: the kernel, whose blocks
 * al_heap_free() refuses. Takes the kernel lock. NULL when there is no room.
 */
void *heap_alloc(struct al_task *owner, size_t bytes);

/*
 * Free a block with the kernel lock held. False, and nothing is changed, when
 * it is not a live block: then it stays out of use for ever. Never faults, and
 * does not touch the payload of the block before the call returns, but for its
 * first two words and its last: a task may free the stack that it runs on.
 */
bool heap_free_held(void *block);

/* For lost.c: a live block is the kernel's from here on; nothing if it is none.
 * Takes the kernel lock. */
void heap_keep(void *payload);
