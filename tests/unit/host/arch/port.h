/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The port contract's types and inlines for unit tests of single kernel
 * modules on the host: one thread, no interrupts, no contexts. A test that
 * includes a module defines what else that one calls.
 */

#include <alula/types.h>

struct arch_death {
    int none;
};

#define ARCH_IRQ_LEVELS 14

/* What arch_in_handler() says; the test's to set. */
extern bool host_in_handler;

/* A scope is four words: struct al_scope, which is not known here. */
struct host_scope {
    void *arg;
    void *prev;
    void (*fn)(void *);
    void *task;
};

AL_INLINE void arch_scope_write(
        void *scope, void *arg, void *prev, void (*fn)(void *), void *task)
{
    struct host_scope *s = (struct host_scope *)scope;

    s->arg = arg;
    s->prev = prev;
    s->fn = fn;
    s->task = task;
}

AL_INLINE void arch_scope_read(const void *scope, void **arg, void **prev,
        void (**fn)(void *), void **task)
{
    const struct host_scope *s = (const struct host_scope *)scope;

    *arg = s->arg;
    *prev = s->prev;
    *fn = s->fn;
    *task = s->task;
}

#define arch_scope_closing() __asm__ volatile("" ::: "memory")

#define arch_entry_sp() ((uintptr_t)__builtin_frame_address(0))

AL_INLINE uint32_t arch_sp(void)
{
    return (uint32_t)arch_entry_sp();
}

AL_INLINE bool arch_in_handler(void)
{
    return host_in_handler;
}

AL_INLINE void arch_clear(void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        ((char *)from)[i] = 0;
    }
}

AL_INLINE void arch_pend_switch_irq(void)
{
}

AL_INLINE uintptr_t arch_load_linked(const void *word)
{
    return *(const uint32_t *)word;
}

AL_INLINE bool arch_store_if(void *word, uintptr_t value)
{
    *(uint32_t *)word = (uint32_t)value;
    return true;
}

AL_INLINE size_t arch_stack_reserve(void)
{
    return 512;
}

#define ARCH_STACK_CALLS_NAMED(name) ((void)0)
