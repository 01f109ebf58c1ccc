/* SPDX-License-Identifier: MIT */
/*
 * Claim: a wrong use of a mutex, of the heap, of a task's end or of an
 * interrupt's priority ends the caller, named MODULE.n, and nothing else: not
 * the object, nor whoever holds it or waits for it.
 *   1. each wrong use in a task that is restarted for the next one
 *   2. its crash record: cause "caller", the module, the number
 *   3. afterwards the kernel is whole, the judge's mutex still the judge's,
 *      the judge's heap block still there, and the heap as large as before
 * Fails if: a check of CALLER_MUST is dropped, or one is made with the kernel
 * lock held (that would be the kernel stop).
 * builds: gcc-O2 clang-O2
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "test.h"

static struct al_mutex judges = AL_MUTEX_INIT;
static struct al_mutex another = AL_MUTEX_INIT;
static struct al_mutex free_one = AL_MUTEX_INIT;
static char *judges_block;
static char outside[32] __attribute__((aligned(8)));

static void lock(struct al_mutex *mutex)
{
    /* Poisoned by the death before, as it should be. */
    if (al_mutex_lock(mutex) == AL_E_POISONED) {
        al_mutex_heal(mutex);
    }
}

static void lock_twice(void)
{
    lock(&another);
    lock(&another);
}

static void lock_twice_below(void)
{
    lock(&another);
    lock(&free_one);
    lock(&another);
}

static void unlock_free(void)
{
    al_mutex_unlock(&free_one);
}

static void unlock_others(void)
{
    al_mutex_unlock(&judges);
}

static void unlock_others_holding_one(void)
{
    lock(&another);
    al_mutex_unlock(&judges);
}

static void unlock_twice(void)
{
    lock(&another);
    al_mutex_unlock(&another);
    al_mutex_unlock(&another);
}

static void heal_free(void)
{
    al_mutex_heal(&free_one);
}

static void heal_others(void)
{
    al_mutex_heal(&judges);
}

static void free_twice(void)
{
    void *block = al_heap_alloc(40);

    al_heap_free(block);
    al_heap_free(block);
}

/* The second free comes when its place is in use again, in a larger block. */
static void free_twice_joined(void)
{
    void *first = al_heap_alloc(40);
    void *second = al_heap_alloc(40);
    void *whole;

    al_heap_free(first);
    al_heap_free(second);
    AL_HEAP_SCOPED(scoped, 88);
    whole = scoped;
    AL_ASSERT(whole == second);
    al_heap_free(first);
}

static void free_inside(void)
{
    al_heap_free(judges_block + 8);
}

static void free_unaligned(void)
{
    al_heap_free(judges_block + 1);
}

static void free_outside(void)
{
    al_heap_free(outside + 16);
}

static void free_low(void)
{
    al_heap_free((void *)(uintptr_t)16);
}

static void free_high(void)
{
    al_heap_free((void *)(uintptr_t)0xfffffff8u);
}

static void free_stack(void)
{
    uint32_t words[8] = {16, (uint32_t)al_task_self(), 0, 0, 0, 0, 0, 0};

    AL_BARRIER();
    al_heap_free(&words[2]);
}

static void return_with_lock(void)
{
    lock(&another);
}

static void irq_low(void)
{
    al_irq_enable(5, AL_PRIO_IRQ(0) - 1);
}

static void irq_high(void)
{
    al_irq_enable(5, AL_PRIO_IRQ(AL_IRQ_LEVELS));
}

/* Numbers of modules: kernel/panics.def. */
static const struct {
    const char *name;
    void (*use)(void);
    unsigned module, number;
} uses[] = {
        {"lock twice", lock_twice, 3, 2},
        {"lock twice, not the newest", lock_twice_below, 3, 2},
        {"unlock a free one", unlock_free, 3, 3},
        {"unlock another's", unlock_others, 3, 3},
        {"unlock another's, holding one", unlock_others_holding_one, 3, 3},
        {"unlock twice", unlock_twice, 3, 3},
        {"heal a free one", heal_free, 3, 3},
        {"heal another's", heal_others, 3, 3},
        {"free twice", free_twice, 4, 2},
        {"free twice, joined and in use", free_twice_joined, 4, 2},
        {"free inside a block", free_inside, 4, 2},
        {"free an odd address", free_unaligned, 4, 2},
        {"free a variable", free_outside, 4, 2},
        {"free a low address", free_low, 4, 2},
        {"free a high address", free_high, 4, 2},
        {"free something on the stack", free_stack, 4, 2},
        {"return with a lock", return_with_lock, 1, 2},
        {"an interrupt priority too low", irq_low, 5, 1},
        {"an interrupt priority too high", irq_high, 5, 1},
};
#define USES (sizeof(uses) / sizeof(uses[0]))

static volatile unsigned at;
static struct al_sem go = AL_SEM_INIT(0, 1);

static void victim_main(void)
{
    al_sem_take(&go);
    uses[at].use();
}

static const struct al_restart_policy at_once = {
        .budget = 0xffff,
        .window = 1,
};
AL_TASK_POLICY(victim, victim_main, 5, 1536, &at_once);

static void one(void)
{
    struct al_crash_record record = {.cause = 0};
    struct al_heap_info before;
    struct al_heap_info after;
    const char *wrong;

    al_heap_read(&before);
    al_sem_give(&go);
    al_sleep(2);
    CHECK(al_crash_count() == at + 1 &&
                    al_crash_read(at + 1, &record) == AL_OK &&
                    record.cause == AL_CAUSE_CALLER &&
                    record.detail[0] == uses[at].module &&
                    record.detail[1] == uses[at].number,
            "%s: %u.%u (%s, %u.%u)", uses[at].name, uses[at].module,
            uses[at].number, al_cause_name(record.cause),
            (unsigned)record.detail[0], (unsigned)record.detail[1]);
    al_heap_read(&after);
    wrong = rig_check();
    CHECK(wrong == NULL && before.used_bytes == after.used_bytes &&
                    before.blocks == after.blocks &&
                    before.largest_bytes == after.largest_bytes &&
                    !al_mutex_is_held(&another) &&
                    !al_mutex_is_held(&free_one) && (judges.owner & 2) == 0 &&
                    (judges.owner & ~(uintptr_t)1) == (uintptr_t)al_task_self(),
            "%s: nothing else is touched: %s", uses[at].name,
            wrong != NULL ? wrong : "kernel right");
}

/* Waits for the judge's mutex all the time. */
static void waiter_main(void)
{
    al_sleep(1);
    if (al_mutex_lock(&judges) == AL_OK) {
        al_mutex_unlock(&judges);
        CHECK(at == USES, "the waiter got the mutex at the end");
        test_done();
    }
}

AL_TASK(waiter, waiter_main, 6, 1536);

static void judge_main(void)
{
    al_status status = al_mutex_lock(&judges);

    CHECK(status == AL_OK, "the judge holds its mutex");
    judges_block = al_heap_alloc(64);
    for (unsigned i = 0; i < 64; i++) {
        judges_block[i] = (char)(i % 8 < 4 ? 0x10 : 0);
    }
    al_sleep(2);
    for (at = 0; at < USES; at++) {
        one();
    }
    al_mutex_unlock(&judges);
    al_sleep(10);
}

AL_TASK(judge, judge_main, 20, 2560);
