/* SPDX-License-Identifier: MIT */
/*
 * Claim: a recursive mutex is its holder's until it was let go of as often as it
 * was taken; and whatever is destroyed, zeroed or garbage ends whoever uses it
 * as a mutex or a semaphore, and nobody else.
 *   1. recursive: depth, inheritance, the order of unlocking, the deepest
 *   2. poisoned while taken twice: free, and taken once by the next
 *   3. made and destroyed at run time, with waiters, with and without deadlines:
 *      AL_E_DESTROYED, and priorities fall back
 *   4. every function on zeros, 0xa5, what was destroyed, and random words:
 *      MUTEX.3, MUTEX.4, SEM.3; a handler gets AL_E_DESTROYED
 *   5. a handler gives at every instruction of al_sem_destroy(): each unit that
 *      was accepted is delivered or gone with the semaphore, and nobody has the
 *      semaphore's memory afterwards
 * Fails if: a recursive mutex is free after the first unlock, a waiter of what
 * was destroyed stays, or a tag is not looked at.
 * builds: gcc-O2 gcc-O0 clang-O2
 * sources: ../interleave/rig.c ../support/recover.c ../support/hands.c
 */
#include "../support/hands.h"
#include "../support/recover.h"

static struct al_mutex plain = AL_MUTEX_INIT;
static struct al_mutex again = AL_MUTEX_INIT_RECURSIVE;

HAND(a, 6);
HAND(b, 8);
HAND(c, 8);
HAND(d, 10);

static bool prios_are(unsigned pa, unsigned pb, unsigned pd)
{
    return a.prio == pa && b.prio == pb && d.prio == pd;
}

static bool lock(struct hand *hand, struct al_mutex *mutex)
{
    return hand_do(hand, hand_lock, mutex, AL_FOREVER);
}

static bool unlock(struct hand *hand, struct al_mutex *mutex)
{
    return hand_do(hand, hand_unlock, mutex, 0);
}

/* ---- 1 ---- */

static void depth(void)
{
    bool right = true;

    for (unsigned i = 0; i < 3; i++) {
        right = right && lock(&a_hand, &again) && a_hand.status == AL_OK;
    }
    CHECK(right && al_mutex_is_held(&again) && !al_mutex_is_mine(&again),
            "taken three times");
    CHECK(hand_do(&a_hand, hand_try, &again, 0) && a_hand.status == AL_OK,
            "and once by a try");
    CHECK(hand_do(&b_hand, hand_try, &again, 0) && b_hand.status == AL_E_BUSY,
            "another's try: busy");
    CHECK(!lock(&b_hand, &again) && prios_are(8, 8, 10), "it is waited for");
    CHECK(lock(&a_hand, &again) && a_hand.status == AL_OK &&
                    prios_are(8, 8, 10),
            "taken once more");
    for (unsigned i = 0; i < 4; i++) {
        right = right && unlock(&a_hand, &again) && !b_hand.done &&
                prios_are(8, 8, 10);
    }
    CHECK(right, "four unlocks of five: still held");
    CHECK(unlock(&a_hand, &again) && b_hand.done && b_hand.status == AL_OK &&
                    prios_are(6, 8, 10),
            "the fifth hands it over: %s", kernel());
    CHECK(unlock(&b_hand, &again) && !al_mutex_is_held(&again) &&
                    again.owner == AL_MUTEX_FREE,
            "which had it once");
}

static void orders(void)
{
    bool right = lock(&a_hand, &again) && lock(&a_hand, &plain) &&
                 lock(&a_hand, &again) && unlock(&a_hand, &again) &&
                 unlock(&a_hand, &again);

    CHECK(right && !al_mutex_is_held(&again) && al_mutex_is_held(&plain),
            "not the newest, let go of twice: %s", kernel());
    CHECK(unlock(&a_hand, &plain) && !al_mutex_is_held(&plain), "the other: %s",
            kernel());
}

static void take_too_often(void)
{
    for (unsigned i = 0; i < 65536; i++) {
        rig_lock(&again);
    }
    rig_note('m');
    rig_lock(&again);
    rig_note('x');
}

static void take_until_twice(void)
{
    al_status status = al_mutex_lock_until(&plain, AL_POLL);

    status = al_mutex_lock_until(&plain, al_in(5));
    (void)status;
}

static void panics(
        const char *name, void (*use)(void), unsigned module, unsigned number)
{
    uint32_t died = rig_run(use);

    CHECK(died == 1 && rig_record.cause == AL_CAUSE_CALLER &&
                    rig_record.detail[0] == module &&
                    rig_record.detail[1] == number,
            "%s: %u.%u (%u.%u), %s", name, module, number,
            (unsigned)rig_record.detail[0], (unsigned)rig_record.detail[1],
            kernel());
}

static void heal(struct al_mutex *mutex)
{
    al_status status = al_mutex_try_lock(mutex);

    CHECK(status == AL_E_POISONED, "it is poisoned");
    al_mutex_heal(mutex);
    al_mutex_unlock(mutex);
}

static void deepest(void)
{
    panics("the deepest", take_too_often, 3, 2);
    CHECK(rig_log_is("m"), "65536 times: %s", rig_log());
    heal(&again);
    panics("a plain one twice, with a deadline", take_until_twice, 3, 2);
    heal(&plain);
}

/* ---- 2 ---- */

static al_status die_with_it(struct hand *self)
{
    al_status status = al_mutex_lock(self->object);

    status = al_mutex_lock(self->object);
    (void)status;
    al_sem_take(&self->go);
    al_panic("with a mutex taken twice");
}

static void poisoned(void)
{
    CHECK(!hand_do(&a_hand, die_with_it, &again, 0) && !lock(&b_hand, &again),
            "taken twice, and waited for");
    (void)al_sem_give(&a_hand.go);
    CHECK(b_hand.done && b_hand.status == AL_E_POISONED && prios_are(6, 8, 10),
            "the holder died: %s", kernel());
    CHECK(lock(&b_hand, &again) && b_hand.status == AL_E_POISONED,
            "again, and poisoned again");
    CHECK(unlock(&b_hand, &again) && al_mutex_is_held(&again) &&
                    unlock(&b_hand, &again) && !al_mutex_is_held(&again),
            "as often as the next one took it");
    CHECK(lock(&a_hand, &again) && a_hand.status == AL_E_POISONED &&
                    unlock(&a_hand, &again) && !al_mutex_is_held(&again),
            "who died starts at none");
    heal(&again);
    CHECK(lock(&a_hand, &again) && a_hand.status == AL_OK &&
                    unlock(&a_hand, &again),
            "and healed: %s", kernel());
}

/* ---- 3 ---- */

static al_status destroy_mutex(struct hand *self)
{
    al_mutex_destroy(self->object);
    return AL_OK;
}

static void destroyed_mutex(bool recursive)
{
    struct al_mutex mutex;

    al_mutex_init(&mutex, recursive);
    CHECK(lock(&a_hand, &mutex) && a_hand.status == AL_OK &&
                    lock(&a_hand, &plain),
            "recursive %d: made at run time", recursive);
    CHECK(lock(&a_hand, recursive ? &mutex : &again) &&
                    !lock(&b_hand, &mutex) &&
                    !hand_do(&c_hand, hand_lock, &mutex, al_in(2)) &&
                    !hand_do(&d_hand, hand_lock, &mutex, al_in(3)) &&
                    prios_are(10, 8, 10),
            "recursive %d: three wait", recursive);
    journal_clear();
    CHECK(hand_do(&a_hand, destroy_mutex, &mutex, 0) && b_hand.done &&
                    c_hand.done && d_hand.done && prios_are(6, 8, 10),
            "recursive %d: destroyed: %s", recursive, kernel());
    CHECK(b_hand.status == AL_E_DESTROYED && c_hand.status == AL_E_DESTROYED &&
                    d_hand.status == AL_E_DESTROYED && journal_is("dbca"),
            "recursive %d: who waited is told: %s", recursive, journal());
    CHECK(al_mutex_is_held(&plain) && unlock(&a_hand, &plain) &&
                    (recursive || unlock(&a_hand, &again)),
            "recursive %d: what else it held, it holds", recursive);
    ticks(4);
    CHECK(mutex.owner == 0 && mutex.tag == 0 && mutex.waiters.head == NULL,
            "recursive %d: no deadline is left: %s", recursive, kernel());
    al_mutex_init(&mutex, recursive);
    CHECK(lock(&d_hand, &mutex) && unlock(&d_hand, &mutex) &&
                    hand_do(&d_hand, destroy_mutex, &mutex, 0),
            "recursive %d: made again, and destroyed free: %s", recursive,
            kernel());
}

static struct al_sem sem;

static void destroyed_sem(void)
{
    al_sem_init(&sem, 2, 3);
    CHECK(al_sem_give(&sem) == AL_OK && al_sem_give(&sem) == AL_E_FULL &&
                    al_sem_count(&sem) == 3,
            "a semaphore, made at run time");
    for (unsigned i = 0; i < 3; i++) {
        al_sem_take(&sem);
    }
    journal_clear();
    CHECK(!hand_do(&a_hand, hand_take, &sem, AL_FOREVER) &&
                    !hand_do(&b_hand, hand_take, &sem, al_in(2)) &&
                    !hand_do(&d_hand, hand_take, &sem, al_in(5)),
            "three wait for it");
    al_sem_destroy(&sem);
    CHECK(journal_is("dba") && a_hand.status == AL_E_DESTROYED &&
                    b_hand.status == AL_E_DESTROYED &&
                    d_hand.status == AL_E_DESTROYED,
            "destroyed: who waited is told: %s", journal());
    ticks(6);
    CHECK(sem.waiting == 0 && sem.count == 0 && sem.post.tag == 0,
            "and nothing is left: %s", kernel());
    al_sem_init(&sem, 0, 1);
    al_sem_destroy(&sem);
    CHECK(sem.post.tag == 0, "destroyed with nobody waiting: %s", kernel());
}

/* ---- 4 ---- */

static union object {
    struct al_mutex mutex;
    struct al_sem sem;
    uint32_t words[16];
} object;

static void use_lock(void)
{
    rig_lock(&object.mutex);
}

static void use_lock_until(void)
{
    al_status status = al_mutex_lock_until(&object.mutex, al_in(2));

    (void)status;
}

static void use_try_lock(void)
{
    al_status status = al_mutex_try_lock(&object.mutex);

    (void)status;
}

static void use_unlock(void)
{
    al_mutex_unlock(&object.mutex);
}

static void use_heal(void)
{
    al_mutex_heal(&object.mutex);
}

static void use_destroy(void)
{
    al_mutex_destroy(&object.mutex);
}

static void use_take(void)
{
    al_sem_take(&object.sem);
}

static void use_take_until(void)
{
    al_status status = al_sem_take_until(&object.sem, al_in(2));

    (void)status;
}

static void use_poll(void)
{
    al_status status = al_sem_take_until(&object.sem, AL_POLL);

    (void)status;
}

static void use_give(void)
{
    (void)al_sem_give(&object.sem);
}

static void use_sem_destroy(void)
{
    al_sem_destroy(&object.sem);
}

static const struct {
    const char *name;
    void (*use)(void);
    unsigned module, number;
} uses[] = {
        {"lock", use_lock, 3, 4},
        {"lock, deadline", use_lock_until, 3, 4},
        {"try lock", use_try_lock, 3, 4},
        {"unlock", use_unlock, 3, 3},
        {"heal", use_heal, 3, 3},
        {"destroy mutex", use_destroy, 3, 4},
        {"take", use_take, 2, 3},
        {"take, deadline", use_take_until, 2, 3},
        {"take, poll", use_poll, 2, 3},
        {"give", use_give, 2, 3},
        {"destroy semaphore", use_sem_destroy, 2, 3},
};
#define USES (sizeof(uses) / sizeof(uses[0]))

static void fill(uint32_t word)
{
    for (unsigned i = 0; i < 16; i++) {
        object.words[i] = word;
    }
}

static volatile al_status given;
static volatile al_status given_raw;

static void give_in_handler(void)
{
    given = al_irq_sem_give(&object.sem);
    given_raw = al_irq_raw_sem_give(&object.sem);
}

static void no_objects(const char *name, uint32_t word)
{
    for (unsigned i = 0; i < USES; i++) {
        fill(word);
        test_note("%s", name);
        panics(uses[i].name, uses[i].use, uses[i].module, uses[i].number);
    }
    for (unsigned locked = 0; locked < 2; locked++) {
        fill(word);
        in_handler(give_in_handler, locked != 0);
        CHECK(given == AL_E_DESTROYED && given_raw == AL_E_DESTROYED &&
                        object.words[3] == word,
                "%s, locked %u: a handler is told: %s", name, locked, kernel());
    }
}

static void of_the_other_kind(void)
{
    al_mutex_init(&object.mutex, false);
    al_mutex_destroy(&object.mutex);
    for (unsigned i = 0; i < 6; i++) {
        panics(uses[i].name, uses[i].use, uses[i].module, uses[i].number);
    }
    al_sem_init(&object.sem, 1, 5);
    al_sem_destroy(&object.sem);
    for (unsigned i = 6; i < USES; i++) {
        panics(uses[i].name, uses[i].use, uses[i].module, uses[i].number);
    }
    in_handler(give_in_handler, false);
    CHECK(given == AL_E_DESTROYED && given_raw == AL_E_DESTROYED,
            "destroyed: a handler is told");
}

static uint32_t random_state;

static uint32_t random_word(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* Some look like an object in part: counts, addresses, small numbers. */
static void fill_random(void)
{
    for (unsigned i = 0; i < 16; i++) {
        uint32_t word = random_word();

        switch (random_word() % 5) {
        case 0:
            word = (uint32_t)(uintptr_t)&object + word % 64 * 4;
            break;
        case 1:
            word %= 8;
            break;
        case 2:
            word = 0u - word % 8;
            break;
        case 3:
            word = (uint32_t)(uintptr_t)&rig_victim | word % 8;
            break;
        default:
            break;
        }
        object.words[i] = word;
    }
}

/* No word of them is a tag, so nothing but the words may change. */
static void random_objects(void)
{
    unsigned died = 0;
    unsigned other = 0;
    const char *wrong = NULL;

    random_state = test_seed(20261120u);
    for (unsigned i = 0; i < 1500 && wrong == NULL; i++) {
        fill_random();
        if (rig_run(uses[i % USES].use) != 0) {
            died++;
            other += rig_record.cause != AL_CAUSE_CALLER ||
                     rig_record.detail[0] != uses[i % USES].module;
        }
        in_handler(give_in_handler, i % 2 != 0);
        wrong = rig_check();
        if (wrong != NULL) {
            test_note("round %u, %s", i, uses[i % USES].name);
        }
    }
    CHECK(wrong == NULL && other == 0 && died > 1000,
            "random words: %u died, %u of something else; %s", died, other,
            wrong != NULL ? wrong : "kernel right");
}

static int32_t wrong_initial, wrong_max;

static void init_wrong(void)
{
    al_sem_init(&sem, wrong_initial, wrong_max);
}

static void wrong_bounds(void)
{
    static const int32_t bounds[][2] = {
            {0, 0}, {0, -1}, {-1, 3}, {4, 3}, {INT32_MIN, 1}, {2, INT32_MIN}};

    for (unsigned i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        wrong_initial = bounds[i][0];
        wrong_max = bounds[i][1];
        panics("bounds", init_wrong, 2, 4);
    }
    al_sem_init(&sem, INT32_MAX - 1, INT32_MAX);
    CHECK(al_sem_give(&sem) == AL_OK && al_sem_give(&sem) == AL_E_FULL &&
                    al_sem_count(&sem) == INT32_MAX,
            "the largest bound");
    al_sem_destroy(&sem);
}

static void take_for_ever(void)
{
    al_sem_take(&sem);
}

static al_status destroy_later(struct hand *self)
{
    al_sleep_until(self->deadline);
    al_sem_destroy(self->object);
    return AL_OK;
}

static void tick_later(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    rig_pend_tick();
}

static void take_what_is_destroyed(void)
{
    al_sem_init(&sem, 0, 1);
    (void)hand_do(&a_hand, destroy_later, &sem, al_in(1));
    rig_arm(1, 2000, tick_later); /* when this one waits, and all do */
    take_for_ever();
}

static void destroy_others_mutex(void)
{
    al_mutex_destroy(&plain);
}

static void others(void)
{
    CHECK(lock(&a_hand, &plain), "a mutex of another's");
    panics("destroyed by one that does not hold it", destroy_others_mutex, 3,
            4);
    CHECK(al_mutex_is_held(&plain) && unlock(&a_hand, &plain) &&
                    lock(&a_hand, &plain) && unlock(&a_hand, &plain),
            "and it is as it was: %s", kernel());
}

/* ---- 5 ---- */

static volatile unsigned accepted, refused;

static void give_sem(unsigned n, const struct rig_hit *hit)
{
    al_status status = al_irq_sem_give(&sem);

    (void)n;
    (void)hit;
    accepted += status == AL_OK;
    refused += status == AL_E_DESTROYED;
}

static void swept(void)
{
    unsigned rounds = 0;
    unsigned wrong_rounds = 0;
    unsigned early = 0;
    unsigned late = 0;

    for (uint32_t delay = 0;; delay++) {
        unsigned served;

        al_sem_init(&sem, 0, 10);
        accepted = 0;
        refused = 0;
        if (hand_do(&a_hand, hand_take, &sem, AL_FOREVER) ||
                hand_do(&b_hand, hand_take, &sem, al_in(3)) ||
                hand_do(&d_hand, hand_take, &sem, AL_FOREVER)) {
            wrong_rounds++;
        }
        rig_arm(0, delay, give_sem);
        al_sem_destroy(&sem);
        rig_disarm(0);
        served = (a_hand.status == AL_OK) + (b_hand.status == AL_OK) +
                 (d_hand.status == AL_OK);
        if (accepted + refused == 0) {
            break;
        }
        rounds++;
        early += accepted;
        late += refused;
        wrong_rounds += !a_hand.done || !b_hand.done || !d_hand.done ||
                        served > accepted || sem.count != 0 ||
                        sem.post.pending != 0 || sem.waiters.head != NULL ||
                        rig_check() != NULL;
    }
    CHECK(wrong_rounds == 0 && early > 5 && late > 50,
            "a give at each of %u places of a destroy: %u in time, %u told, %u "
            "wrong: %s",
            rounds, early, late, wrong_rounds, kernel());
}

static void judge_main(void)
{
    rig_start();
    depth();
    orders();
    deepest();
    poisoned();
    destroyed_mutex(false);
    destroyed_mutex(true);
    destroyed_sem();
    panics("destroyed under its taker", take_what_is_destroyed, 2, 3);
    CHECK(a_hand.done && sem.post.tag == 0, "by one who went on");
    wrong_bounds();
    no_objects("zeros", 0);
    no_objects("0xa5", 0xa5a5a5a5u);
    no_objects("0xff", 0xffffffffu);
    of_the_other_kind();
    others();
    random_objects();
    swept();
    test_done();
}

AL_TASK(judge, judge_main, 2, 3072);
