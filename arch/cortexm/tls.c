/* SPDX-License-Identifier: MIT */
/*
 * Thread-local variables: __thread and _Thread_local, the C library's errno.
 *
 * Each task has its own block of them at the top of its stack, laid down anew
 * at each start: what the image says they begin as, zeros for the rest. All
 * interrupt handlers, and the idle task, share one more. Compiled code finds a
 * variable at a constant offset from the thread pointer, which points 8 bytes
 * in front of the block (ARM IHI 0045, "local exec"); nothing lies there.
 *
 * Nothing of this is in an image without such variables: the compiler's call
 * for the thread pointer is what brings in this file, and the kernel's call is
 * to a weak symbol.
 */
#include "image.h"

#include "arch.h"
#include "task.h"

#include "offsets.h"

#define TP_BEFORE 8u

AL_STATIC_ASSERT(offsetof(struct al_task, tls) == TASK_TLS,
        "offsets.h is out of date: tls");

static void fill(char *block)
{
    size_t given = (size_t)(__al_tdata_high - __al_tdata_low);
    const volatile char *from = __al_tdata_low;

    for (size_t i = 0; i < (size_t)__al_tls_bytes; i++) {
        *(volatile char *)&block[i] = i < given ? from[i] : (char)0;
    }
}

uintptr_t arch_tls_start(const struct al_task_def *def, uintptr_t top)
{
    size_t bytes = (size_t)__al_tls_bytes;

    if (def->prio == 0) {
        fill(__al_irq_tls);
        def->task->tls = (uintptr_t)__al_irq_tls - TP_BEFORE;
        return top;
    }
    if (top < task_limit(def) || top - task_limit(def) < bytes) {
        def->task->tls = 0; /* no room: a use is an access near address 0 */
        return top;
    }
    top -= bytes;
    fill((char *)top);
    def->task->tls = top - TP_BEFORE;
    return top;
}

void *__wrap___aeabi_read_tp(void);

/* All registers but r0 are kept (ARM IHI 0043, "thread-local storage"). The
 * linker leads every call of __aeabi_read_tp here. */
__attribute__((naked)) void *__wrap___aeabi_read_tp(void)
{
    __asm__ volatile("@alula: unchecked 0\n"
                     "mrs r0, ipsr\n\t"
                     "cbnz r0, 1f\n\t"
                     "ldr r0, =al_core\n\t"
                     "ldr r0, [r0, %0]\n\t"
                     "ldr r0, [r0, %1]\n\t"
                     "bx lr\n"
                     "1: ldr r0, =__al_irq_tls - %c2\n\t"
                     "bx lr\n\t"
                     ".ltorg"
                     :
                     : "i"(CORE_CURRENT), "i"(TASK_TLS), "i"(TP_BEFORE));
}
