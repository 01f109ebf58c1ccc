/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task that dies, by a panic or by a stack overflow, gives back what
 * it registered, newest first, and starts again with its original arguments.
 *
 *  1. victim opens two defers around a mutex and panics: run three times
 *  2. after each death the log says: inner defer, mutex free, outer defer
 *  3. victim recurses until its stack is used up: the same
 *
 * boards: stm32f405 mps2-an386 mps2-an385; builds: gcc-Os-small-soft gcc-O2-lto-small gcc-Os-small clang-Os-small gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 *
 * Fails if: a scope is dropped, run twice or in another order; if the arguments
 * are those that the dead instance changed.
 * recovers: panic overflow | running |
 *     what it registered is undone, newest first; it starts again with its
 *     original arguments | panic_to_restart unwind_frame unwind_scope
 */
#include <alula/alula.h>

#include "test.h"

struct victim_args {
    int rounds;
};

static struct al_sem died = AL_SEM_INIT(0, 10);
static struct al_sem again = AL_SEM_INIT(0, 10);
static struct al_mutex mutex = AL_MUTEX_INIT;
static volatile int kind;
static volatile int starts;
static volatile int original;
static char log_text[8];
static volatile int log_length;

static void note(void *arg)
{
    char what = *(const char *)arg;

    if (log_length < 7) {
        log_text[log_length++] =
                what == 'i' && !al_mutex_is_held(&mutex) ? '!' : what;
    }
}

static const char outer_mark = 'o';
static const char inner_mark = 'i';

__attribute__((noinline)) static int deep(volatile int *depth)
{
    volatile int frame[8] = {0};

    (*depth)++;
    frame[*depth & 7] = deep(depth);
    return frame[0] + 1;
}

__attribute__((noinline)) static void middle(void)
{
    al_status status;
    int depth = 0;

    AL_LOCK_SCOPED(&mutex, status);
    AL_DEFER(note, (void *)(uintptr_t)&inner_mark);
    (void)status;
    if (kind == 0) {
        al_panic("test");
    }
    (void)deep(&depth);
}

static void victim_main(struct victim_args *args)
{
    starts++;
    original = args->rounds;
    args->rounds = 99;
    al_sem_give(&died);
    al_sem_take(&again);
    AL_DEFER(note, (void *)(uintptr_t)&outer_mark);
    middle();
}

AL_TASK_ARGS(victim, victim_main, 5, 1536, &al_restart_default,
        struct victim_args, {7});

static void judge_main(void)
{
    for (int i = 0; i < 6; i++) {
        kind = i / 3;
        al_sem_take(&died);
        CHECK(starts == i + 1, "starts %d", i);
        CHECK(original == 7, "arguments %d", i);
        log_length = 0;
        al_sem_give(&again);
        al_yield();
        CHECK(log_length == 2 && log_text[0] == 'i' && log_text[1] == 'o',
                "scopes %d", i);
        CHECK(!al_mutex_is_held(&mutex), "mutex %d", i);
        CHECK(al_crash_count() == (uint32_t)i + 1, "crash count %d", i);
    }
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
