/* SPDX-License-Identifier: MIT */
/*
 * Claim: 10000 random deaths in a row leak nothing.
 *
 * SEED=n ./alula test --only system/recover_random runs another sequence; the
 * seed is printed. Each round:
 *  1. the victim goes down up to six random frames (plain, big, alloca, FPU),
 *     each opening a random scope or none, and dies at the bottom of a random
 *     cause, now and then with one of its cleanups dying too
 *  2. on its way, at a random depth, it wakes the rival, more urgent, which does
 *     the same, meets the victim's locks, inherits them poisoned, and dies
 *  3. when both wait again: every scope that was opened was undone exactly
 *     once, newest first; the locks are free; the heap is as before; both
 *     tasks have no scope, their own priority and no heap block; the ready queue
 *     holds who was in it before
 *
 * Fails if: anything is lost, undone twice, or left behind.
 * boards: stm32f405 mps2-an386; builds: gcc-O2 clang-O2
 * sources: ../support/recover.c ../support/causes.c
 * flags: -fsanitize=bounds -fno-sanitize-recover=all
 * timeout: 60
 */
#include "causes.h"

#define NOINLINE __attribute__((noinline))

#define DEATHS     10000u
#define STACK_MAX  64u
#define MUTEXES    3u
#define RIVAL_PRIO (RIG_PRIO + 1)

static uint32_t seed;

static uint32_t random_below(uint32_t bound)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return (seed >> 8) % bound;
}

static struct al_mutex mutexes[MUTEXES] = {
        AL_MUTEX_INIT, AL_MUTEX_INIT, AL_MUTEX_INIT};

/* What one of the two has open, by number, newest last. */
struct open {
    uint32_t depth;
    uint32_t numbers[STACK_MAX];
    uint32_t next;      /* number */
    uint32_t wrong;     /* undone twice, or in the wrong order */
    bool held[MUTEXES]; /* by this one: it must not lock it again */
};

static struct open of_victim;
static struct open of_rival;

static struct open *mine(void)
{
    return al_task_self() == &rig_victim ? &of_victim : &of_rival;
}

static uint32_t opened(void)
{
    struct open *open = mine();
    uint32_t number = open->next++;

    if (open->depth < STACK_MAX) {
        open->numbers[open->depth++] = number;
    }
    return number;
}

static void undo(void *number)
{
    struct open *open = mine();

    if (open->depth == 0 ||
            open->numbers[open->depth - 1] != (uint32_t)(uintptr_t)number) {
        open->wrong++;
        return;
    }
    open->depth--;
}

static void undo_and_die(void *number)
{
    undo(number);
    al_panic("cleanup");
}

static struct al_sem rival_go = AL_SEM_INIT(0, 1);
static volatile uint32_t rival_starts;
static volatile bool poke; /* the victim has yet to wake the rival */

static void descend(uint32_t frames);

/* One of the locks that it does not hold, in ascending order: no deadlock. */
static struct al_mutex *some_mutex(void)
{
    struct open *open = mine();
    uint32_t first = 0;

    for (uint32_t i = 0; i < MUTEXES; i++) {
        if (open->held[i]) {
            first = i + 1;
        }
    }
    if (first >= MUTEXES) {
        return NULL;
    }
    first += random_below(MUTEXES - first);
    open->held[first] = true;
    return &mutexes[first];
}

static NOINLINE void with_lock(uint32_t frames)
{
    struct al_mutex *mutex = some_mutex();
    al_status status;

    if (mutex == NULL) {
        descend(frames);
        return;
    }
    AL_LOCK_SCOPED(mutex, status);
    if (status == AL_E_POISONED && random_below(2) == 0) {
        al_mutex_heal(mutex);
    }
    descend(frames);
}

static NOINLINE void with_plain_lock(uint32_t frames)
{
    struct al_mutex *mutex = some_mutex();

    if (mutex != NULL) {
        rig_lock(mutex);
    }
    descend(frames);
}

static NOINLINE void with_heap(uint32_t frames)
{
    AL_HEAP_SCOPED(block, random_below(300));

    descend(block != NULL ? frames : 0);
}

static NOINLINE void with_defer(uint32_t frames)
{
    RIG_SCOPE(scope, undo, (void *)(uintptr_t)opened());
    descend(frames);
}

static NOINLINE void with_defers_in_big_frame(uint32_t frames)
{
    volatile char big[100];
    RIG_SCOPE(outer, undo, (void *)(uintptr_t)opened());
    RIG_SCOPE(inner, undo, (void *)(uintptr_t)opened());

    big[0] = (char)frames;
    descend(frames);
    big[99] = big[0];
}

static NOINLINE void with_bad_cleanup(uint32_t frames)
{
    RIG_SCOPE(scope, undo_and_die, (void *)(uintptr_t)opened());
    descend(frames);
}

static NOINLINE void with_alloca(uint32_t frames)
{
    volatile char *block = __builtin_alloca(8 + random_below(60));
    RIG_SCOPE(scope, undo, (void *)(uintptr_t)opened());

    block[0] = 1;
    descend(frames);
    block[1] = 2;
}

static NOINLINE void with_float(uint32_t frames)
{
    float x = (float)frames * 1.25f;
    RIG_SCOPE(scope, undo, (void *)(uintptr_t)opened());

    descend(frames);
    if (x < 0) {
        opened();
    }
}

static void (*const ways_down[])(uint32_t) = {
        descend,
        with_lock,
        with_plain_lock,
        with_heap,
        with_defer,
        with_defers_in_big_frame,
        with_bad_cleanup,
        with_alloca,
        with_float,
};

static void descend(uint32_t frames)
{
    if (poke && al_task_self() == &rig_victim && random_below(3) == 0) {
        poke = false;
        (void)al_sem_give(&rival_go);
    }
    if (frames == 0) {
        causes[random_below(causes_count)].die();
    }
    ways_down[random_below(sizeof(ways_down) / sizeof(ways_down[0]))](
            frames - 1);
}

static void victim_body(void)
{
    descend(random_below(7));
}

static void rival_main(void)
{
    rival_starts++;
    for (;;) {
        al_sem_take(&rival_go);
        descend(random_below(7));
    }
}

static const struct al_restart_policy without_limit = {.budget = UINT16_MAX};

AL_TASK_POLICY(rival, rival_main, RIVAL_PRIO, 2048, &without_limit);

static bool is_well(const struct al_task *task, al_prio prio)
{
    struct al_task_info info;

    al_task_read(task, &info);
    return info.prio == prio && info.state == AL_TASK_WAITING &&
           info.heap_bytes == 0 && info.mutexes == 0 && task->scopes == NULL;
}

static void fresh(struct open *open)
{
    *open = (struct open){0};
}

/* Returns what is wrong, or NULL. */
static const char *round_of_deaths(size_t heap)
{
    static uint32_t ready;
    uint32_t deaths = al_crash_count();
    uint32_t rivals = rival_starts;

    if (ready == 0) {
        ready = al_core.ready_map;
    }
    fresh(&of_victim);
    fresh(&of_rival);
    poke = random_below(2) == 0;
    if (rig_run(victim_body) == 0) {
        return "nobody died";
    }
    if (al_crash_count() - deaths != 1 + rival_starts - rivals) {
        return "deaths do not add up";
    }
    if (of_victim.depth != 0 || of_rival.depth != 0) {
        return "a scope was not undone";
    }
    if (of_victim.wrong != 0 || of_rival.wrong != 0) {
        return "a scope was undone twice, or in the wrong order";
    }
    for (uint32_t i = 0; i < MUTEXES; i++) {
        if (al_mutex_is_held(&mutexes[i])) {
            return "a lock is left";
        }
    }
    if (rig_heap_used() != heap) {
        return "heap is left";
    }
    if (!is_well(&rig_victim, RIG_PRIO) || !is_well(&rival, RIVAL_PRIO)) {
        return "a task is not as it was";
    }
    if (al_core.ready_map != ready || al_core.locked != 0) {
        return "the ready queue is not as it was";
    }
    /* Bit 0: left behind the judge, who is more urgent than any sleeper. */
    if (al_core.inbox != NULL && ((uintptr_t)al_core.inbox & 1) == 0) {
        return "a post is left in the inbox";
    }
    return NULL;
}

static void judge_main(void)
{
    size_t heap = rig_heap_used();
    const char *wrong = NULL;
    uint32_t rounds = 0;
    uint32_t causes_seen = 0;
    uint32_t all_causes = 0;

    for (uint32_t i = 0; i < causes_count; i++) {
        all_causes |= 1u << causes[i].cause;
    }
    seed = test_seed(20260101) * 2654435769u | 1;
    while (wrong == NULL && al_crash_count() < DEATHS) {
        wrong = round_of_deaths(heap);
        rounds++;
        causes_seen |= 1u << rig_record.cause;
    }
    CHECK(wrong == NULL, "round %d, death %d: %s", (int)rounds,
            (int)al_crash_count(), wrong != NULL ? wrong : "all is well");
    CHECK(al_crash_count() >= DEATHS, "%d deaths", (int)al_crash_count());
    CHECK(causes_seen == all_causes, "causes seen %x of %x",
            (unsigned)causes_seen, (unsigned)all_causes);
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
