/* SPDX-License-Identifier: MIT */
/*
 * A task calls precompiled code with less and less stack, dies in it, and dies
 * in what it calls back. A less urgent one looks what is left.
 */
#include <alula/alula.h>

#include "test.h"
#include "vendor.h"

#define NOWHERE ((const unsigned *)0x30000000u)
#define STACK   2048

static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_sem go = AL_SEM_INIT(0, 1);
static volatile enum {
    IN_SUM,
    IN_CALLBACK,
    LITTLE_STACK
} way;
static volatile uint32_t room; /* bytes to leave in front of the call */
static volatile uint32_t undone;
static volatile unsigned result;
extern struct al_task victim;

static void undo(void *arg)
{
    (void)arg;
    undone++;
}

static unsigned dies(unsigned i)
{
    AL_DEFER(undo, NULL);
    if (i == 2) {
        al_panic("called back");
    }
    return i;
}

__attribute__((noinline)) static unsigned sum_of(const unsigned *from)
{
    unsigned sum = vendor_sum(from, 3);

    __asm__ volatile("" : "+r"(sum)); /* no jump, please */
    return sum;
}

__attribute__((noinline)) static void with_little(const unsigned *from)
{
    uintptr_t sp;

    __asm__ volatile("mov %0, sp" : "=r"(sp)::"memory");
    volatile char *taken = __builtin_alloca(sp - al_task_self()->limit - room);
    taken[0] = 1;
    result = sum_of(from);
    taken[1] = 1;
}

static void one_round(void)
{
    static const unsigned numbers[] = {1, 2, 39};
    al_status status;

    AL_DEFER(undo, NULL);
    AL_LOCK_SCOPED(&mutex, status);
    AL_HEAP_SCOPED(block, 40);

    if (status == AL_E_POISONED) {
        al_mutex_heal(&mutex);
    }
    result = block == NULL;
    switch (way) {
    case IN_SUM:
        result = sum_of(NOWHERE);
        break;
    case IN_CALLBACK:
        result = vendor_each(AL_CALLBACK(dies), 5);
        break;
    case LITTLE_STACK:
        with_little(numbers);
        break;
    }
}

static void victim_main(void)
{
    for (;;) {
        al_sem_take(&go);
        one_round();
    }
}

static const struct al_restart_policy without_limit = {.budget = UINT16_MAX};

static uint32_t run(struct al_crash_record *record)
{
    uint32_t deaths = al_crash_count();

    undone = 0;
    (void)al_sem_give(&go);
    if (al_crash_count() == deaths) {
        return 0;
    }
    return al_crash_read(deaths + 1, record) == AL_OK ? record->cause : 99;
}

static bool nothing_is_left(void)
{
    struct al_task_info info;

    al_task_read(&victim, &info);
    return !al_mutex_is_held(&mutex) && info.mutexes == 0 &&
           info.heap_bytes == 0 && info.prio == 5;
}

/* Where the call fits, and where it does not; a stub says which. */
static void all_depths(void)
{
    struct al_crash_record record;
    uint32_t died = 0;
    uint32_t lived = 0;
    uint32_t wrong = 0;

    way = LITTLE_STACK;
    for (room = 0; room <= 480; room += 8) {
        unsigned entered = vendor_entered;
        uint32_t cause;

        result = 0;
        cause = run(&record);
        wrong += undone != 1 || !nothing_is_left();
        if (cause == 0) {
            lived++;
            wrong += result != 42;
        } else {
            died++;
            wrong += cause != AL_CAUSE_OVERFLOW && cause != AL_CAUSE_VLA;
            wrong += vendor_entered != entered; /* caught before the call */
            wrong += lived != 0;
        }
    }
    CHECK(wrong == 0, "%u wrong ends", (unsigned)wrong);
    CHECK(died > 10 && lived > 10, "%u overflows, %u calls", (unsigned)died,
            (unsigned)lived);
}

static void judge_main(void)
{
    struct al_crash_record record;

    way = IN_SUM;
    CHECK(run(&record) == AL_CAUSE_BUS, "a fault in precompiled code");
    CHECK(undone == 1 && nothing_is_left(), "nothing of it is left");
    way = IN_CALLBACK;
    CHECK(run(&record) == AL_CAUSE_PANIC, "a panic below precompiled code");
    CHECK(undone == 4 && nothing_is_left(), "nothing of it is left, either");
    all_depths();
    test_done();
}

AL_TASK(judge, judge_main, 2, 2048);
AL_TASK_POLICY(victim, victim_main, 5, STACK, &without_limit);
