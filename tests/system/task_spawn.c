/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task made at run time is a task like any other, and when it has
 * ended, nothing of it is left but a stale name.
 *   1. a heap without room: AL_E_MEMORY at the first allocation and at the
 *      second, and nothing is lost
 *   2. arguments: those of al_task_spawn() are copied, each start has them
 *      fresh; those of al_task_create() are used in place
 *   3. its entry returns, or its policy stops it: the stack is back on the heap,
 *      what its scopes and locks held is free, its id is stale for everything
 *   4. joins: at once when it has ended, AL_E_TIMEOUT at the deadline, past and
 *      future; several joiners; whoever joins finds all of it ended, and may
 *      make another task in its memory at once
 *   5. a control block that is used again: the old id stays stale
 *   6. al_task_next(): the image's tasks, then these in the order of their making
 *   7. wrong uses: TASK.3 to TASK.6, and nothing else is touched
 *   8. as many tasks as fit, 1000 at most, all at once, twice
 * Fails if: a joiner runs before the task has ended, an id is told by its block
 * alone, or a block is lost where the next one cannot be had.
 * builds: gcc-Os-small gcc-O2 gcc-O0 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c ../support/recover.c
 * timeout: 120
 */
#include "../interleave/rig.h"
#include "../support/recover.h"

#include "test.h"

#define STACK 1024u
#define MOST  1000u

extern char __al_stack_reserve[];

static struct al_sem go = AL_SEM_INIT(0, 100000);
static volatile unsigned runs;
static volatile unsigned ends;

static size_t used(void)
{
    struct al_heap_info info;

    al_heap_read(&info);
    return info.used_bytes;
}

static const char *whole(void)
{
    const char *wrong = rig_check();

    return wrong != NULL ? wrong : "right";
}

static void wait_main(void *args)
{
    (void)args;
    runs++;
    al_sem_take(&go);
    ends++;
}

static void end_main(void *args)
{
    (void)args;
    runs++;
}

static struct al_task_params params(void (*entry)(void *), al_prio prio)
{
    struct al_task_params p = {0};

    p.name = "kid";
    p.entry = entry;
    p.stack_bytes = STACK;
    p.prio = prio;
    return p;
}

static struct al_task_id spawn(void (*entry)(void *), al_prio prio)
{
    struct al_task_params p = params(entry, prio);
    struct al_task_id id = {NULL, 0};
    al_status status = al_task_spawn(&p, &id);

    if (status != AL_OK) {
        CHECK(false, "spawn: %d", (int)status);
        test_done();
    }
    return id;
}

static bool is_stale(struct al_task_id id)
{
    return al_task_suspend(id) == AL_E_STALE &&
           al_task_resume(id) == AL_E_STALE &&
           al_task_set_prio(id, 3) == AL_E_STALE &&
           al_task_wake(id) == AL_E_STALE &&
           al_task_join(id, AL_FOREVER) == AL_OK &&
           al_task_join(id, AL_POLL) == AL_OK;
}

/* ---- 1 ---- */

struct hog {
    struct hog *next;
};
static struct hog *hogs;

/* Takes all of the heap but what is smaller than `least`. */
static void eat(size_t least)
{
    for (size_t bytes = 1u << 20; bytes >= least; bytes /= 2) {
        for (;;) {
            struct hog *hog = al_heap_alloc(bytes);

            if (hog == NULL) {
                break;
            }
            hog->next = hogs;
            hogs = hog;
        }
    }
}

static void spit(void)
{
    while (hogs != NULL) {
        struct hog *hog = hogs;

        hogs = hog->next;
        al_heap_free(hog);
    }
}

/* No task has been spawned yet. */
static void exhausted(void)
{
    struct al_task_params p = params(end_main, 3);
    void *room = al_heap_alloc(sizeof(struct al_spawn) + 64);
    struct al_task_id id = {NULL, 7};
    size_t before;
    size_t block;

    eat(16);
    before = used();
    CHECK(al_task_spawn(&p, &id) == AL_E_MEMORY && used() == before,
            "no room for a control block");
    CHECK(id.task == NULL && id.spawn == 7, "and no id");
    al_heap_free(room);
    before = used();
    CHECK(al_task_spawn(&p, &id) == AL_E_MEMORY, "no room for a stack");
    block = used() - before;
    CHECK(block >= sizeof(struct al_spawn) &&
                    block < sizeof(struct al_spawn) + 32,
            "a control block is kept, of %u bytes", (unsigned)block);
    for (unsigned i = 0; i < 3; i++) {
        CHECK(al_task_spawn(&p, &id) == AL_E_MEMORY && used() == before + block,
                "once more (%u): nothing is lost", i);
    }
    spit();
    before = used();
    id = spawn(end_main, 3);
    CHECK(al_task_join(id, AL_FOREVER) == AL_OK && used() == before,
            "the block that was kept serves");
    CHECK(runs == 1, "and the task ran");
}

/* ---- 2 ---- */

struct given {
    uint32_t number;
    char text[9];
};
static volatile unsigned right_args;
static volatile unsigned starts;
static volatile uintptr_t args_at;

static void args_main(void *args)
{
    struct given *given = args;
    bool right = given->number == 0x12345678u;

    for (unsigned i = 0; i < sizeof(given->text); i++) {
        right = right && given->text[i] == (char)('a' + i);
        given->text[i] = 'x';
    }
    given->number = 0;
    args_at = (uintptr_t)args;
    right_args += right;
    starts++;
    if (starts < 3) {
        al_panic("once more");
    }
}

static void arguments(bool created)
{
    static struct al_spawn memory;
    static char stack[STACK] __attribute__((aligned(8)));
    static struct given given;
    struct al_task_params p = params(args_main, 3);
    struct al_task_id id;
    size_t before = used();

    given.number = 0x12345678u;
    for (unsigned i = 0; i < sizeof(given.text); i++) {
        given.text[i] = (char)('a' + i);
    }
    p.args = &given;
    p.args_bytes = sizeof(given);
    right_args = 0;
    starts = 0;
    if (created) {
        p.stack = stack;
        al_task_create(&memory, &p, &id);
    } else {
        CHECK(al_task_spawn(&p, &id) == AL_OK, "spawned with arguments");
        given.number = 1; /* copied: nobody looks here any more */
    }
    CHECK(al_task_join(id, AL_FOREVER) == AL_OK && starts == 3 &&
                    right_args == 3,
            "created %d: %u starts, %u times the right arguments", created,
            starts, right_args);
    CHECK(args_at % 8 == 0 && args_at != (uintptr_t)&given,
            "created %d: on its own stack", created);
    CHECK(!created || (args_at >= (uintptr_t)stack &&
                              args_at < (uintptr_t)stack + sizeof(stack)),
            "created %d: on the stack that it was given", created);
    CHECK(used() == before && is_stale(id), "created %d: it has ended, %s",
            created, whole());
}

/* ---- 3 ---- */

static struct al_mutex mutex = AL_MUTEX_INIT;
static volatile unsigned cleaned;

static void clean(void *arg)
{
    (void)arg;
    cleaned++;
}

static void die_main(void *args)
{
    al_status status;

    (void)args;
    AL_DEFER(clean, NULL);
    AL_HEAP_SCOPED(block, 100);
    AL_LOCK_SCOPED(&mutex, status);
    starts++;
    AL_ASSERT(block == NULL || status == AL_OK); /* the second is poisoned */
    al_panic("as it does always");
}

static void stopped_by_policy(void)
{
    static const struct al_restart_policy once = {
            .budget = 1, .window = 100000, .exhausted = AL_EXHAUSTED_STOP};
    struct al_task_params p = params(die_main, 3);
    struct al_task_id id;
    size_t before = used();
    uint32_t deaths = al_crash_count();
    al_status status;

    p.policy = &once;
    starts = 0;
    CHECK(al_task_spawn(&p, &id) == AL_OK &&
                    al_task_join(id, AL_FOREVER) == AL_OK && starts == 2 &&
                    al_crash_count() == deaths + 2,
            "its policy gave it up after %u starts", starts);
    CHECK(cleaned == 2 && !al_mutex_is_held(&mutex) && used() == before &&
                    is_stale(id),
            "nothing of it is left: %s", whole());
    status = al_mutex_try_lock(&mutex);
    CHECK(status == AL_E_POISONED, "but a poisoned mutex");
    al_mutex_heal(&mutex);
    al_mutex_unlock(&mutex);
}

static volatile float sink;

static void float_main(void *args)
{
    float x = 1.0f;

    (void)args;
    for (unsigned i = 0; i < 20; i++) {
        x = x * 1.5f + 0.25f;
    }
    sink = x;
    runs++;
}

static void spawn_float(void)
{
    struct al_task_id id = spawn(float_main, 3);

    if (al_task_join(id, AL_FOREVER) != AL_OK) {
        runs = 0;
    }
    (void)spawn(float_main, 6);
}

static void floats(void)
{
    size_t before = used();
    uint32_t changed;

    runs = 0;
    changed = rig_guard(spawn_float, 5, 1);
    CHECK(changed == 0 && runs == 2 && used() == before,
            "floating point in a task that ends: %x", (unsigned)changed);
}

/* ---- 4 ---- */

static struct joiner {
    struct al_sem go;
    struct al_task_id id;
    al_time deadline;
    volatile bool done;
    al_status status;
    size_t heap; /* in use when it came back */
    bool makes;  /* another task in `memory` at once */
} joiners[3] = {{.go = AL_SEM_INIT(0, 1)}, {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)}};

static struct al_spawn memory;
static char memory_stack[STACK] __attribute__((aligned(8)));
static struct al_task_id made;

static void make(void (*entry)(void *), al_prio prio)
{
    struct al_task_params p = params(entry, prio);

    p.stack = memory_stack;
    al_task_create(&memory, &p, &made);
}

static void join_main(unsigned n)
{
    struct joiner *self = &joiners[n];

    for (;;) {
        al_sem_take(&self->go);
        self->status = al_task_join(self->id, self->deadline);
        self->heap = used();
        if (self->makes) {
            make(end_main, 3);
        }
        self->done = true;
    }
}

#define JOINER(n, prio)         \
  static void j##n##_main(void) \
  {                             \
    join_main(n);               \
  }                             \
  AL_TASK(j##n, j##n##_main, prio, 1536)

JOINER(0, 6);
JOINER(1, 6);
JOINER(2, 31);

static void join_from(
        unsigned n, struct al_task_id id, al_time deadline, bool makes)
{
    joiners[n].id = id;
    joiners[n].deadline = deadline;
    joiners[n].done = false;
    joiners[n].makes = makes;
    (void)al_sem_give(&joiners[n].go);
}

static void deadlines(void)
{
    size_t before = used();
    struct al_task_id id = spawn(wait_main, 3);
    al_time now;

    al_sleep(2); /* it waits */
    now = al_now();
    CHECK(al_task_join(id, AL_POLL) == AL_E_TIMEOUT &&
                    al_task_join(id, now) == AL_E_TIMEOUT &&
                    al_task_join(id, 1) == AL_E_TIMEOUT && al_now() <= now + 1,
            "it lives: no wait when the deadline is past");
    now = al_now();
    CHECK(al_task_join(id, now + 3) == AL_E_TIMEOUT && al_now() == now + 3,
            "a deadline ahead: at its tick");
    join_from(0, id, AL_FOREVER, false);
    join_from(1, id, al_in(2), false);
    join_from(2, id, al_in(1000), false);
    CHECK(!joiners[0].done && !joiners[1].done && !joiners[2].done,
            "three join");
    al_sleep(3);
    CHECK(!joiners[0].done && joiners[1].done &&
                    joiners[1].status == AL_E_TIMEOUT && !joiners[2].done,
            "one had enough");
    join_from(1, id, AL_FOREVER, false);
    (void)al_sem_give(&go);
    CHECK(al_task_join(id, AL_FOREVER) == AL_OK, "and so does this one");
    for (unsigned n = 0; n < 3; n++) {
        CHECK(joiners[n].done && joiners[n].status == AL_OK &&
                        joiners[n].heap == before,
                "joiner %u finds it ended, and its stack free", n);
    }
    CHECK(is_stale(id), "joined by four: %s", whole());
}

static void made_again(void)
{
    struct al_task_id first;

    runs = 0;
    make(wait_main, 3);
    first = made;
    al_sleep(2);
    join_from(0, first, AL_FOREVER, false);
    join_from(2, first, AL_FOREVER, true);
    join_from(1, first, AL_FOREVER, false);
    (void)al_sem_give(&go);
    CHECK(al_task_join(first, AL_FOREVER) == AL_OK, "its memory again");
    CHECK(joiners[0].done && joiners[1].done && joiners[2].done,
            "all joiners came back");
    CHECK(made.task == first.task && made.spawn != first.spawn &&
                    is_stale(first),
            "the next one in the same memory is another: %s", whole());
    CHECK(al_task_join(made, AL_FOREVER) == AL_OK && runs == 2, "and ran: %s",
            whole());
}

/* ---- 5 ---- */

static struct al_task_id old;
static volatile al_status old_joined;

static void join_old_main(void *args)
{
    (void)args;
    old_joined = al_task_join(old, AL_FOREVER);
    al_sem_take(&go);
}

static void stale_ids(void)
{
    struct al_task_id id;
    struct al_task_id ended;

    old = spawn(end_main, 6);
    CHECK(is_stale(old), "it ended before this one went on");
    ended = al_task_id_of(old.task);
    CHECK(is_stale(ended), "the name of one that has ended is stale");
    old_joined = AL_E_FULL;
    id = spawn(join_old_main, 6);
    CHECK(id.task == old.task && id.spawn != old.spawn,
            "its control block is used again");
    CHECK(old_joined == AL_OK, "a task joins who had its block before");
    CHECK(is_stale(old) && is_stale(ended) &&
                    al_task_join(id, AL_POLL) == AL_E_TIMEOUT,
            "the old ids name nobody");
    for (unsigned i = 0; i < 3; i++) {
        (void)al_sem_give(&go);
        CHECK(al_task_join(id, AL_FOREVER) == AL_OK && is_stale(id) &&
                        is_stale(old),
                "use %u: all stale", i);
        id = spawn(wait_main, 6);
    }
    (void)al_sem_give(&go);
    CHECK(al_task_join(id, AL_FOREVER) == AL_OK, "the last: %s", whole());
}

/* ---- 6 ---- */

static bool walk_is(const struct al_task_id *ids, unsigned count)
{
    struct al_task *task = NULL;
    unsigned found = 0;
    bool judged = false;

    for (task = al_task_next(task); task != NULL; task = al_task_next(task)) {
        judged = judged || task == al_task_self();
        if ((task->flags & AL_FLAG_SPAWNED) == 0) {
            if (found != 0) {
                return false;
            }
            continue;
        }
        if (found >= count || task != ids[found].task) {
            return false;
        }
        found++;
    }
    return judged && found == count;
}

static void walks(void)
{
    struct al_task_id ids[3];

    CHECK(walk_is(ids, 0), "only the image's tasks");
    for (unsigned i = 0; i < 3; i++) {
        ids[i] = spawn(wait_main, 6);
    }
    CHECK(walk_is(ids, 3), "then those made at run time, oldest first");
    /* All wait; the first that came is the first to go. */
    (void)al_sem_give(&go);
    CHECK(is_stale(ids[0]) && walk_is(ids + 1, 2),
            "without the one that ended");
    CHECK(al_task_next(ids[0].task) == NULL, "a walk that stands at it ends");
    ids[0] = ids[1];
    ids[1] = ids[2];
    ids[2] = spawn(wait_main, 6);
    CHECK(walk_is(ids, 3), "a new one is the last");
    for (unsigned i = 0; i < 3; i++) {
        (void)al_sem_give(&go);
    }
    CHECK(walk_is(ids, 0) && al_task_next(ids[1].task) == NULL,
            "only the image's tasks again: %s", whole());
}

/* ---- 7 ---- */

static struct al_task_params bad;
static struct al_task_id bad_id;

static void spawn_bad(void)
{
    al_status status = al_task_spawn(&bad, NULL);

    (void)status;
}

static void create_bad(void)
{
    static struct al_spawn bad_memory;

    al_task_create(&bad_memory, &bad, NULL);
}

static void create_living(void)
{
    al_task_create(&memory, &bad, NULL);
}

static void join_bad(void)
{
    al_status status = al_task_join(bad_id, AL_POLL);

    (void)status;
}

static void join_self(void)
{
    bad_id = al_task_id_self();
    join_bad();
}

static void suspend_bad(void)
{
    al_task_suspend(bad_id);
}

static void resume_bad(void)
{
    al_task_resume(bad_id);
}

static void prio_bad(void)
{
    al_task_set_prio(bad_id, 3);
}

static void wake_bad(void)
{
    al_task_wake(bad_id);
}

static void prio_0(void)
{
    al_task_set_prio(al_task_id_self(), 0);
}

static void prio_high(void)
{
    al_task_set_prio(al_task_id_self(), AL_PRIO_LEVELS);
}

static void panics(const char *name, void (*use)(void), unsigned number)
{
    size_t before = used();
    uint32_t died = rig_run(use);

    CHECK(died == 1 && rig_record.cause == AL_CAUSE_CALLER &&
                    rig_record.detail[0] == 1 &&
                    rig_record.detail[1] == number && used() == before,
            "%s: TASK.%u (%u.%u), %s", name, number,
            (unsigned)rig_record.detail[0], (unsigned)rig_record.detail[1],
            whole());
}

static void wrong_params(void)
{
    uint32_t least = (uint32_t)__al_stack_reserve + AL_CFG_CLEANUP_STACK + 128;
    struct al_task_params good = params(end_main, 3);
    size_t before;

    bad = good;
    bad.entry = NULL;
    panics("no entry", spawn_bad, 5);
    bad = good;
    bad.stack_bytes = STACK + 4;
    panics("a stack that is no multiple of 8", spawn_bad, 5);
    bad.stack_bytes = (least - 1) & ~7u;
    panics("a stack too small", spawn_bad, 5);
    bad.stack_bytes = 0;
    panics("no stack", spawn_bad, 5);
    bad.stack_bytes = 0xfffffff8u;
    panics("a stack of 4 GiB", spawn_bad, 5);
    bad.args = &bad;
    bad.args_bytes = 8;
    panics("4 GiB and arguments", spawn_bad, 5);
    bad = good;
    bad.args_bytes = STACK;
    bad.args = memory_stack;
    panics("arguments as large as the stack", spawn_bad, 5);
    bad.args_bytes = 0xffffff00u;
    panics("arguments of 4 GiB", spawn_bad, 5);
    bad.args = NULL;
    bad.args_bytes = 4;
    panics("arguments from nowhere", spawn_bad, 5);
    bad.args = (void *)(uintptr_t)RIG_NOWHERE;
    before = used();
    CHECK(rig_run(spawn_bad) == 1 && rig_record.cause == AL_CAUSE_BUS &&
                    used() == before,
            "arguments that are no memory: a bus fault, and nothing is lost");
    bad = good;
    bad.stack = memory_stack;
    panics("spawned with a stack", spawn_bad, 5);
    bad.stack = memory_stack + 4;
    panics("a stack at no multiple of 8", create_bad, 5);
    bad.stack = NULL;
    panics("created without a stack", create_bad, 5);
    bad = good;
    bad.prio = 0;
    panics("priority 0", spawn_bad, 4);
    bad.prio = AL_PRIO_LEVELS;
    panics("a priority too high", spawn_bad, 4);
    bad.prio = 0x103;
    panics("a priority that a byte does not hold", spawn_bad, 4);
    panics("set to 0", prio_0, 4);
    panics("set too high", prio_high, 4);
    bad = good;
    runs = 0;
    bad.stack_bytes = (least + 7) & ~7u;
    CHECK(rig_run(spawn_bad) == 0 && (al_sleep(2), runs == 1),
            "the least stack serves: %u bytes", (unsigned)bad.stack_bytes);
}

static void wrong_ids(void)
{
    static struct al_task fake;
    static const struct {
        const char *name;
        struct al_task_id id;
    } ids[] = {
            {"all zeros", {NULL, 0}},
            {"nothing", {NULL, 1}},
            {"an odd address", {(struct al_task *)0x20000001u, 1}},
            {"a device", {(struct al_task *)0x40000000u, 1}},
            {"high", {(struct al_task *)0xfffffffcu, 1}},
            {"no control block", {&fake, 1}},
            {"not made yet", {&rig_victim, 2}},
            {"never made", {&rig_victim, 0}},
    };

    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        bad_id = ids[i].id;
        panics(ids[i].name, join_bad, 3);
        panics(ids[i].name, suspend_bad, 3);
        panics(ids[i].name, resume_bad, 3);
        panics(ids[i].name, prio_bad, 3);
        panics(ids[i].name, wake_bad, 3);
    }
    panics("joins itself", join_self, 6);
    make(wait_main, 6);
    bad = params(end_main, 3);
    bad.stack = memory_stack;
    panics("memory of a task that lives", create_living, 6);
    (void)al_sem_give(&go);
    CHECK(al_task_join(made, AL_FOREVER) == AL_OK, "that one was not hurt: %s",
            whole());
}

/* ---- 8 ---- */

static struct al_task_id many[MOST];

/* All that fit; returns how many. They wait. */
static unsigned crowd(void)
{
    struct al_task_params p = params(wait_main, 6);
    unsigned count = 0;

    runs = 0;
    ends = 0;
    while (count < MOST && al_task_spawn(&p, &many[count]) == AL_OK) {
        count++;
    }
    return count;
}

static void many_tasks(void)
{
    unsigned first = 0;
    size_t left = 0;

    for (unsigned round = 0; round < 2; round++) {
        unsigned count = crowd();
        unsigned joined = 0;

        if (round == 0) {
            first = count;
            test_note("%u tasks", count);
        }
        CHECK(count == first && count >= 20 && runs == count && ends == 0,
                "round %u: %u tasks wait: %s", round, count, whole());
        for (unsigned i = 0; i < count; i++) {
            (void)al_sem_give(&go);
        }
        for (unsigned i = 0; i < count; i++) {
            joined += al_task_join(many[i], AL_FOREVER) == AL_OK;
        }
        CHECK(joined == count && ends == count, "round %u: all have ended: %s",
                round, whole());
        CHECK(round == 0 || used() == left, "round %u: %u bytes in use", round,
                (unsigned)used());
        left = used();
    }
    eat(STACK);
    spit();
    CHECK(used() == left, "the heap is whole");
}

static void judge_main(void)
{
    exhausted();
    arguments(false);
    arguments(true);
    stopped_by_policy();
    floats();
    deadlines();
    made_again();
    stale_ids();
    walks();
    wrong_params();
    wrong_ids();
    many_tasks();
    test_done();
}

AL_TASK(judge, judge_main, 4, 3072);
