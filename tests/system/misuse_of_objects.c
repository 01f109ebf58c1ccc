/* SPDX-License-Identifier: MIT */
/*
 * Claim: whoever gives a function what is no object, or a value out of range,
 * is ended for it by the function's own name, or is told; the kernel, all other
 * memory, and mostly the false object as well, are as before.
 *   1. each row of misuse_of_objects.def in a task that is restarted for the
 *      next one; those that say so in a handler that interrupts it
 *   2. a row about an object at each place that is none: at address 0, where
 *      the bus has nothing, at an odd address, zeros, an object of that kind
 *      that has ended, one that ended is said to be another kind, and garbage:
 *      equal words, small numbers, random ones, nothing but tags of other kinds
 *   3. afterwards the crash record names MODULE.n, a fault at the worst where no
 *      memory is; the kernel's structures are right, and of the memory around
 *      the false object nothing is written
 * Fails if: an object's tag is not looked at, or with the kernel lock held (a
 * kernel stop).
 * builds: gcc-O2 gcc-O0 gcc-Os clang-O2 clang-O0 clang-Os; flags: -Wno-unused-result; timeout: 120
 * sources: ../interleave/rig.c ../support/recover.c
 * recovers: caller | running |
 *     a wrong value, or what is no object, ends its caller; the kernel and
 *     other memory are as before | panic_to_restart unwind_frame unwind_scope
 */
#include "../interleave/rig.h"

#include "../support/recover.h"

#include "test.h"

enum {
#define PANIC_MODULE(name, number) MODULE_##name = number,
#define PANIC_DEF(module, number, rule, look)
#include "../../kernel/panics.def"
};

#define NOWHERE ((void *)(uintptr_t)0x30000000u)
#define AROUND  64 /* words on each side of the false object */
#define WORDS   128

struct wide {
    uint32_t words[3];
};
AL_CHAN_TYPE(words, uint32_t, 2);
AL_CHAN_TYPE(wides, struct wide, 2);

/* The false object lies in the middle of it. */
static uint32_t arena[AROUND + WORDS + AROUND] __attribute__((aligned(8)));
#define MIDDLE (&arena[AROUND])

static void *it; /* what the row's function gets */
static volatile int said;

#define IT(type) ((struct type *)it)
#define IN_IT    ((void *)((char *)it + 8)) /* a block's payload */

/* ---- what rows use ---- */

static struct {
    void *item;
    uint32_t word;
    struct wide wide;
    struct al_timer timer;
    struct al_timer_info timer_info;
    struct al_heap_info heap_info;
    struct al_task_info task_info;
    struct al_spawn spawn;
    struct al_concurrent concurrent;
    struct al_guard guard;
    struct al_crash_record record;
} fresh;

static struct al_mutex judges = AL_MUTEX_INIT;
static struct al_mutex another = AL_MUTEX_INIT;
static struct al_cond cond = AL_COND_INIT;
static struct al_event event = AL_EVENT_INIT;
static struct al_mailbox mailbox = AL_MAILBOX_INIT;
static struct al_sem sem = AL_SEM_INIT(0, 5);
static struct al_timer timer = AL_TIMER_INIT_SEM(&sem);
static struct al_period never_started;
static void *block;
static char stack[1024] __attribute__((aligned(8)));

static void nothing(void *unused)
{
    (void)unused;
}

/* Poisoned by the death before, as it should be. */
static struct al_mutex *locked(void)
{
    if (al_mutex_lock(&another) == AL_E_POISONED) {
        al_mutex_heal(&another);
    }
    return &another;
}

static void lock_twice(void)
{
    rig_lock(locked());
}

static void lock_twice_until(void)
{
    (void)al_mutex_lock_until(locked(), al_in(1));
}

static void start_timer_for(void *target)
{
    al_timer_init_sem(&fresh.timer, (struct al_sem *)target);
    (void)al_timer_start(&fresh.timer, 1, 0);
}

static struct al_task_id self(void)
{
    return al_task_id_self();
}

static struct al_task_id id_of_it(void)
{
    return (struct al_task_id){(struct al_task *)it, 1};
}

static struct al_task_id other_life(uint32_t spawns)
{
    return (struct al_task_id){&rig_victim, spawns};
}

/* As if the victim's memory had been another task's before. */
static al_status wake_earlier(void)
{
    al_status status;

    rig_victim.spawns += 2;
    status = al_irq_raw_task_wake(other_life(1));
    rig_victim.spawns -= 2;
    return status;
}

static const struct al_task_params well = {.entry = nothing,
        .stack = stack,
        .stack_bytes = sizeof(stack),
        .prio = 2};

#define create(change)                    \
  (__extension__({                        \
  struct al_task_params p = well;         \
  p change;                               \
  al_task_create(&fresh.spawn, &p, NULL); \
  }))
#define spawn(change)             \
  (__extension__({                \
  struct al_task_params p = well; \
  p.stack = NULL;                 \
  p change;                       \
  al_task_spawn(&p, NULL);        \
  }))

static void create_twice(void)
{
    al_task_create(&fresh.spawn, &well, NULL);
    al_task_create(&fresh.spawn, &well, NULL);
}

static void pair_twice(void)
{
    static struct al_concurrent used;

    used.origin = rig_victim.def; /* as if the victim had it */
    (void)al_task_restart_concurrent(al_task_id_of(&rig_victim), &used, stack);
}

/* A block whose neighbour's header it has written over; put right by whoever
 * judges. */
static uint32_t *overrun;
static uint32_t overwritten;

static void *overran(void)
{
    overrun = (uint32_t *)block + (al_heap_size(block) + 3) / 4;
    overwritten = *overrun;
    *overrun = 0x12345678;
    return block;
}

static void mend(void)
{
    if (overrun != NULL) {
        *overrun = overwritten;
        overrun = NULL;
    }
}

/* ---- the rows ---- */

#define RUN(...)                              \
  static void AL_CONCAT(run_, __LINE__)(void) \
  {                                           \
    (void)(__VA_ARGS__);                      \
  }
#define SAY(...)                              \
  static void AL_CONCAT(run_, __LINE__)(void) \
  {                                           \
    said = (int)(__VA_ARGS__);                \
  }
#define OBJECT(function, kind, module, n, ...) RUN(__VA_ARGS__)
#define LOOSE(function, kind, module, n, ...)  RUN(__VA_ARGS__)
#define READS(function, kind, ...)             RUN(__VA_ARGS__)
#define LOOSE_READS(function, kind, ...)       RUN(__VA_ARGS__)
#define TOLD(function, kind, ...)              SAY(__VA_ARGS__)
#define TOLD_LOOSE(function, kind, ...)        SAY(__VA_ARGS__)
#define WRONG(function, module, n, what, ...)  RUN(__VA_ARGS__)
#define STATUS(function, status, what, ...)    SAY(__VA_ARGS__)
#include "misuse_of_objects.def"
#undef OBJECT
#undef LOOSE
#undef READS
#undef LOOSE_READS
#undef TOLD
#undef TOLD_LOOSE
#undef WRONG
#undef STATUS

enum kind {
    KIND_none, /* not about an object */
    KIND_sem,
    KIND_mutex,
    KIND_cond,
    KIND_event,
    KIND_mailbox,
    KIND_chan,
    KIND_timer,
    KIND_service,
    KIND_target,
    KIND_block,
    KIND_task,
    KIND_next, /* a task, or NULL */
};

#define DIES       1u
#define IN_HANDLER 2u
#define IS_LOOSE   4u
#define SAYS       8u

static const struct row {
    const char *name;
    const char *what;
    void (*run)(void);
    enum kind kind;
    uint32_t flags;
    uint32_t of; /* MODULE.n */
    int says;
} rows[] = {
#define ROW(function, what, kind, flags, of, says) \
  {#function, what, AL_CONCAT(run_, __LINE__), KIND_##kind, flags, of, says},
#define OF(module, n) (MODULE_##module << 8 | (n))
#define OBJECT(function, kind, module, n, ...) \
  ROW(function, #kind, kind, DIES, OF(module, n), 0)
#define LOOSE(function, kind, module, n, ...) \
  ROW(function, #kind, kind, DIES | IS_LOOSE, OF(module, n), 0)
#define READS(function, kind, ...) ROW(function, #kind, kind, 0, 0, 0)
#define LOOSE_READS(function, kind, ...) \
  ROW(function, #kind, kind, IS_LOOSE, 0, 0)
#define TOLD(function, kind, ...) \
  ROW(function, #kind, kind, IN_HANDLER | SAYS, 0, AL_E_DESTROYED)
#define TOLD_LOOSE(function, kind, ...) \
  ROW(function, #kind, kind, IN_HANDLER | SAYS | IS_LOOSE, 0, AL_E_DESTROYED)
#define WRONG(function, module, n, what, ...) \
  ROW(function, what, none, DIES, OF(module, n), 0)
#define STATUS(function, status, what, ...) \
  ROW(function, what, none, SAYS, 0, status)
#include "misuse_of_objects.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* ---- what is no object ---- */

enum place {
    AT_NULL,
    AT_NOWHERE,
    AT_ODD,
    ZEROS,
    ENDED,
    GARBAGE, /* this and those above */
};
#define EQUAL_WORDS 6 /* then RANDOMS, then the tags of all kinds */
#define RANDOMS     24
#define PLACES      (GARBAGE + EQUAL_WORDS + RANDOMS + AL_KIND_JOIN + 1)

static uint32_t random_state;

static uint32_t random_word(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 16 | random_state << 16;
}

static void fill(uint32_t n)
{
    static const uint32_t equal[EQUAL_WORDS] = {
            0xffffffffu, 0x55555555u, 0x80000000u, 1, 2, 5};

    for (uint32_t i = 0; i < WORDS; i++) {
        if (n < EQUAL_WORDS) {
            MIDDLE[i] = equal[n];
        } else if (n < EQUAL_WORDS + RANDOMS / 2) {
            MIDDLE[i] = random_word();
        } else if (n < EQUAL_WORDS + RANDOMS) {
            MIDDLE[i] = random_word() >> 28 | 8; /* as counts are; 4 as its
                                                  * owner is a free mutex */
        } else {
            MIDDLE[i] = AL_TAG(n - EQUAL_WORDS - RANDOMS);
        }
    }
}

/* An object of that kind, ended; false: none of that kind ends. */
static bool end_one(enum kind kind)
{
    it = MIDDLE;
    switch (kind) {
    case KIND_sem:
        al_sem_init(IT(al_sem), 3, 5);
        al_sem_destroy(IT(al_sem));
        return true;
    case KIND_mutex:
        al_mutex_init(IT(al_mutex), true);
        al_mutex_destroy(IT(al_mutex));
        return true;
    case KIND_cond:
        al_cond_init(IT(al_cond));
        al_cond_destroy(IT(al_cond));
        return true;
    case KIND_event:
        al_event_init(IT(al_event));
        al_event_set(IT(al_event), 3);
        al_event_destroy(IT(al_event));
        return true;
    case KIND_mailbox:
        al_mailbox_init(IT(al_mailbox));
        al_mailbox_destroy(IT(al_mailbox));
        return true;
    case KIND_chan:
        al_chan_init(IT(words));
        (void)al_chan_send(IT(words), 1);
        al_chan_destroy(IT(words));
        return true;
    case KIND_timer:
        al_timer_init_sem(IT(al_timer), &sem);
        (void)al_timer_start(IT(al_timer), 100, 100);
        al_timer_destroy(IT(al_timer));
        return true;
    case KIND_target:
        al_sem_init(IT(al_sem), 3, 5);
        al_sem_destroy(IT(al_sem));
        return true;
    case KIND_none:
    case KIND_service:
    case KIND_block:
    case KIND_task:
    case KIND_next:
        break;
    }
    return false;
}

static bool is_its_own_tag(enum kind kind, uint32_t tag)
{
    static const uint8_t tags[] = {[KIND_sem] = AL_KIND_SEM,
            [KIND_mutex] = AL_KIND_MUTEX,
            [KIND_cond] = AL_KIND_COND,
            [KIND_event] = AL_KIND_EVENT,
            [KIND_mailbox] = AL_KIND_MAILBOX,
            [KIND_chan] = AL_KIND_CHAN,
            [KIND_timer] = AL_KIND_TIMER,
            [KIND_service] = AL_KIND_TIMER,
            [KIND_target] = AL_KIND_SEM,
            [KIND_task] = 0, /* its definition is nowhere: no task either */
            [KIND_next] = 0};

    return tag == tags[kind] && tag != 0;
}

/* Makes `it` such a one; false: there is none for this row. */
static bool lay_out(const struct row *row, uint32_t place)
{
    for (uint32_t i = 0; i < sizeof(arena) / sizeof(arena[0]); i++) {
        arena[i] = i < AROUND || i >= AROUND + WORDS ? 0xc0ffee00u + i : 0;
    }
    it = MIDDLE;
    if (row->kind == KIND_none) {
        return place == ZEROS;
    }
    if (place < ZEROS) {
        it = place == AT_NULL      ? NULL
             : place == AT_NOWHERE ? NOWHERE
                                   : (void *)((char *)MIDDLE + 1);
        return (row->flags & IN_HANDLER) == 0 &&
               (place != AT_NULL || row->kind != KIND_next);
    }
    if (place == ENDED) {
        return end_one(row->kind);
    }
    if (place >= GARBAGE) {
        fill(place - GARBAGE);
    }
    return !is_its_own_tag(row->kind, place - GARBAGE - EQUAL_WORDS - RANDOMS);
}

/* ---- judging ---- */

static const struct row *at;

static void in_handler(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    at->run();
}

static void use(void)
{
    if ((at->flags & IN_HANDLER) != 0) {
        rig_pend(0, in_handler);
    } else {
        at->run();
    }
}

static bool died_of(uint32_t of)
{
    return rig_record.cause == AL_CAUSE_CALLER &&
           (rig_record.detail[0] << 8 | rig_record.detail[1]) == of;
}

static bool died_of_a_fault(void)
{
    return rig_record.cause == AL_CAUSE_NULL ||
           rig_record.cause == AL_CAUSE_BUS ||
           rig_record.cause == AL_CAUSE_ALIGN;
}

/* NULL, or what is wrong. */
static const char *judge(uint32_t place, uint32_t deaths)
{
    bool loose = (at->flags & IS_LOOSE) != 0 && place >= GARBAGE;
    bool dies = (at->flags & DIES) != 0;

    if (place < ZEROS && at->kind != KIND_none && deaths == 1 &&
            died_of_a_fault()) {
        return NULL;
    }
    if (deaths == 0 && dies) {
        return loose ? NULL : "came back";
    }
    if (deaths != 0) {
        return dies && died_of(at->of) ? NULL : "died of something else";
    }
    return (at->flags & SAYS) == 0 || loose || said == at->says
                   ? NULL
                   : "another status";
}

static bool is_same(const uint32_t *before, bool around_only)
{
    for (uint32_t i = 0; i < sizeof(arena) / sizeof(arena[0]); i++) {
        bool around = i < AROUND || i >= AROUND + WORDS;

        if (arena[i] != before[i] && (around || !around_only)) {
            return false;
        }
    }
    return true;
}

static const char *try_at(uint32_t place)
{
    static uint32_t before[sizeof(arena) / sizeof(arena[0])];
    const char *wrong;
    uint32_t deaths;

    for (uint32_t i = 0; i < sizeof(arena) / sizeof(arena[0]); i++) {
        before[i] = arena[i];
    }
    said = 99;
    deaths = rig_run(use);
    mend();
    wrong = judge(place, deaths);
    if (wrong == NULL) {
        wrong = rig_check();
    }
    if (wrong == NULL &&
            !is_same(before, (at->flags & IS_LOOSE) != 0 && place >= GARBAGE)) {
        wrong = "memory was written";
    }
    return wrong;
}

static void judge_row(void)
{
    const char *wrong = NULL;
    uint32_t place;
    uint32_t tried = 0;

    for (place = 0; place < PLACES && wrong == NULL; place++) {
        if (lay_out(at, place)) {
            wrong = try_at(place);
            tried++;
        }
    }
    CHECK(wrong == NULL && tried > 0, "%s, %s (%u places): %s at %u, %s %u.%u",
            at->name, at->what, (unsigned)tried,
            wrong == NULL ? "right" : wrong, (unsigned)place - 1,
            al_cause_name(rig_record.cause), (unsigned)rig_record.detail[0],
            (unsigned)rig_record.detail[1]);
}

void board_start(void)
{
}

AL_NORETURN void board_stop(void)
{
    CHECK(false, "%s, %s: the kernel stopped", at->name, at->what);
    test_done();
}

/* Runs if the victim waits: nothing here is waited for. */
static void watch_main(void)
{
    CHECK(false, "%s, %s: waits", at->name, at->what);
    test_done();
}
AL_TASK(watch, watch_main, 1, 1024);

static void judge_main(void)
{
    struct al_heap_info heap;
    size_t used;

    random_state = test_seed(7);
    rig_start();
    rig_lock(&judges);
    block = al_heap_alloc(24);
    al_heap_read(&heap);
    used = heap.used_bytes;
    for (at = rows; at < rows + ROWS; at++) {
        judge_row();
    }
    al_heap_read(&heap);
    CHECK(heap.used_bytes == used && heap.damaged == 0,
            "the heap is as before");
    CHECK(al_mutex_is_mine(&judges) && al_sem_count(&sem) == 0 &&
                    al_event_get(&event) == 0 &&
                    al_mailbox_peek(&mailbox) == NULL,
            "objects are as before");
    test_done();
}
AL_TASK(judge_task, judge_main, 4, 3072);
