/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task's state is zeros at each start, or its newest checkpoint, whole,
 * whatever ends the checkpoint at whatever instruction, and over a reset.
 *
 *  1. zeros at the first start; without a checkpoint zeros again after a death
 *  2. with one, what it kept, and not what was changed since; dropped: zeros
 *  3. an interrupt at every instruction of a checkpoint, and of a drop, sees
 *     what a start at that moment would begin with: the old one or the new one,
 *     all bytes of it; both are seen
 *  4. after a reset of the board: what was kept; a byte of it changed: the
 *     checkpoint before
 *
 * Fails if: the copy that counts is written, a number is given before the bytes
 * are there, or a checksum is not looked at.
 * sources: ../interleave/rig.c
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O2
 */
#include "../interleave/rig.h"

#include <alula/state.h>

#include "story.h"
#include "test.h"

#define BYTES 21 /* no multiple of a word */

struct odd {
    uint8_t bytes[BYTES];
};

static struct {
    uint32_t olds;
    uint32_t news;
} seen_by_sweep;

static const char *const claims[] = {
        "zeros at the first start",
        "zeros after a death without a checkpoint",
        "what the checkpoint kept",
        "dropped",
        "a checkpoint cut off at each instruction",
        "a drop cut off at each instruction",
        "after a reset",
        "a damaged copy does not count",
};

AL_TASK_STATE(kept, struct odd);
AL_TASK_STATE(swept, struct odd);

static struct al_sem go = AL_SEM_INIT(0, 1);
static uint8_t seen; /* all bytes of the state at its start; 255: mixed */
static volatile bool keep;
static volatile bool drop;

static void fill(struct odd *odd, uint8_t value)
{
    for (uint32_t i = 0; i < BYTES; i++) {
        odd->bytes[i] = value;
    }
}

static uint8_t all_of(const struct odd *odd)
{
    for (uint32_t i = 1; i < BYTES; i++) {
        if (odd->bytes[i] != odd->bytes[0]) {
            return 255;
        }
    }
    return odd->bytes[0];
}

static const struct al_restart_policy no_limit = {.budget = UINT16_MAX};

static void keeper_main(void)
{
    struct odd *now = kept_begin();

    seen = all_of(now);
    al_sem_take(&go);
    fill(now, (uint8_t)(seen + 1));
    if (keep) {
        al_task_checkpoint(&kept);
    }
    if (drop) {
        al_task_checkpoint_drop(&kept);
    }
    fill(now, 77);
    al_panic("keeper");
}

AL_TASK_POLICY(keeper, keeper_main, 6, 1024, &no_limit);

static void check_lives(void)
{
    holds(0, seen == 0);
    (void)al_sem_give(&go);
    holds(1, seen == 0 && keeper.generation == 2);
    keep = true;
    (void)al_sem_give(&go);
    holds(2, seen == 1);
    (void)al_sem_give(&go);
    holds(2, (story.held & 4) != 0 && seen == 2);
    drop = true;
    (void)al_sem_give(&go);
    holds(3, seen == 0);
    drop = false;
    (void)al_sem_give(&go); /* 1 is kept, over the reset */
    (void)al_sem_give(&go); /* and 2 */
}

/* --- at every instruction --- */

static struct odd restored;
static volatile uint8_t old_value;
static volatile uint8_t new_value;
static volatile bool broken;
static volatile bool hit_inside;
static volatile bool inside;

/* The same copies, begun into other memory: a start at this moment. */
static void start_here(unsigned n, const struct rig_hit *hit)
{
    struct al_state view = swept;
    uint8_t value;

    (void)n;
    (void)hit;
    view.now = (char *)&restored;
    (void)al_task_state_begin(&view);
    value = all_of(&restored);
    broken |= value != old_value && value != new_value;
    seen_by_sweep.olds += value == old_value;
    seen_by_sweep.news += value == new_value;
    hit_inside = inside;
}

/* true: each instruction was interrupted, and all starts were whole. */
static bool sweep(void (*act)(const struct al_state *), bool dropping)
{
    struct odd *now = swept_begin();
    uint32_t steps = 0;

    seen_by_sweep.olds = 0;
    seen_by_sweep.news = 0;
    broken = false;
    do {
        fill(now, 222); /* in the older copy */
        al_task_checkpoint(&swept);
        fill(now, (uint8_t)(1 + steps % 100));
        al_task_checkpoint(&swept);
        old_value = (uint8_t)(1 + steps % 100);
        new_value = dropping ? 0 : (uint8_t)(101 + steps % 100);
        fill(now, new_value);
        hit_inside = false;
        rig_arm(0, steps, start_here);
        inside = true;
        act(&swept);
        inside = false;
        rig_disarm(0);
        steps++;
    } while (steps < 40 || hit_inside);
    test_note("%d places, %d old, %d new", (int)steps, (int)seen_by_sweep.olds,
            (int)seen_by_sweep.news);
    return !broken && seen_by_sweep.olds > 5 && seen_by_sweep.news > 2;
}

static void tell(void)
{
    story_tell(claims, sizeof(claims) / sizeof(claims[0]));
}

static void judge_main(void)
{
    switch (story_goes_on()) {
    case 1:
        check_lives();
        rig_start();
        holds(4, sweep(al_task_checkpoint, false));
        holds(5, sweep(al_task_checkpoint_drop, true));
        al_reset();
    case 2:
        holds(6, seen == 2);
        /* The newer of the two; the other one is whole. */
        ((volatile char *)(kept.copies[kept.copies[0]->sequence <
                                       kept.copies[1]->sequence] +
                           1))[20] ^= 1;
        al_reset();
    default:
        holds(7, story.life == 3 && seen == 1);
    }
    tell();
}

AL_TASK(judge, judge_main, 4, 2048);
