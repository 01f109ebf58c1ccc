/* SPDX-License-Identifier: MIT */
/*
 * Claim: when more starts than allowed follow each other without a stable run,
 * whatever caused them, the board is in safe mode, for one start; and a
 * supervisor without a parent restarts the board when its budget is spent.
 *
 *  1. three starts in a row are normal; they end by a task's policy, by a
 *     supervisor, and by al_reset()
 *  2. the fourth is safe: the task that is not wanted then has not begun, others
 *     have; killing the guard's task counts nothing; after the stable run the
 *     count is 0 and the mode the same
 *  3. the fifth is normal, and number 1; al_boot_is_well(): so is the sixth
 *  4. the memory is damaged: the seventh is number 1, too
 *
 * Fails if: a start is not counted, or counted twice, a stable run does not
 * forget, or a damaged count is believed.
 * boards: stm32f405 mps2-an386; builds: gcc-O0 gcc-O2 gcc-Os clang-O2
 */
#include <alula/alula.h>

#include "story.h"
#include "test.h"

extern uint32_t __al_bss_high[];
extern uint32_t __al_ram_high[];

AL_BOOT_GUARD(3, 100);

static volatile bool unsafe_ran;

static void unsafe_main(void)
{
    unsafe_ran = true;
    al_sleep(100000);
}

AL_TASK_UNSAFE(unwanted, unsafe_main, 6, 1024, &al_restart_default);

static struct al_sem go_resetter = AL_SEM_INIT(0, 1);
static struct al_sem go_member = AL_SEM_INIT(0, 1);

static const struct al_restart_policy reset_at_once = {
        .budget = 0,
        .window = 1000,
        .exhausted = AL_EXHAUSTED_RESET,
};

static void resetter_main(void)
{
    al_sem_take(&go_resetter);
    al_panic("resetter");
}

AL_TASK_POLICY(resetter, resetter_main, 5, 1024, &reset_at_once);

static struct al_supervisor top =
        AL_SUPERVISOR_INIT(AL_ONE_FOR_ONE, 1, 1000, NULL, NULL, 0);

static void member_main(void)
{
    al_sem_take(&go_member);
    al_panic("member");
}

AL_SUPERVISED(member, member_main, 5, 1024, &top, 1);

static const char *const claims[] = {
        "life 1: normal, number 1, every task begins",
        "life 2: the policy's restart counted",
        "life 2: the supervisor's budget is one death",
        "life 3: the supervisor restarted the board",
        "life 4: safe, number 4",
        "life 4: who is not wanted has not begun",
        "life 4: the guard's task again is no start",
        "life 4: a stable run forgets, the mode stays",
        "life 5: normal again, number 1",
        "life 6: well before a restart on purpose",
        "life 7: a damaged count is not believed",
};

static bool is_normal(uint32_t number)
{
    return al_boot_mode() == AL_BOOT_NORMAL && al_boot_count() == number &&
           unsafe_ran;
}

static void safe_life(void)
{
    struct al_task_info info;

    holds(4, al_boot_mode() == AL_BOOT_SAFE && al_boot_count() == 4);
    al_task_read(&unwanted, &info);
    holds(5, !unsafe_ran && info.state == AL_TASK_STOPPED &&
                     resetter.generation == 1);
    (void)al_task_kill(al_task_id_of(&al_boot_guard), AL_KILL_RESTART);
    al_sleep(5);
    holds(6, al_boot_count() == 4 && al_boot_guard.generation == 2);
    al_sleep(110);
    holds(7, al_boot_count() == 0 && al_boot_mode() == AL_BOOT_SAFE);
    al_reset();
}

/* Its words: a magic one, the count, and what fits both. */
static void damage(void)
{
    for (uint32_t *p = __al_bss_high; p + 3 < __al_ram_high; p++) {
        if (p[0] == 0x4f425a41u && p[1] == 1 &&
                p[2] == (0x4f425a41u ^ ~(uint32_t)1)) {
            p[1] = 77;
            return;
        }
    }
}

static void tell(void)
{
    story_tell(claims, sizeof(claims) / sizeof(claims[0]));
}

static void judge_main(void)
{
    switch (story_goes_on()) {
    case 1:
        holds(0, is_normal(1));
        (void)al_sem_give(&go_resetter);
        break;
    case 2:
        holds(1, is_normal(2));
        (void)al_sem_give(&go_member);
        holds(2, member.generation == 2);
        (void)al_sem_give(&go_member);
        break;
    case 3:
        holds(3, is_normal(3) && al_crash_count() == 3);
        al_reset();
    case 4:
        safe_life();
        break;
    case 5:
        holds(8, is_normal(1));
        al_boot_is_well();
        al_reset();
    case 6:
        holds(9, is_normal(1));
        damage();
        al_reset();
    default:
        holds(10, story.life == 7 && is_normal(1));
    }
    tell();
}

AL_TASK(judge, judge_main, 4, 2048);
