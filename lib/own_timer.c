/* SPDX-License-Identifier: MIT */
/* The end of AL_TIMER_SCOPED. */
#include <alula/own.h>

void __al_own_stop(void *memory)
{
    struct al_timer *timer = (struct al_timer *)memory;

    if (al_timer_is(timer)) {
        (void)al_timer_stop(timer);
    }
}
