/* SPDX-License-Identifier: MIT */
/*
 * Claim: what Hopter's five tests of mutexes show (docs/hopter.md, 18 to 22)
 * holds here.
 *   18 a try takes a free one, and is refused while it is held, by its holder
 *      as by others
 *   19 who dies with it leaves it poisoned, until it is healed
 *   20 three wait for it, the least urgent one longest: they get it by priority
 *   21 its holder goes on before a task that is more urgent than itself and less
 *      than who waits
 *   22 six tasks increment six times and give way in between: 36
 * Fails if: the mutex goes to the wrong one, inheritance is left out, or two
 * hold it at a time.
 * builds: gcc-O0 gcc-O2 clang-O2
 * sources: ../support/hands.c ../interleave/rig.c
 */
#include "../support/hands.h"

HAND(low, 7);
HAND(mid, 8);
HAND(high, 9);
HAND(x, 7);
HAND(y, 7);
HAND(z, 8);

#define JUDGE_PRIO 2

static struct al_mutex mutex = AL_MUTEX_INIT;
static volatile unsigned count;

static void lock(void)
{
    al_status status = al_mutex_lock(&mutex);

    (void)status;
}

static al_status job_critical(struct hand *self)
{
    lock();
    journal_note((char)(self->letter - 'a' + 'A'));
    al_mutex_unlock(&mutex);
    return AL_OK;
}

static void t18(void)
{
    CHECK(al_mutex_try_lock(&mutex) == AL_OK, "18: a try takes it");
    CHECK(al_mutex_try_lock(&mutex) == AL_E_BUSY, "18: not twice");
    CHECK(hand_do(&low_hand, hand_try, &mutex, 0) &&
                    low_hand.status == AL_E_BUSY,
            "18: nor another's");
    al_mutex_unlock(&mutex);
    CHECK(!al_mutex_is_held(&mutex), "18: free again");
}

static al_status job_die(struct hand *self)
{
    (void)self;
    lock();
    al_panic("with the mutex");
}

static void t19(void)
{
    CHECK(!hand_do(&low_hand, job_die, NULL, 0) && !al_mutex_is_held(&mutex),
            "19: who died does not hold it");
    CHECK(al_mutex_lock(&mutex) == AL_E_POISONED, "19: it is poisoned");
    al_mutex_unlock(&mutex);
    CHECK(al_mutex_lock(&mutex) == AL_E_POISONED, "19: and stays so");
    al_mutex_heal(&mutex);
    al_mutex_unlock(&mutex);
    CHECK(al_mutex_lock(&mutex) == AL_OK, "19: until it is healed");
    al_mutex_unlock(&mutex);
}

static struct al_sem gate = AL_SEM_INIT(0, 1);

static al_status job_hold(struct hand *self)
{
    (void)self;
    lock();
    al_sem_take(&gate);
    al_mutex_unlock(&mutex);
    return AL_OK;
}

static bool waits(const struct hand *hand, const struct al_task *task)
{
    return !hand->done && task->state == AL_TASK_WAITING &&
           task->wants == &mutex;
}

static void t20(void)
{
    journal_clear();
    (void)hand_do(&x_hand, job_hold, NULL, 0);
    (void)hand_do(&low_hand, job_critical, NULL, 0);
    (void)hand_do(&high_hand, job_critical, NULL, 0);
    (void)hand_do(&mid_hand, job_critical, NULL, 0);
    CHECK(waits(&low_hand, &low) && waits(&mid_hand, &mid) &&
                    waits(&high_hand, &high) && journal_is(""),
            "20: three wait");
    (void)al_sem_give(&gate);
    CHECK(x_hand.done && journal_is("HhMmxLl"), "20: by priority: %s",
            journal());
}

static al_status job_inherit(struct hand *self)
{
    (void)self;
    lock();
    journal_note('1');
    (void)hand_do(&high_hand, job_critical, NULL, 0);
    journal_note('2');
    (void)hand_do(&mid_hand, hand_nothing, NULL, 0);
    journal_note('3');
    al_mutex_unlock(&mutex);
    journal_note('4');
    return AL_OK;
}

static void t21(void)
{
    journal_clear();
    CHECK(hand_do(&low_hand, job_inherit, NULL, 0) && journal_is("123Hhm4l"),
            "21: the holder, then who waited, then the middle one: %s",
            journal());
}

static al_status job_increment(struct hand *self)
{
    (void)self;
    for (unsigned n = 0; n < 6; n++) {
        unsigned before;

        lock();
        before = count;
        al_yield();
        count = before + 1;
        al_mutex_unlock(&mutex);
        al_yield();
    }
    return AL_OK;
}

static void t22(void)
{
    struct hand *const all[] = {
            &x_hand, &y_hand, &low_hand, &mid_hand, &z_hand, &high_hand};
    bool done = true;

    count = 0;
    (void)al_task_set_prio(al_task_id_self(), 20);
    for (unsigned n = 0; n < 6; n++) {
        (void)hand_do(all[n], job_increment, NULL, 0);
    }
    (void)al_task_set_prio(al_task_id_self(), JUDGE_PRIO);
    for (unsigned n = 0; n < 6; n++) {
        done = done && all[n]->done;
    }
    CHECK(done && count == 36, "22: six times six are %u", count);
}

static void judge_main(void)
{
    rig_start();
    t18();
    t19();
    t20();
    t21();
    t22();
    CHECK(rig_check() == NULL, "kernel: %s", kernel());
    test_done();
}

AL_TASK(judge, judge_main, JUDGE_PRIO, 2048);
