/* SPDX-License-Identifier: MIT */
/*
 * Claim: a function that only tasks may call, called from a handler of AL_IRQ,
 * ends the one who calls it, with the right record, or comes back; nothing
 * else happens, whatever the function.
 *   1. each row of misuse_in_handlers.def in a handler; the interrupted task
 *      holds a mutex and is well
 *   2. one that dies: a panic in a handler is the kernel stop for now, so the
 *      record is that of a stop, and the board starts again for the next row.
 *      When handlers are restarted, HANDLER_DIES says what the record is then
 *   3. one that comes back: the kernel's structures are right, and all objects
 *      are what they were
 * Fails if: a function does without its look at where it is called from.
 * builds: gcc-O2 gcc-O0 gcc-Os clang-O2 clang-O0 clang-Os; flags: -Wno-unused-result
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "test.h"

enum {
#define PANIC_MODULE(name, number) MODULE_##name = number,
#define PANIC_DEF(module, number, rule, look)
#include "../../kernel/panics.def"
};

/* What the record of a handler's panic for MODULE.n holds: cause, module, n. */
#define HANDLER_DIES(module, n) AL_CAUSE_KERNEL, MODULE_FAULT, 3
#define HANDLER_FAULTS          AL_CAUSE_KERNEL, MODULE_FAULT, 2
/* Who knows of which MODULE.n it died then. */
#define HANDLER_DETAIL(record) (al_task_self()->detail)

#define MAGIC 0x6d697375u

/* Outlives the restarts. */
static struct {
    uint32_t magic;
    uint32_t at; /* the row that runs */
    struct {
        uint8_t right;
        uint8_t cause, module, number; /* 0: came back */
    } of[128];
} book __attribute__((section(".noinit.test")));

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
    struct al_period period;
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

static const struct {
    const char *name;
    void (*run)(void);
    uint32_t of; /* MODULE.n; 0: none */
    uint8_t cause, module, number;
} rows[] = {
#define ROW(function, ...) {#function, AL_CONCAT(run_, __LINE__), __VA_ARGS__},
#define DIES(function, module, n, ...) \
  ROW(function, MODULE_##module << 8 | n, HANDLER_DIES(module, n))
#define BACK(function, ...)   ROW(function, 0, 0, 0, 0)
#define FAULTS(function, ...) ROW(function, 0, HANDLER_FAULTS)
#include "misuse_in_handlers.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
AL_STATIC_ASSERT(ROWS <= sizeof(book.of) / sizeof(book.of[0]), "room for them");

static void note(uint32_t cause, uint32_t module, uint32_t number, bool right)
{
    uint32_t at = book.at;

    book.of[at].cause = (uint8_t)cause;
    book.of[at].module = (uint8_t)module;
    book.of[at].number = (uint8_t)number;
    book.of[at].right = right && prepared && cause == rows[at].cause &&
                        module == rows[at].module && number == rows[at].number;
    book.at++;
}

void board_start(void)
{
}

AL_NORETURN void board_stop(void)
{
    struct al_crash_record record = {.cause = 0};
    bool found = al_crash_read(al_crash_count(), &record) == AL_OK;
    const uint32_t *why = HANDLER_DETAIL(&record);

    note(record.cause, record.detail[0], record.detail[1],
            found && record.task[0] == 'v' &&
                    (rows[book.at].of == 0 ||
                            (why[0] << 8 | why[1]) == rows[book.at].of));
    al_reset();
}

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

static void in_handler(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    rows[book.at].run();
}

static void tell(void)
{
    for (unsigned n = 0; n < ROWS; n++) {
        CHECK(book.of[n].right, "row %u, %s: %u: %u.%u", n, rows[n].name,
                (unsigned)book.of[n].cause, (unsigned)book.of[n].module,
                (unsigned)book.of[n].number);
    }
    book.magic = 0;
    test_done();
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
    if (book.magic != MAGIC || book.at > ROWS) {
        book.magic = MAGIC;
        book.at = 0;
    }
    if (book.at < ROWS) {
        prepare();
    }
    while (book.at < ROWS) {
        uint32_t before = sum();

        rig_pend(0, in_handler);
        note(0, 0, 0,
                rig_check() == NULL && al_mutex_is_mine(&held) &&
                        before == sum());
    }
    tell();
}
