/* SPDX-License-Identifier: MIT */
/*
 * The heap stays whole and its accounts exact, whoever preempts whom, dies and
 * gives.
 *
 * 1. Three tasks of three priorities, two of them woken by the tick in the
 *    middle of whatever runs, allocate, resize and free at random; each block
 *    is filled with its owner's letter and never found otherwise.
 * 2. Now and then a task dies with blocks, plain and scoped ones: the scoped
 *    ones are freed, the plain ones counted as left behind; another frees them.
 * 3. Blocks are given from one task to another, which frees them.
 * 4. At each look a task's bytes are those of the blocks that it has; at the
 *    end all is free, in one piece.
 * Fails if: a block is looked at outside of the lock, or a gift is counted
 * twice.
 * boards: stm32f405 mps2-an386
 * builds: gcc-Os-small gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 */
#include <alula/alula.h>

#include "test.h"

#define ROUNDS 400
#define SLOTS  12
#define TASKS  3

struct player {
    char letter;
    uint32_t seed;
};

/* Static: what a task had is known after it died. Its own, but for gifts. */
static struct {
    char *block[SLOTS];
    size_t bytes[SLOTS];
    uint32_t rounds;
    uint32_t deaths;
} has[TASKS];

static struct {
    struct al_mutex lock;
    char *block; /* on its way from one task to the next */
} gift = {.lock = AL_MUTEX_INIT};

static struct al_sem done = AL_SEM_INIT(0, TASKS);
static volatile uint32_t wrong_bytes, wrong_accounts, given;

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static bool is_filled(unsigned who, unsigned slot)
{
    for (size_t i = 0; i < has[who].bytes[slot]; i++) {
        if (has[who].block[slot][i] != (char)('a' + who)) {
            return false;
        }
    }
    return true;
}

static void fill(unsigned who, unsigned slot)
{
    for (size_t i = 0; i < has[who].bytes[slot]; i++) {
        has[who].block[slot][i] = (char)('a' + who);
    }
}

static void check_account(unsigned who)
{
    struct al_task_info info;
    size_t bytes = 0;

    for (unsigned i = 0; i < SLOTS; i++) {
        if (has[who].block[i] != NULL) {
            bytes += al_heap_size(has[who].block[i]);
        }
    }
    al_task_read(al_task_self(), &info);
    wrong_accounts += bytes != info.heap_bytes;
}

static void use_slot(unsigned who, unsigned slot, size_t bytes)
{
    char *block = has[who].block[slot];

    if (block == NULL) {
        block = al_heap_alloc(bytes);
        has[who].block[slot] = block;
        has[who].bytes[slot] = block != NULL ? bytes : 0;
        fill(who, slot);
        return;
    }
    wrong_bytes += !is_filled(who, slot);
    if (bytes % 3 == 0 && al_heap_resize(block, bytes)) {
        has[who].bytes[slot] = bytes;
        fill(who, slot);
        return;
    }
    has[who].block[slot] = NULL;
    al_heap_free(block);
}

extern struct al_task a, b, c;

/* Take what another task gave; give a block to the next. */
static void pass_on(unsigned who, unsigned slot)
{
    static struct al_task *const tasks[] = {&a, &b, &c};
    char *block = has[who].block[slot];
    al_status status;

    AL_LOCK_SCOPED(&gift.lock, status);
    (void)status;
    if (gift.block != NULL && gift.block[0] == (char)('A' + who)) {
        al_heap_free(gift.block);
        gift.block = NULL;
        given++;
    }
    if (gift.block == NULL && block != NULL) {
        unsigned to = (who + 1) % TASKS;

        has[who].block[slot] = NULL;
        block[0] = (char)('A' + to);
        gift.block = block;
        if (al_heap_give(block, al_task_id_of(tasks[to])) != AL_OK) {
            wrong_accounts++;
        }
    }
}

static bool has_gift(unsigned who)
{
    return gift.block != NULL && gift.block[0] == (char)('A' + who);
}

/* Some work between two calls, so that ticks come in the middle of many. */
static void dawdle(uint32_t n)
{
    for (volatile uint32_t i = 0; i < n; i++) {
    }
}

static void play(struct player *p)
{
    unsigned who = (unsigned)(p->letter - 'a');
    uint32_t seed = p->seed + has[who].rounds;

    while (has[who].rounds < ROUNDS) {
        uint32_t r = next(&seed);

        has[who].rounds++;
        dawdle(who == 0 ? 1000 + r % 2000 : 10);
        AL_HEAP_SCOPED(scoped, r % 50);
        use_slot(who, r % SLOTS, next(&seed) % 400);
        if (r % 3 == 0) {
            pass_on(who, (r + 1) % SLOTS);
        }
        if (r % 31 == 0) {
            has[who].deaths++;
            al_panic("now and then");
        }
        if (who != 0 && r % 5 == 0) {
            al_sleep(1);
        }
        *(volatile char *)scoped = 1;
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        if (has[who].block[i] != NULL) {
            use_slot(who, i, 1);
        }
    }
    while (has_gift(who)) {
        pass_on(who, 0);
    }
    check_account(who);
    (void)al_sem_give(&done);
    al_sleep(1000000);
}

static const struct al_restart_policy at_once = {
        .budget = 0xffff,
        .window = 1,
};

AL_TASK_ARGS(a, play, 2, 1536, &at_once, struct player, {'a', 1});
AL_TASK_ARGS(b, play, 3, 1536, &at_once, struct player, {'b', 2});
AL_TASK_ARGS(c, play, 4, 1536, &at_once, struct player, {'c', 3});

static void judge(void)
{
    struct al_heap_info before;
    struct al_heap_info after;
    uint32_t deaths = 0;

    al_heap_read(&before);
    for (int i = 0; i < TASKS; i++) {
        al_sem_take(&done);
    }
    if (gift.block != NULL) {
        al_heap_free(gift.block);
    }
    al_heap_read(&after);
    for (unsigned i = 0; i < TASKS; i++) {
        deaths += has[i].deaths;
    }
    CHECK(wrong_bytes == 0, "no block had others' bytes");
    CHECK(wrong_accounts == 0, "accounts were exact: %u were not",
            (unsigned)wrong_accounts);
    CHECK(deaths > 10 && al_crash_count() == deaths, "%u deaths",
            (unsigned)deaths);
    CHECK(given > 0, "%u gifts", (unsigned)given);
    CHECK(after.blocks == 0 && after.used_bytes == 0 && after.damaged == 0,
            "all is free");
    CHECK(after.largest_bytes == before.total_bytes, "in one piece");
    for (struct al_task *t = al_task_next(NULL); t != NULL;
            t = al_task_next(t)) {
        struct al_task_info info;

        al_task_read(t, &info);
        CHECK(info.heap_bytes == 0, "%s has none", info.name);
    }
    test_done();
}

AL_TASK(judging, judge, 5, 1536);
