/* SPDX-License-Identifier: MIT */
/*
 * Claim: crash records survive a reset of the board, in order, and a task whose
 * policy says so brings that reset about; a damaged ring is begun anew.
 *
 *  1. life 1: the ring is empty; two deaths; al_reset()
 *  2. life 2: both records are there, whole; the third death's policy restarts
 *     the board, its record written first
 *  3. life 3: three records in order; the ring's count is damaged; reset
 *  4. life 4: the ring is empty again, the first death is number 1
 *  5. life 4: a reset while nothing died; life 5: that record is there
 *
 * Fails if: start-up clears the ring, or believes a damaged one; if a record is
 * closed after the reset that it should tell of.
 * boards: stm32f405 mps2-an386 mps2-an385; builds: gcc-Os-small gcc-O2 clang-O2
 */
#include <alula/alula.h>

#include "test.h"

#define STORY_MAGIC 0x57041e5u

/* As noinit as the ring itself. */
static struct {
    uint32_t magic;
    uint32_t life;
    uint32_t held; /* claims that held, a bit each */
} story __attribute__((section(".noinit.test")));

extern uint32_t __al_bss_high[];
extern uint32_t __al_ram_high[];

static struct al_sem go = AL_SEM_INIT(0, 1);
static struct al_sem resetter_go = AL_SEM_INIT(0, 1);

static void victim_main(void)
{
    al_sem_take(&go);
    al_panic("victim");
}

AL_TASK(victim, victim_main, 5, 1024);

static const struct al_restart_policy reset_at_once = {
        .budget = 0,
        .window = 1000,
        .exhausted = AL_EXHAUSTED_RESET,
};

static void resetter_main(void)
{
    al_sem_take(&resetter_go);
    al_panic("resetter");
}

AL_TASK_POLICY(resetter, resetter_main, 5, 1024, &reset_at_once);

/* The ring's head: a magic word, the count, and its inverse. */
static uint32_t *find_ring(void)
{
    for (uint32_t *p = __al_bss_high; p + 3 < __al_ram_high; p++) {
        if (p[0] == 0x52534c41u && p[1] == al_crash_count() && p[2] == ~p[1]) {
            return p;
        }
    }
    return NULL;
}

static bool is(uint32_t sequence, const char *task, uint32_t cause)
{
    struct al_crash_record record;

    return al_crash_read(sequence, &record) == AL_OK &&
           record.sequence == sequence && record.cause == cause &&
           __builtin_strcmp(record.task, task) == 0;
}

static void die(void)
{
    (void)al_sem_give(&go);
}

static const char *const claims[] = {
        "life 1: empty",
        "life 1: two deaths",
        "life 2: both are there",
        "life 3: the policy restarted the board, its record was written first",
        "life 3: the first two are still there",
        "life 3: the ring is found",
        "life 4: a damaged ring is not believed",
        "life 4: number 1 again",
        "life 5: it is there",
};

static void holds(uint32_t claim, bool held)
{
    story.held |= (uint32_t)held << claim;
}

static void tell(void)
{
    for (uint32_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        CHECK((story.held & 1u << i) != 0, "%s", claims[i]);
    }
    test_done();
}

static void judge_main(void)
{
    uint32_t *ring;

    if (story.magic != STORY_MAGIC) {
        story.magic = STORY_MAGIC;
        story.life = 0;
        story.held = 0;
    }
    story.life++;
    test_note("life %d", (int)story.life);
    switch (story.life) {
    case 1:
        holds(0, al_crash_count() == 0);
        die();
        die();
        holds(1, al_crash_count() == 2);
        al_reset();
    case 2:
        holds(2, al_crash_count() == 2 && is(1, "victim", AL_CAUSE_PANIC) &&
                         is(2, "victim", AL_CAUSE_PANIC));
        (void)al_sem_give(&resetter_go); /* the board restarts */
        tell();
        break;
    case 3:
        holds(3, al_crash_count() == 3 && is(3, "resetter", AL_CAUSE_PANIC));
        holds(4, is(1, "victim", AL_CAUSE_PANIC) &&
                         is(2, "victim", AL_CAUSE_PANIC));
        ring = find_ring();
        holds(5, ring != NULL);
        ring[1] = 77; /* the inverse no longer fits */
        al_reset();
    case 4:
        holds(6, al_crash_count() == 0);
        die();
        holds(7, al_crash_count() == 1 && is(1, "victim", AL_CAUSE_PANIC));
        al_reset();
    default:
        holds(8, story.life == 5 && al_crash_count() == 1 &&
                         is(1, "victim", AL_CAUSE_PANIC));
        tell();
    }
}

AL_TASK(judge, judge_main, 4, 2048);
