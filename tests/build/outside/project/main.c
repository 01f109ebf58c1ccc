/* SPDX-License-Identifier: MIT */
/* Two tasks of a user's: one prints what the library says and ends the run. */
#include <alula/alula.h>

#include "helper.h"

static void semihost(unsigned operation, const void *argument)
{
    register unsigned r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void count(void)
{
    static const int numbers[] = {1, 2, 39};

    semihost(4, helper_sum(numbers, 3) == 42 ? "outside: 42\n" : "wrong\n");
    semihost(0x18, (const void *)0x20026);
}
#ifdef HANDLER
AL_IRQ(HANDLER)
{
}
#endif

AL_TASK(counter, count, 2, 1024);
