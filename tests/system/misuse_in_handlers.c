/* SPDX-License-Identifier: MIT */
/*
 * Claim: a function that only tasks may call, called from a handler of AL_IRQ,
 * ends the one who calls it, with the right record, or comes back; nothing
 * else happens, whatever the function.
 *   1. each row of misuse_in_handlers.def in a handler; the interrupted task
 *      holds a mutex and is well
 *   2. one record says that the handler died, and of what, if it did
 *   3. the kernel's structures are right, and all objects are what they were,
 *      whether it died or came back
 * Fails if: a function does without its look at where it is called from.
 * builds: gcc-O2 gcc-O0 gcc-Os clang-O2 clang-O0 clang-Os; flags: -Wno-unused-result
 * sources: ../interleave/rig.c
 * options: AL_CFG_IRQ_DEATHS=200
 * recovers: caller | handler |
 *     a function that only tasks may call ends the handler that calls it |
 *     irq_panic_return unwind_frame unwind_scope
 */
#include "../interleave/rig.h"

#include "test.h"

enum {
#define PANIC_MODULE(name, number) MODULE_##name = number,
#define PANIC_DEF(module, number, rule, look)
#include "../../kernel/panics.def"
};

AL_CHAN_TYPE(words, uint32_t, 2);

/* What may be written. */
static struct {
    struct al_mutex mutex;
    void *item;
    uint32_t word;
    struct al_timer_info timer_info;
    struct al_heap_info heap_info;
    struct al_task_info task_info;
    struct al_spawn spawn;
    struct al_concurrent concurrent;
    struct al_period period;
    struct al_guard guard;
    struct al_crash_record record;
} fresh;

/* What may not. */
static struct al_sem sem = AL_SEM_INIT(0, 5);
static struct al_sem full_sem = AL_SEM_INIT(5, 5);
static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_mutex held = AL_MUTEX_INIT;
static struct al_cond cond = AL_COND_INIT;
static struct al_event event = AL_EVENT_INIT;
static struct al_mailbox mailbox = AL_MAILBOX_INIT;
static struct words chan = AL_CHAN_INIT(uint32_t, 2);
static struct words full_chan = AL_CHAN_INIT(uint32_t, 2);
static struct al_timer timer = AL_TIMER_INIT_SEM(&sem);
static struct al_timer_service service = AL_TIMER_SERVICE_INIT(service);
static struct al_period period;
static uint32_t region[128] __attribute__((aligned(8)));
static const struct {
    const void *at;
    uint32_t words;
} objects[] = {
#define OBJECT(object)                         \
  {                                            \
    &object, sizeof(object) / sizeof(uint32_t) \
  }
        OBJECT(sem),
        OBJECT(full_sem),
        OBJECT(mutex),
        OBJECT(held),
        OBJECT(cond),
        OBJECT(event),
        OBJECT(mailbox),
        OBJECT(chan),
        OBJECT(full_chan),
        OBJECT(timer),
        OBJECT(service),
        OBJECT(period),
        OBJECT(region),
};
static void *block;
static bool prepared;

static void nothing(void *unused)
{
    (void)unused;
}

static char stack[1024] __attribute__((aligned(8)));
static struct al_lease lease;
static struct al_lease_hold hold = {&lease};
static struct al_sem_hold sem_hold = {&sem, 0};
static struct al_irq_hold irq_hold = {3, 0};
static const struct al_task_params params = {.entry = nothing,
        .stack = stack,
        .stack_bytes = sizeof(stack),
        .prio = 2};
static const struct al_task_params spawn_params = {
        .entry = nothing, .stack_bytes = sizeof(stack), .prio = 2};

static void other_main(void)
{
    (void)al_task_park(AL_FOREVER);
}
AL_TASK(other, other_main, 2, 1024);

static void victim_main(void);
AL_TASK(victim, victim_main, 5, 2048);

static struct al_task_id victims_id;
static struct al_task_id others_id;

#define RUN(...)                              \
  static void AL_CONCAT(run_, __LINE__)(void) \
  {                                           \
    (void)(__VA_ARGS__);                      \
  }
#define DIES(function, module, n, ...) RUN(__VA_ARGS__)
#define BACK(function, ...)            RUN(__VA_ARGS__)
#define FAULTS(function, ...)          RUN(__VA_ARGS__)
#include "misuse_in_handlers.def"
#undef DIES
#undef BACK
#undef FAULTS

enum {
    COMES_BACK,
    IS_ENDED, /* by a rule: module and number */
    FAULTS
};

static const struct {
    const char *name;
    void (*run)(void);
    uint32_t how, module, number;
} rows[] = {
#define ROW(function, ...) {#function, AL_CONCAT(run_, __LINE__), __VA_ARGS__},
#define DIES(function, module, n, ...) \
  ROW(function, IS_ENDED, MODULE_##module, n)
#define BACK(function, ...)   ROW(function, COMES_BACK, 0, 0)
#define FAULTS(function, ...) ROW(function, FAULTS, 0, 0)
#include "misuse_in_handlers.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Of all that may not be written. */
static uint32_t sum(void)
{
    uint32_t total = 0;

    for (unsigned i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        const uint32_t *words = (const uint32_t *)objects[i].at;

        for (uint32_t w = 0; w < objects[i].words; w++) {
            total = (total >> 7 | total << 25) + words[w];
        }
    }
    return total;
}

static unsigned at;

static void in_handler(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    rows[at].run();
}

static bool is_fault(uint32_t cause)
{
    return cause == AL_CAUSE_NULL || cause == AL_CAUSE_BUS ||
           cause == AL_CAUSE_ACCESS || cause == AL_CAUSE_FAULT;
}

/* Did the handler end as the row says, of which there were `before` records? */
static bool ended_right(uint32_t before)
{
    struct al_crash_record record = {.cause = 0};

    if (rows[at].how == COMES_BACK) {
        return al_crash_count() == before;
    }
    if (al_crash_count() != before + 1 ||
            al_crash_read(before + 1, &record) != AL_OK ||
            (record.psr & 0x1ff) < 16) {
        return false;
    }
    return rows[at].how == FAULTS
                   ? is_fault(record.cause)
                   : record.cause == AL_CAUSE_CALLER &&
                             record.detail[0] == rows[at].module &&
                             record.detail[1] == rows[at].number;
}

static void prepare(void)
{
    victims_id = al_task_id_of(&victim);
    others_id = al_task_id_of(&other);
    block = al_heap_alloc(16);
    prepared = block != NULL && al_mutex_lock(&held) == AL_OK &&
               al_chan_send(&full_chan, 1) == AL_OK &&
               al_chan_send(&full_chan, 2) == AL_OK;
    al_period_start(&period, 5);
}

static void victim_main(void)
{
    rig_start();
    prepare();
    CHECK(prepared, "prepared");
    for (at = 0; at < ROWS; at++) {
        uint32_t objects_before = sum();
        uint32_t deaths_before = al_crash_count();
        const char *wrong;

        rig_pend(0, in_handler);
        wrong = rig_check();
        CHECK(ended_right(deaths_before), "row %u, %s: how it ends", at,
                rows[at].name);
        CHECK(wrong == NULL && al_mutex_is_mine(&held) &&
                        objects_before == sum(),
                "row %u, %s: %s", at, rows[at].name,
                wrong == NULL ? "nothing else happens" : wrong);
    }
    test_done();
}
