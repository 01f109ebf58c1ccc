/* SPDX-License-Identifier: MIT */
/*
 * Tasks that are made at run time have thread-local variables of their own, in
 * an image in which all begin with a value.
 *
 * 1. Three tasks of one stack, one after the other: each finds what the image
 *    gives, wherever the one before left it.
 * 2. Tasks that live side by side, each with its own value and argument.
 * 3. A stack that has no room for them: the first use is a null access of that
 *    task's; it is as if it had died of anything, and nobody else is touched.
 * Fails if: the block lies below the stack, or an image without zeroed ones
 * has none.
 * boards: stm32f405 mps2-an386
 * builds: gcc-O0 gcc-O2 clang-O2
 */
#include <alula/alula.h>

#include "test.h"

static _Thread_local uint32_t given[100] = {11, 22, 33};

static volatile uint32_t wrong, ran;

static void use(void *args)
{
    uint32_t id = *(const uint32_t *)args;

    wrong += given[0] != 11 || given[1] != 22 || given[2] != 33 ||
             given[99] != 0;
    given[0] = id;
    given[99] = id;
    al_sleep(2);
    wrong += given[0] != id || given[99] != id || id != *(const uint32_t *)args;
    ran++;
}

static al_status make(uint32_t id, struct al_task_id *made)
{
    const struct al_task_params params = {
            .name = "uses",
            .entry = use,
            .args = &id,
            .args_bytes = sizeof id,
            .stack_bytes = 2048,
            .prio = 6,
    };

    return al_task_spawn(&params, made);
}

static struct al_spawn memory;
static char stack[800] __attribute__((aligned(8)));

static const struct al_restart_policy once = {
        .budget = 0,
        .exhausted = AL_EXHAUSTED_STOP,
};

static void judge(void)
{
    static const uint32_t nine = 9;
    const struct al_task_params small = {
            .entry = use,
            .args = &nine,
            .args_bytes = sizeof nine,
            .stack = stack,
            .stack_bytes = sizeof stack,
            .prio = 6,
            .policy = &once,
    };
    struct al_task_id id;
    struct al_task_id ids[3];
    struct al_crash_record record;

    for (uint32_t i = 0; i < 3; i++) {
        al_status status = make(i, &id);

        CHECK(status == AL_OK && al_task_join(id, AL_FOREVER) == AL_OK,
                "one after the other: %u", (unsigned)i);
    }
    for (uint32_t i = 0; i < 3; i++) {
        CHECK(make(50 + i, &ids[i]) == AL_OK, "side by side: %u", (unsigned)i);
    }
    given[0] = 77;
    for (uint32_t i = 0; i < 3; i++) {
        (void)al_task_join(ids[i], AL_FOREVER);
    }
    CHECK(wrong == 0 && ran == 6, "each had its own");
    CHECK(given[0] == 77 && given[1] == 22, "and so had this one");
    al_task_create(&memory, &small, &id);
    CHECK(al_task_join(id, AL_FOREVER) == AL_OK, "no room: it has ended");
    CHECK(al_crash_read(al_crash_count(), &record) == AL_OK &&
                    record.cause == AL_CAUSE_NULL,
            "of a null access: %u", (unsigned)record.cause);
    CHECK(wrong == 0 && ran == 6 && given[0] == 77, "nobody else noticed");
    test_done();
}

AL_TASK(judging, judge, 4, 2048);
