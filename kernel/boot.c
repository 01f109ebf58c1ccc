/* SPDX-License-Identifier: MIT */
/*
 * From the port's start-up to the first task. The kernel lock is held from
 * reset on: an interrupt that comes early leaves a post, which the first task
 * delivers.
 *
 * The idle task is the kernel's own: level 0, always ready, so that the ready
 * queue is never empty.
 */
#include "boot.h"

#include "arch.h"
#include "crash.h"
#include "heap.h"
#include "sched.h"
#include "softlock.h"

static char idle_stack[AL_CFG_IDLE_STACK]
        __attribute__((aligned(8), section(".noinit.alula.stacks")));
static struct al_task idle __attribute__((section(".bss.alula.tasks")));

static void idle_entry(void *args)
{
    (void)args;
    for (;;) {
        al_idle_hook();
        arch_idle();
    }
}

static const struct al_task_def idle_def
        __attribute__((section(".alula.taskdefs.idle"), used)) = {
                .task = &idle,
                .name = "idle",
                .entry = idle_entry,
                .stack = idle_stack,
                .stack_bytes = AL_CFG_IDLE_STACK,
                .prio = 0,
                .policy = &al_restart_default,
};

/* An image that never allocates links this (heap.h). */
__attribute__((weak)) void heap_boot(uintptr_t low, uintptr_t high)
{
    (void)low;
    (void)high;
}

AL_NORETURN void boot_kernel(const struct boot_image *image)
{
    softlock_take();
    al_core.current = &idle;
    crash_boot();
    heap_boot(image->heap_low, image->heap_high);
    task_boot_all_held(image->tasks);
    idle.post.tag = 0; /* no task that can be named */
    arch_boot_open();
    board_start();
    arch_boot_tick();
    al_core.current = sched_top_held();
    arch_start_first(al_core.current);
}
