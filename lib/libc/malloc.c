/* SPDX-License-Identifier: MIT */
/*
 * malloc() and its like on the kernel's heap. A block belongs to the task that
 * called, through whatever function of the C library: al_task_read() counts it,
 * al_heap_give() passes it on, a death leaves it behind. free() of what is no
 * block, and a block written past its end, end the task that calls.
 */
#include <alula/callback.h>
#include <alula/heap.h>

#include <errno.h>
#include <string.h>

static void *or_enomem(void *block)
{
    if (block == NULL) {
        errno = ENOMEM;
    }
    return block;
}

__attribute__((used)) static void *take(size_t bytes)
{
    return or_enomem(al_heap_alloc(bytes));
}

__attribute__((used)) static void *take_cleared(size_t count, size_t bytes)
{
    void *block = NULL;
    size_t all;

    if (!__builtin_mul_overflow(count, bytes, &all)) {
        block = al_heap_alloc(all);
    }
    if (block != NULL) {
        memset(block, 0, all);
    }
    return or_enomem(block);
}

__attribute__((used)) static void *take_again(void *block, size_t bytes)
{
    size_t has;
    void *other;

    if (block == NULL) {
        return take(bytes);
    }
    if (bytes == 0) {
        al_heap_free(block);
        return NULL;
    }
    if (al_heap_resize(block, bytes)) {
        return block;
    }
    other = take(bytes);
    if (other == NULL) {
        return NULL;
    }
    has = al_heap_size(block);
    memcpy(other, block, has < bytes ? has : bytes);
    al_heap_free(block);
    return other;
}

__attribute__((used)) static void *take_aligned(size_t align, size_t bytes)
{
    if (align == 0 || (align & (align - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return or_enomem(al_heap_alloc_aligned(0, bytes, align));
}

__attribute__((used)) static int take_posix(
        void **block, size_t align, size_t bytes)
{
    void *at;

    if (align % sizeof(void *) != 0 || (align & (align - 1)) != 0 ||
            align == 0) {
        return EINVAL;
    }
    at = al_heap_alloc_aligned(0, bytes, align);
    if (at == NULL) {
        return ENOMEM;
    }
    *block = at;
    return 0;
}

__attribute__((used)) static size_t size_of(const void *block)
{
    return block != NULL ? al_heap_size(block) : 0;
}

AL_LIBRARY_ENTRY(__wrap_malloc, take)
AL_LIBRARY_ENTRY(__wrap_calloc, take_cleared)
AL_LIBRARY_ENTRY(__wrap_realloc, take_again)
AL_LIBRARY_ENTRY(__wrap_free, al_heap_free)
AL_LIBRARY_ENTRY(__wrap_memalign, take_aligned)
AL_LIBRARY_ENTRY(__wrap_aligned_alloc, take_aligned)
AL_LIBRARY_ENTRY(__wrap_posix_memalign, take_posix)
AL_LIBRARY_ENTRY(__wrap_malloc_usable_size, size_of)
