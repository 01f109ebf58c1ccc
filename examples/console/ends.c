/* SPDX-License-Identifier: MIT */
#include "ends.h"

#include <alula/alula.h>

#include "command.h"
#include "port.h"
#include "report.h"

AL_NORETURN void ends_reset(void)
{
    say("Resets the board. Releases of the 1 kHz task that fall into the reset "
        "are no periods: its timer starts with the board.\n");
    command_end_objects();
    report_reset();
    port_drain();
    al_reset();
}

/*
 * The kernel believes the words that belong to it. A wild pointer of a task's
 * that comes to lie there is met when it holds its lock, where nobody can be
 * blamed and nothing be given back.
 */
AL_NORETURN void ends_stop(void)
{
    static struct al_sem sem = AL_SEM_INIT(0, 1);

    say("Writes a wild pointer into the queue of a semaphore, and gives: the "
        "kernel follows it, faults, and stops. The board ends, status 1.\n");
    port_drain();
    sem.waiters.head = (struct al_task *)0x30000000u;
    sem.waiting = 1;
    sem.count = -1;
    (void)al_sem_give(&sem);
    /* Not reached, as long as the kernel reads what it is told to. */
    port_end(0);
}
