/* SPDX-License-Identifier: MIT */
/*
 * Claim: whatever order a task unlocks its mutexes in, with blocks' scopes
 * opened and closed in between, its chain of scopes is what a plain list says,
 * and a death undoes what is left of it newest first.
 *   1. random steps: a mutex is taken in each way that there is (free, by the
 *      slow way, handed over, back from a wait for a condition) or unlocked,
 *      whichever; the newest block opens or ends
 *   2. after each step the chain is compared, link by link
 *   3. then the task dies: each cleanup sees those mutexes held that are older;
 *      afterwards those that were held are poisoned, and no other
 *   4. a hint that is not of this chain (of a mutex that was made anew over a
 *      damaged chain) leads nowhere
 * Fails if: unlocking believes a hint of before, or does not hand on the hints
 * of who is left.
 * builds: gcc-O2 gcc-O0 gcc-Os-small clang-O2
 * sources: ../support/recover.c
 */
#include "../support/recover.h"

#define RUNS        400u
#define STEPS       40u
#define MUTEXES     6u
#define BLOCKS      5u
#define LENDER_PRIO 4

static struct al_mutex mutex[MUTEXES] = {AL_MUTEX_INIT, AL_MUTEX_INIT,
        AL_MUTEX_INIT, AL_MUTEX_INIT, AL_MUTEX_INIT, AL_MUTEX_INIT};
static struct al_cond never = AL_COND_INIT;
static struct al_sem lend = AL_SEM_INIT(0, 1);
static struct al_sem lent = AL_SEM_INIT(0, 1);
static volatile unsigned lent_which;

/* The model: what is open, oldest first; a mutex is its number, a block
 * MUTEXES and its number. */
static struct {
    unsigned open[MUTEXES + BLOCKS];
    unsigned n;
    unsigned blocks;
} model;

static bool held[MUTEXES]; /* at the death */
static bool dying;
static volatile unsigned blocks_ended;
static unsigned wrong_links;
static unsigned wrong_cleanups;
static unsigned unlocked_below; /* while something newer was open */
static uint32_t random_state = 1;

static uint32_t random_below(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

/* ---- the model ---- */

static unsigned place_of(unsigned what)
{
    unsigned at = 0;

    while (at < model.n && model.open[at] != what) {
        at++;
    }
    return at;
}

static bool is_open(unsigned what)
{
    return place_of(what) < model.n;
}

static void add(unsigned what)
{
    model.open[model.n] = what;
    model.n++;
}

static void drop(unsigned what)
{
    unsigned at = place_of(what);

    unlocked_below += at + 1 < model.n;
    model.n--;
    for (; at < model.n; at++) {
        model.open[at] = model.open[at + 1];
    }
}

static void compare(const struct al_scope *blocks)
{
    const struct al_scope *scope = al_task_self()->scopes;

    for (unsigned at = model.n; at-- > 0;) {
        unsigned what = model.open[at];
        const struct al_scope *right =
                what < MUTEXES ? &mutex[what].scope : &blocks[what - MUTEXES];

        if (scope != right) {
            wrong_links++;
            return;
        }
        scope = scope->prev;
    }
    wrong_links += scope != NULL;
}

/* ---- steps ---- */

/* The cleanup of the newest block that is open; older mutexes are held. */
static void leave(void *number)
{
    unsigned what = MUTEXES + (unsigned)(uintptr_t)number;
    unsigned at = place_of(what);

    for (unsigned i = 0; i < MUTEXES; i++) {
        bool mine = al_mutex_is_mine(&mutex[i]);

        wrong_cleanups += dying && mine != (place_of(i) < at);
    }
    if (dying) {
        model.n = at;
    } else {
        drop(what);
    }
    model.blocks--;
}

static void lender_main(void)
{
    for (;;) {
        al_sem_take(&lend);
        rig_lock(&mutex[lent_which]);
        (void)al_sem_give(&lent);
        al_mutex_unlock(&mutex[lent_which]);
    }
}

AL_TASK(lender, lender_main, LENDER_PRIO, 1024);

/* The note that a cleanup follows wants it right there, in a function. */
__attribute__((noinline)) static void end_block(struct al_scope *block)
{
    al_scope_close(block);
    blocks_ended++;
}

static void take(unsigned which)
{
    switch (random_below(3)) {
    case 0:
        rig_lock(&mutex[which]);
        break;
    case 1:
        (void)!al_mutex_lock_until(&mutex[which], al_in(9));
        break;
    default:
        lent_which = which;
        (void)al_sem_give(&lend);
        al_sem_take(&lent);
        rig_lock(&mutex[which]);
    }
    add(which);
}

static void let_go(unsigned which)
{
    if (random_below(16) == 0) {
        (void)!al_cond_wait_until(&never, &mutex[which], al_in(1));
        return;
    }
    al_mutex_unlock(&mutex[which]);
    drop(which);
}

static void step(struct al_scope *blocks)
{
    unsigned which = random_below(MUTEXES + 2);

    if (which < MUTEXES && is_open(which)) {
        let_go(which);
    } else if (which < MUTEXES) {
        take(which);
    } else if (model.blocks > 0 && random_below(2) == 0) {
        end_block(&blocks[model.blocks - 1]);
    } else if (model.blocks < BLOCKS) {
        al_scope_open(
                &blocks[model.blocks], leave, (void *)(uintptr_t)model.blocks);
        add(MUTEXES + model.blocks);
        model.blocks++;
    }
}

static void work_and_die(void)
{
    struct al_scope blocks[BLOCKS];

    for (unsigned i = 0; i < STEPS; i++) {
        step(blocks);
        compare(blocks);
    }
    for (unsigned i = 0; i < MUTEXES; i++) {
        held[i] = is_open(i);
    }
    dying = true;
    al_panic("as it should");
}

/* ---- hints of a chain that was lost ---- */

static struct al_mutex *const below = &mutex[0];
static struct al_mutex *const above = &mutex[1];

static void nothing(void *arg)
{
    (void)arg;
}

/* Is a block that began after `below` all that is left when it is unlocked,
 * while `above`, lost, looks like what was taken after it? */
static void unlock_below_block(void)
{
    struct al_scope block;

    rig_lock(below);
    al_scope_open(&block, nothing, NULL);
    al_mutex_unlock(below);
    wrong_links += al_task_self()->scopes != &block || block.prev != NULL;
    end_block(&block);
    wrong_links += al_task_self()->scopes != NULL;
}

static void lose_chain(void)
{
    rig_lock(below);
    rig_lock(above);
    al_task_self()->scopes = NULL;
}

static void lose_and_init(void)
{
    lose_chain();
    al_mutex_init(below, false);
    unlock_below_block();
}

/* The lender waits for `below` and is given it at the death. */
static void lose_and_die(void)
{
    lent_which = 0;
    (void)al_sem_give(&lend);
    al_sem_take(&lent); /* it is ready, and holds it until this task waits */
    lose_chain();
    (void)al_sem_give(&lend);
    al_sleep(2);
    al_panic("as it should");
}

static void take_what_was_lost(void)
{
    al_sem_take(&lent);
    unlock_below_block();
}

/* ---- the judge ---- */

/* How many of the mutexes are not as a death leaves them; they are healed. */
static unsigned count_wrong(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < MUTEXES; i++) {
        wrong += al_mutex_is_held(&mutex[i]);
        wrong += (al_mutex_lock(&mutex[i]) == AL_E_POISONED) != held[i];
        al_mutex_heal(&mutex[i]);
        al_mutex_unlock(&mutex[i]);
    }
    return wrong;
}

static void random_orders(void)
{
    unsigned not_left = 0;
    unsigned deaths = 0;

    for (unsigned run = 0; run < RUNS; run++) {
        model.n = 0;
        model.blocks = 0;
        dying = false;
        deaths += rig_run(work_and_die);
        not_left += count_wrong() + model.blocks;
    }
    CHECK(deaths == RUNS && rig_record.cause == AL_CAUSE_PANIC,
            "%u deaths of %u runs", deaths, RUNS);
    CHECK(wrong_links == 0, "the chain is the list's: %u wrong", wrong_links);
    CHECK(wrong_cleanups == 0, "cleanups see what is older held: %u do not",
            wrong_cleanups);
    CHECK(not_left == 0, "what was held is free, poisoned: %u are not",
            not_left);
    CHECK(unlocked_below > RUNS, "%u times it was not the newest",
            unlocked_below);
}

static void lost_chains(void)
{
    CHECK(rig_run(lose_and_init) == 0 && wrong_links == 0,
            "a mutex that was made anew has no hint");
    al_mutex_init(above, false);
    CHECK(rig_run(lose_and_die) == 1 && !al_mutex_is_held(below) &&
                    al_mutex_is_held(above),
            "one that was waited for comes back, another does not");
    CHECK(rig_run(take_what_was_lost) == 0 && wrong_links == 0,
            "and has no hint");
    al_mutex_init(above, false);
}

static void judge_main(void)
{
    random_orders();
    lost_chains();
    test_done();
}
AL_TASK(judge, judge_main, 1, 2048);
