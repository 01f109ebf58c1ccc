/* SPDX-License-Identifier: MIT */
/*
 * The smallest image that has all that Alula is for: two tasks, a semaphore,
 * the tick; stack checks, fault handlers, unwinder, restart, a crash ring of
 * two records, a heap block that is a scope. Everything is reachable; nothing
 * is printed. tools/alula-size measures it.
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
        AL_HEAP_SCOPED(block, 32);
        AL_ASSERT(block != NULL);
        *(volatile uint32_t *)block = sum;
        sum = *(volatile uint32_t *)block + 1;
    }
}

AL_TASK(producer, producer_main, 3, 768);
AL_TASK(consumer, consumer_main, 2, 768);
