/* SPDX-License-Identifier: MIT */
/*
 * The smallest image: two tasks, a semaphore, the tick, stack checks, fault
 * handlers. No recovery (AL_CFG_RECOVERY 0: a task that dies stops the kernel,
 * with a crash record), no heap, no mutex. tools/alula-size measures it.
 */
#include <alula/alula.h>

static struct al_sem full = AL_SEM_INIT(0, 8);
static volatile uint32_t sum;

static void producer_main(void)
{
    for (;;) {
        al_sleep(10);
        (void)al_sem_give(&full);
    }
}

static void consumer_main(void)
{
    for (;;) {
        al_sem_take(&full);
        sum++;
    }
}

AL_TASK(producer, producer_main, 3, 768);
AL_TASK(consumer, consumer_main, 2, 768);
