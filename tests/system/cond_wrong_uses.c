/* SPDX-License-Identifier: MIT */
/*
 * Claim: a wrong use of a condition variable ends the caller, named MODULE.n,
 * and nothing else; and a wait leaves the caller's scopes in their order.
 *   1. each wrong use in a task that is restarted for the next one: memory that
 *      is none, zeroed, destroyed, garbage; a mutex that is not held, held
 *      twice, another's, none
 *   2. what it held is given back, poisoned, and who waits goes on waiting
 *   3. a task waits with a mutex that is not its newest scope, then dies: its
 *      scopes are undone in the order in which they were opened
 *   4. a task that is woken and dies at once leaves the mutex free, and who
 *      comes next is told
 * Fails if: a check of CALLER_MUST is dropped, or the mutex becomes the newest
 * scope by the wait.
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c ../support/recover.c
 */
#include "../interleave/rig.h"
#include "../support/recover.h"

#define COND 10u

static struct al_cond cond = AL_COND_INIT;
static struct al_cond zeroed;
static struct al_cond ended = AL_COND_INIT;
static uint32_t garbage[8] = {0x12345678u, 0xffffffffu, 0xa3a3a3a2u, 1,
        0xa1a1a1a1u, 0xa2a2a2a2u, 7, 9};
static struct al_mutex held = AL_MUTEX_INIT;
static struct al_mutex plain = AL_MUTEX_INIT;
static struct al_mutex recursive = AL_MUTEX_INIT_RECURSIVE;
static struct al_mutex zero_mutex;

static void wait(struct al_cond *on, struct al_mutex *mutex)
{
    al_status status = al_cond_wait(on, mutex);

    (void)status;
}

static struct al_cond *as_cond(void *memory)
{
    return (struct al_cond *)memory;
}

static void wait_zeroed(void)
{
    rig_lock(&plain);
    wait(&zeroed, &plain);
}

static void wait_ended(void)
{
    rig_lock(&plain);
    wait(&ended, &plain);
}

static void wait_garbage(void)
{
    rig_lock(&plain);
    wait(as_cond(garbage), &plain);
}

static void wait_other_kind(void)
{
    rig_lock(&plain);
    wait(as_cond(&plain), &plain);
}

static void signal_zeroed(void)
{
    al_cond_signal(&zeroed);
}

static void signal_garbage(void)
{
    al_cond_signal(as_cond(garbage));
}

static void broadcast_zeroed(void)
{
    al_cond_broadcast(&zeroed);
}

static void broadcast_ended(void)
{
    al_cond_broadcast(&ended);
}

static void destroy_zeroed(void)
{
    al_cond_destroy(&zeroed);
}

static void destroy_twice(void)
{
    al_cond_destroy(&ended);
}

static void mutex_free(void)
{
    wait(&cond, &plain);
}

static void mutex_anothers(void)
{
    wait(&cond, &held);
}

static void mutex_twice(void)
{
    al_status status;

    rig_lock(&recursive);
    rig_lock(&recursive);
    status = al_cond_wait_until(&cond, &recursive, al_in(1));
    (void)status;
}

static void mutex_zeroed(void)
{
    wait(&cond, &zero_mutex);
}

static void mutex_garbage(void)
{
    wait(&cond, (struct al_mutex *)(void *)garbage);
}

static const struct {
    const char *name;
    void (*use)(void);
    unsigned number;
} uses[] = {
        {"wait, zeroed", wait_zeroed, 2},
        {"wait, destroyed", wait_ended, 2},
        {"wait, garbage", wait_garbage, 2},
        {"wait, a mutex", wait_other_kind, 2},
        {"signal, zeroed", signal_zeroed, 2},
        {"signal, garbage", signal_garbage, 2},
        {"broadcast, zeroed", broadcast_zeroed, 2},
        {"broadcast, destroyed", broadcast_ended, 2},
        {"destroy, zeroed", destroy_zeroed, 2},
        {"destroy twice", destroy_twice, 2},
        {"a mutex that is free", mutex_free, 3},
        {"a mutex of another's", mutex_anothers, 3},
        {"a mutex held twice", mutex_twice, 3},
        {"a mutex of zeros", mutex_zeroed, 3},
        {"a mutex of garbage", mutex_garbage, 3},
};

static volatile uint32_t waits;
static volatile al_status waited;

static void waiter_main(void)
{
    static struct al_mutex own = AL_MUTEX_INIT;

    rig_lock(&own);
    for (;;) {
        waits++;
        waited = al_cond_wait(&cond, &own);
    }
}

AL_TASK(waiter, waiter_main, 7, 1024);

static void wrong_uses(void)
{
    for (unsigned i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        uint32_t died = rig_run(uses[i].use);
        const char *wrong = rig_check();

        CHECK(died == 1 && rig_record.cause == AL_CAUSE_CALLER &&
                        rig_record.detail[0] == COND &&
                        rig_record.detail[1] == uses[i].number,
                "%s: %u.%u", uses[i].name, (unsigned)rig_record.detail[0],
                (unsigned)rig_record.detail[1]);
        CHECK(wrong == NULL && !al_mutex_is_held(&plain) &&
                        !al_mutex_is_held(&recursive) &&
                        al_mutex_is_mine(&held) && waits == 1,
                "%s: nothing else is touched: %s", uses[i].name,
                wrong != NULL ? wrong : "right");
    }
}

/* ---- scopes ---- */

static void note_held(void *letter)
{
    rig_note((char)(uintptr_t)letter);
    rig_note(al_mutex_is_held(&plain) ? '1' : '0');
}

static void signal_job(void)
{
    al_cond_signal(&cond);
}

__attribute__((noinline)) static void wait_inside(void)
{
    al_status status;

    AL_DEFER(note_held, RIG_MARK('c'));
    status = al_cond_wait_until(&cond, &plain, al_in(1));
    rig_note(status == AL_E_TIMEOUT && al_mutex_is_mine(&plain) ? 't' : '?');
}

__attribute__((noinline)) static void lock_inside(bool die)
{
    AL_DEFER(note_held, RIG_MARK('b'));
    wait_inside();
    if (die) {
        al_panic("as it should");
    }
}

static void order(bool die)
{
    AL_DEFER(note_held, RIG_MARK('a'));
    rig_lock(&plain);
    al_mutex_heal(&plain);
    lock_inside(die);
    rig_note('m');
    al_mutex_unlock(&plain);
}

static void order_lives(void)
{
    order(false);
}

static void order_dies(void)
{
    order(true);
}

/* The mutex is the newest. */
static void dies_at_once(void)
{
    al_status status;

    AL_DEFER(note_held, RIG_MARK('a'));
    rig_lock(&plain);
    al_mutex_heal(&plain);
    status = al_cond_wait_until(&cond, &plain, al_in(1));
    AL_ASSERT(status == AL_OK);
}

static void judge_main(void)
{
    al_cond_destroy(&ended);
    CHECK(al_mutex_lock(&held) == AL_OK, "the judge holds its mutex");
    wrong_uses();
    CHECK(rig_run(order_lives) == 0, "a task waits inside");
    al_sleep(2);
    CHECK(rig_log_is("tc1b1ma0"), "it has the mutex until it unlocks: %s",
            rig_log());
    (void)rig_run(order_dies);
    al_sleep(2);
    CHECK(rig_log_is("tc1b1a0"),
            "it dies: newest first, the mutex in its place: "
            "%s",
            rig_log());
    (void)rig_run(dies_at_once);
    al_sleep(2);
    CHECK(rig_log_is("a0") && !al_mutex_is_held(&plain) &&
                    al_mutex_lock(&plain) == AL_E_POISONED,
            "it dies right after the wait: %s", rig_log());
    CHECK(rig_run(signal_job) == 0 && waits == 2 && waited == AL_OK,
            "the waiter is woken at the end");
    test_done();
}

AL_TASK(judge, judge_main, 4, 2560);
