/* SPDX-License-Identifier: MIT */
/* The end of AL_TIMER_LOCAL. One that was destroyed before is left alone. */
#include <alula/own.h>

#include <alula/timer.h>

void __al_own_destroy_timer(void *memory)
{
    struct al_timer *timer = (struct al_timer *)memory;

    if (al_timer_is(timer)) {
        al_timer_destroy(timer);
    }
}
