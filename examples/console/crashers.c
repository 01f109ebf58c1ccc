/* SPDX-License-Identifier: MIT */
/*
 * Each mistake is made through volatile objects: a compiler that sees through
 * one may do anything instead, most often nothing.
 */
#include "crashers.h"

#include <alula/alula.h>

#include "port.h"

#define FRAME_BYTES 64u
#define BLOCK_WORDS 14 /* leaves room for what descend() saves */
#define SPIN_MS     20u
#define OOM_BLOCKS  12u /* at most; the heap may be in more pieces */

struct al_mutex vault_lock = AL_MUTEX_INIT;

/* With what it saves, a frame of FRAME_BYTES; tests/build/console checks it. */
__attribute__((noinline)) static uint32_t descend(uint32_t frames)
{
    uint32_t block[BLOCK_WORDS];

    block[0] = frames;
    block[1] = 0;
    if (frames > 1) {
        block[1] = descend(frames - 1);
    }
    /* All of it may be looked at here, so all of it must be there. */
    __asm__ volatile("" ::"r"(block) : "memory");
    return block[0] + block[1];
}

void crash_overflow(uint32_t bytes)
{
    uint32_t frames = bytes / FRAME_BYTES + (bytes % FRAME_BYTES != 0);

    if (frames > 0) {
        (void)descend(frames);
    }
}

void crash_overflow_endless(void)
{
    /* More frames than there are addresses. */
    (void)descend(UINT32_MAX);
}

__attribute__((noinline)) static void touch_ends(uint32_t bytes)
{
    volatile uint8_t block[bytes];

    block[0] = 1;
    block[bytes - 1] = block[0];
}

void crash_vla(uint32_t bytes)
{
    if (bytes > 0) {
        touch_ends(bytes);
    }
}

void crash_null(void)
{
    const volatile uint32_t *volatile nowhere = NULL;

    (void)*nowhere;
}

void crash_bus(void)
{
    /* No memory and no device answers there, on any of the boards. */
    const volatile uint32_t *volatile unmapped =
            (const volatile uint32_t *)0x30000000u;

    (void)*unmapped;
}

void crash_undef(void)
{
    __asm__ volatile("udf #0");
}

void crash_div0(void)
{
    volatile uint32_t apples = 12;
    volatile uint32_t children = 0;
    volatile uint32_t share = apples / children;

    (void)share;
}

void crash_align(void)
{
    static const uint32_t words[3];
    uintptr_t odd = (uintptr_t)words + 1;

    /* A single load may be unaligned on this processor, several may not. */
    __asm__ volatile("ldm %0, {r2, r3}" ::"r"(odd) : "r2", "r3", "memory");
}

void crash_oob(void)
{
    static volatile uint32_t table[8];
    volatile uint32_t index = 11;

    (void)table[index];
    say("not caught: this build has no bounds checks\n");
}

void crash_assert(void)
{
    volatile uint32_t answer = 41;

    AL_ASSERT(answer == 42);
}

void crash_lock(void)
{
    al_status status;

    AL_LOCK_SCOPED(&vault_lock, status);
    if (status == AL_E_POISONED) {
        /* The last `lock`; there is nothing in this vault to repair. */
        al_mutex_heal(&vault_lock);
    }
    AL_HEAP_SCOPED(treasure, 200);
    if (treasure == NULL) {
        say("no memory\n");
        return;
    }
    al_panic("lock: died holding a mutex and a scoped allocation");
}

void crash_spin(void)
{
    AL_WATCH(dog, SPIN_MS);
    for (;;) {
        /* No call, so no stack check either: it is stopped where it is. */
        __asm__ volatile("" ::: "memory");
    }
}

/* Each call takes the largest block there is, and has it in a scope. */
__attribute__((noinline)) static void take_largest(unsigned more)
{
    struct al_heap_info heap;
    size_t bytes;

    al_heap_read(&heap);
    bytes = more == 0 ? heap.total_bytes : heap.largest_bytes;
    AL_HEAP_SCOPED(block, bytes);
    if (block == NULL) {
        al_panic("oom: the heap has no such block any more");
    }
    take_largest(more - 1);
}

void crash_oom(void)
{
    take_largest(OOM_BLOCKS);
}
