/* SPDX-License-Identifier: MIT */
/*
 * Thread-local variables belong to one task each, and are fresh after a
 * restart.
 *
 * 1. Two tasks that take turns count in variables of the same name: with and
 *    without a value that they begin with, and in errno and strtok's.
 * 2. A handler that interrupts them has its own.
 * 3. A task that dies finds them as they were at its first start.
 * 4. Their addresses lie in the task's own stack, below its highest byte.
 * Fails if: the thread pointer is the kernel's one for all, a restart keeps the
 * block, or the block and the arguments overlap.
 * boards: stm32f405 mps2-an386
 * builds: gcc-Os-small gcc-O0 gcc-O2 gcc-Os gcc-O2-lto clang-O0 clang-O2 clang-Os
 */
#include <alula/alula.h>

#include <board.h>
#include <errno.h>
#include <string.h>

#include "test.h"

static _Thread_local int given = 7;
static __thread struct {
    int count;
    char name[20];
} zeroed;
static _Thread_local long long wide = 0x123456789abcdefll;

struct who {
    unsigned n;
    char letter;
};

static struct al_sem done = AL_SEM_INIT(0, 8);

static bool is_fresh(void)
{
    return given == 7 && zeroed.count == 0 && zeroed.name[19] == 0 &&
           wide == 0x123456789abcdefll && errno == 0;
}

static void count(struct who *who)
{
    char words[] = "a b c d e";
    char *word = NULL;

    CHECK(is_fresh(), "%c: as they begin", who->letter);
    CHECK(who->n == 5, "%c: its argument", who->letter);
    for (int i = 1; i <= 5; i++) {
        word = strtok(i == 1 ? words : NULL, " ");
        given++;
        zeroed.count = i;
        memset(zeroed.name, who->letter, sizeof zeroed.name);
        errno = i * 100 + who->letter;
        wide++;
        al_yield();
        CHECK(given == 7 + i && zeroed.count == i &&
                        zeroed.name[19] == who->letter &&
                        errno == i * 100 + who->letter &&
                        wide == 0x123456789abcdefll + i,
                "%c: its own after turn %d", who->letter, i);
        CHECK(word != NULL && *word == 'a' + i - 1, "%c: its own words, %d",
                who->letter, i);
    }
    (void)al_sem_give(&done);
    al_sleep(1000000);
}

AL_TASK_ARGS(first, count, 3, 1536, &al_restart_default, struct who, {5, 'x'});
AL_TASK_ARGS(second, count, 3, 1536, &al_restart_default, struct who, {5, 'y'});

#define LINE 5

static int *volatile handlers_given;

#if BOARD_INSN_NS == 16 /* stm32f405 */
AL_IRQ(RCC_IRQHandler)
#else /* mps2 */
AL_IRQ(UARTTX2_Handler)
#endif
{
    handlers_given = &given;
    zeroed.count++;
}

static unsigned lives;

static void dying(void)
{
    uintptr_t at = (uintptr_t)&zeroed;

    lives++;
    CHECK(is_fresh(), "dying: as they begin, life %u", lives);
    CHECK(at >= al_task_self()->stack_low && at < al_task_self()->stack_high,
            "dying: in its stack, life %u", lives);
    given = 1;
    wide = 2;
    errno = 3;
    memset(&zeroed, 4, sizeof zeroed);
    if (lives < 4) {
        al_panic("again");
    }
    al_irq_enable(LINE, AL_PRIO_IRQ(3));
    *(volatile uint32_t *)0xe000e200u = 1u << LINE; /* ISPR0 */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    CHECK(handlers_given != NULL && handlers_given != &given,
            "a handler has its own");
    CHECK(zeroed.count == 0x04040404, "a handler touches no task's");
    al_sem_take(&done);
    al_sem_take(&done);
    test_done();
}

AL_TASK(mortal, dying, 2, 1536);
