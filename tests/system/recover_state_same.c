/* SPDX-License-Identifier: MIT */
/*
 * Claim: a death leaves no trace in the kernel. Whatever a task died of, and
 * whatever it held, kernel state, control blocks and the heap's structure are,
 * when the task waits again, byte for byte what they were, but for the fields
 * named in `named`, each of which has the value that it must have.
 *
 * For each cause x {no scope, mutex, heap, two nested defers, FPU in use and
 * kept over a switch, FPU state pending a lazy save}:
 *  1. the victim waits; a picture is taken
 *  2. it opens its scopes and dies; it waits again; a picture is taken
 *  3. the pictures agree but for the named fields
 *  4. the victim does a healthy round; another task's FPU registers and its
 *     rounding mode are still its own; the victim's begin anew
 *
 * Fails if: recovery leaves a queue, a count, a lock, a mask or a priority
 * behind, or FPU state of one task reaches another.
 * boards: stm32f405 mps2-an386; builds: gcc-Os-small gcc-Og gcc-O2 gcc-Os clang-O2
 * sources: ../support/recover.c ../support/causes.c
 * flags: -fsanitize=bounds -fno-sanitize-recover=all
 */
#include <stddef.h>

#include "causes.h"

extern uint8_t __al_state_low[];
extern uint8_t __al_state_high[];
extern uint8_t __al_tasks_low[];
extern uint8_t __al_tasks_high[];
extern uint8_t __al_heap_low[];
extern uint8_t __al_heap_high[];

extern struct al_task judge;

/* The clock, as kernel/time.c lays it out. It is found by what is in it. */
struct clock_words {
    al_time count[2];
    uint32_t index;
    uint32_t expiry;
    uint32_t tree;
    struct al_post post;
    uint32_t due; /* the counter at the next tick */
};

static struct clock_words *clock;

/* NULL when a tick comes in between. */
static struct clock_words *find_clock(void)
{
    uint8_t *at = __al_state_low;

    for (; at + sizeof(struct clock_words) <= __al_state_high; at += 8) {
        struct clock_words *here = (struct clock_words *)(void *)at;
        al_time now = al_now();

        if (now > 1 && here->count[here->index & 1] == now &&
                here->count[~here->index & 1] == now - 1 &&
                here->index == (uint32_t)now) {
            return here;
        }
    }
    return NULL;
}

/* --- pictures --- */

#define PICTURE_BYTES 3072u

struct picture {
    uint8_t bytes[PICTURE_BYTES]; /* state, then tasks */
    uint32_t heap;                /* of headers, links and footers */
    size_t used;
};

static struct picture before;
static struct picture after;

static uint32_t state_bytes(void)
{
    return (uint32_t)(__al_state_high - __al_state_low);
}

static uint32_t tasks_bytes(void)
{
    return (uint32_t)(__al_tasks_high - __al_tasks_low);
}

static uint32_t mix(uint32_t sum, uint32_t word)
{
    return (sum << 5 | sum >> 27) ^ word * 0x9e3779b1u;
}

/* Headers of all blocks; of free ones the links and the footer as well. */
static uint32_t heap_sum(void)
{
    uintptr_t at = ((uintptr_t)__al_heap_low + 7) & ~(uintptr_t)7;
    uint32_t sum = 0;

    for (;;) {
        const uint32_t *header = (const uint32_t *)at;
        uint32_t payload = header[0] & ~7u;

        sum = mix(mix(mix(sum, (uint32_t)at), header[0]), header[1]);
        if (payload == 0) {
            return sum;
        }
        if ((header[0] & 1) != 0) {
            sum = mix(mix(mix(sum, header[2]), header[3]),
                    header[1 + payload / 4]);
        }
        at += 8 + payload;
    }
}

static void take(struct picture *picture)
{
    uint32_t n = 0;

    for (const uint8_t *p = __al_state_low; p < __al_state_high; p++) {
        picture->bytes[n++] = *(const volatile uint8_t *)p;
    }
    for (const uint8_t *p = __al_tasks_low; p < __al_tasks_high; p++) {
        picture->bytes[n++] = *(const volatile uint8_t *)p;
    }
    picture->heap = heap_sum();
    picture->used = rig_heap_used();
}

/* --- what may differ --- */

struct seen {
    const struct cause *cause;
    const struct al_task *was;
    const struct al_task *is;
    const struct clock_words *clock_was;
    const struct clock_words *clock_is;
};

static bool one_more_generation(const struct seen *s)
{
    return s->is->generation == s->was->generation + 1;
}

static bool one_more_restart(const struct seen *s)
{
    return s->is->restarts == s->was->restarts + 1;
}

static bool time_passed(const struct seen *s)
{
    const struct clock_words *is = s->clock_is;

    return is->count[is->index & 1] <= al_now() &&
           is->count[is->index & 1] >=
                   s->clock_was->count[s->clock_was->index & 1];
}

static bool done_with_recovery(const struct seen *s)
{
    return s->is->phase == 4 && s->is->state == AL_TASK_WAITING;
}

static bool in_the_stack(const struct seen *s)
{
    return s->is->recover_sp >= s->is->stack_low &&
           s->is->recover_sp <= s->is->stack_high;
}

/* Left from the death, until the next. */
static bool as_the_record_says(const struct seen *s)
{
    const struct arch_death *death = &s->is->death;
    bool fault = s->cause->fault_status != 0;

    return death->trap_pc == rig_record.pc && death->psr == rig_record.psr &&
           death->cfsr == rig_record.fault_status &&
           (!fault || death->trap == ARCH_TRAP_FAULT ||
                   death->trap == ARCH_TRAP_STACK);
}

static bool details_of_a_panic(const struct seen *s)
{
    bool panic = s->is->death.trap == ARCH_TRAP_PANIC;
    const uint32_t *expected = panic ? rig_record.detail : s->was->detail;

    return s->is->detail[0] == expected[0] && s->is->detail[1] == expected[1];
}

/* Stale while it runs: it lies where it last gave way. */
static bool in_the_judges_stack(const struct seen *s)
{
    (void)s;
    return (uintptr_t)judge.sp >= judge.stack_low &&
           (uintptr_t)judge.sp < judge.stack_high;
}

#define OF(task, field) &task.field, sizeof(task.field)
/* A bit field, behind the state. */
#define PHASE(task) &task.state + 1, 1

/* The one place that names what a death may change in the kernel. */
static const struct {
    const char *name;
    const void *at; /* NULL: the clock */
    size_t bytes;
    bool (*holds)(const struct seen *);
} named[] = {
        {"time", NULL, sizeof(struct clock_words), time_passed},
        {"generation", OF(rig_victim, generation), one_more_generation},
        {"restarts", OF(rig_victim, restarts), one_more_restart},
        {"phase", PHASE(rig_victim), done_with_recovery},
        {"recover_sp", OF(rig_victim, recover_sp), in_the_stack},
        {"death", OF(rig_victim, death), as_the_record_says},
        {"detail", OF(rig_victim, detail), details_of_a_panic},
        {"judge.sp", OF(judge, sp), in_the_judges_stack},
};

#define NAMED (sizeof(named) / sizeof(named[0]))

static const uint8_t *address_of(uint32_t offset)
{
    return offset < state_bytes() ? __al_state_low + offset
                                  : __al_tasks_low + (offset - state_bytes());
}

static bool is_named(const uint8_t *at)
{
    for (uint32_t i = 0; i < NAMED; i++) {
        const uint8_t *low =
                named[i].at != NULL ? named[i].at : (const uint8_t *)clock;

        if (at >= low && at < low + named[i].bytes) {
            return true;
        }
    }
    return false;
}

static const void *was(const void *now)
{
    const uint8_t *at = now;
    uint32_t offset = at >= __al_state_low && at < __al_state_high
                              ? (uint32_t)(at - __al_state_low)
                              : (uint32_t)(at - __al_tasks_low) + state_bytes();

    return before.bytes + offset;
}

static void compare(const struct cause *cause, const char *scopes)
{
    struct al_task victim_was;
    struct al_task victim_is = rig_victim;
    struct clock_words clock_was;
    struct clock_words clock_is = *clock;
    struct seen seen = {cause, &victim_was, &victim_is, &clock_was, &clock_is};
    uint32_t differs = 0;
    uintptr_t first = 0;

    __builtin_memcpy(&victim_was, was(&rig_victim), sizeof(victim_was));
    __builtin_memcpy(&clock_was, was(clock), sizeof(clock_was));
    for (uint32_t i = 0; i < state_bytes() + tasks_bytes(); i++) {
        if (before.bytes[i] != after.bytes[i] && !is_named(address_of(i))) {
            differs++;
            first = first != 0 ? first : (uintptr_t)address_of(i);
        }
    }
    CHECK(differs == 0, "%s, %s: %d bytes differ, first at %x", cause->name,
            scopes, (int)differs, (unsigned)first);
    for (uint32_t i = 0; i < NAMED; i++) {
        CHECK(named[i].holds(&seen), "%s, %s: %s", cause->name, scopes,
                named[i].name);
    }
    CHECK(before.heap == after.heap && before.used == after.used,
            "%s, %s: the heap's structure", cause->name, scopes);
}

/* --- scopes --- */

static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_sem pause_sem = AL_SEM_INIT(0, 1);
static void (*volatile die)(void);

static void no_scope(void)
{
    die();
}

static void with_mutex(void)
{
    al_status status;
    AL_LOCK_SCOPED(&mutex, status);

    (void)status;
    die();
}

static void with_heap(void)
{
    AL_HEAP_SCOPED(block, 200);
    AL_HEAP_SCOPED(other, 24);

    if (block != NULL && other != NULL) {
        die();
    }
}

static void with_defers(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    RIG_SCOPE(inner, rig_mark, RIG_MARK('b'));
    die();
}

static volatile uint32_t fpscr_at_first; /* of the victim's present life */

static uint32_t read_fpscr(void)
{
    uint32_t fpscr;

    __asm__ volatile("vmrs %0, fpscr" : "=r"(fpscr));
    return fpscr;
}

#define ROUND_MASK 0x03c00000u /* AHP is bit 26: DN, FZ, RMode here */
#define ROUND_DOWN 0x00800000u
#define ROUND_UP   0x00400000u
#define FLUSH_NAN  0x03000000u

/* Registers of each kind get another value than the keeper's. */
static void spoil_fpu(void)
{
    uint32_t fpscr;

    if (al_task_self() == &rig_victim) {
        fpscr_at_first = read_fpscr() & ROUND_MASK;
    }
    fpscr = ROUND_UP | FLUSH_NAN;
    __asm__ volatile(
            "vmsr fpscr, %0\n\t"
            "vmov s0, %1\n\tvmov s1, %1\n\tvmov s8, %1\n\tvmov s15, %1\n\t"
            "vmov s16, %1\n\tvmov s17, %1\n\tvmov s20, %1\n\tvmov s24, %1\n\t"
            "vmov s28, %1\n\tvmov s30, %1\n\tvmov s31, %1"
            :
            : "r"(fpscr), "r"(0xdeadbeefu)
            : "s0", "s1", "s8", "s15", "s16", "s17", "s20", "s24", "s28", "s30",
            "s31");
}

/* More urgent than the victim, with FPU state of its own. */
static void pauser_main(void)
{
    for (;;) {
        al_sem_take(&pause_sem);
        spoil_fpu();
    }
}

AL_TASK(pauser, pauser_main, RIG_PRIO + 1, 1024);

/* Its FPU state has been through a switch before it dies. */
static void with_fpu(void)
{
    spoil_fpu();
    (void)al_sem_give(&pause_sem);
    die();
}

/* The exception of its death finds it in the registers. */
static void with_lazy_fpu(void)
{
    spoil_fpu();
    die();
}

static void healthy(void)
{
    spoil_fpu();
    with_mutex();
    with_heap();
    with_defers();
}

static void nothing(void)
{
}

static const struct {
    const char *name;
    void (*body)(void);
    uint32_t scopes;
} kinds[] = {
        {"no scope", no_scope, 0},
        {"mutex", with_mutex, 1},
        {"heap", with_heap, 2},
        {"defers", with_defers, 2},
        {"fpu", with_fpu, 0},
        {"lazy fpu", with_lazy_fpu, 0},
};

/* --- another task's FPU state --- */

static volatile uint32_t kept;
static volatile uint32_t lost;

/* Holds a value of its own in registers of each kind, preempted anywhere. */
static void keeper_main(void)
{
    uint32_t fpscr = ROUND_DOWN;

    __asm__ volatile(
            "vmsr fpscr, %0\n"
            "vmov s0, %1\n\tvmov s1, %1\n\tvmov s8, %1\n\tvmov s15, %1\n\t"
            "vmov s16, %1\n\tvmov s17, %1\n\tvmov s20, %1\n\tvmov s24, %1\n\t"
            "vmov s28, %1\n\tvmov s30, %1\n\tvmov s31, %1\n"
            "1:\n\t"
            "vmov r3, s0\n\tcmp r3, %1\n\tbne 2f\n\t"
            "vmov r3, s1\n\tcmp r3, %1\n\tbne 2f\n\t"
            "vmov r3, s8\n\tcmp r3, %1\n\tbne 2f\n\t"
            "vmov r3, s15\n\tcmp r3, %1\n\tbne 2f\n\t"
            "vmov r3, s16\n\tcmp r3, %1\n\tbne 2f\n\t"
            "vmov r3, s17\n\tcmp r3, %1\n\tbne 2f\n\t"
            "vmov r3, s20\n\tcmp r3, %1\n\tbne 2f\n\t"
            "vmov r3, s24\n\tcmp r3, %1\n\tbne 2f\n\t"
            "vmov r3, s28\n\tcmp r3, %1\n\tbne 2f\n\t"
            "vmov r3, s30\n\tcmp r3, %1\n\tbne 2f\n\t"
            "vmov r3, s31\n\tcmp r3, %1\n\tbne 2f\n\t"
            "vmrs r3, fpscr\n\tand r3, r3, #0x03c00000\n\tcmp r3, %0\n\t"
            "bne 2f\n\t"
            "ldr r3, [%2]\n\tadds r3, #1\n\tstr r3, [%2]\n\tb 1b\n"
            "2:\n\tldr r3, [%3]\n\tadds r3, #1\n\tstr r3, [%3]\n\tb 1b"
            :
            : "r"(fpscr), "r"(0x12345678u), "r"(&kept), "r"(&lost)
            : "r3", "memory", "cc", "s0", "s1", "s8", "s15", "s16", "s17",
            "s20", "s24", "s28", "s30", "s31");
}

AL_TASK(keeper, keeper_main, 3, 1024);

static void cell(const struct cause *cause, uint32_t k)
{
    uint32_t starts = rig_starts;
    uint32_t returns = rig_returns;
    uint32_t kept_before = kept;
    uint32_t deaths;

    die = cause->die;
    take(&before);
    deaths = rig_run(kinds[k].body);
    take(&after);
    CHECK(deaths == 1 && rig_record.cause == cause->cause, "%s, %s: cause %d",
            cause->name, kinds[k].name, (int)rig_record.cause);
    CHECK(rig_record.scopes_undone == kinds[k].scopes &&
                    rig_record.heap_left == 0 && rig_record.nested == 0,
            "%s, %s: undone %d", cause->name, kinds[k].name,
            (int)rig_record.scopes_undone);
    compare(cause, kinds[k].name);
    die = nothing;
    CHECK(rig_run(healthy) == 0 && rig_starts == starts + 1 &&
                    rig_returns == returns + 1,
            "%s, %s: runs again", cause->name, kinds[k].name);
    CHECK(fpscr_at_first == 0, "%s, %s: rounding mode of the new life %x",
            cause->name, kinds[k].name, (unsigned)fpscr_at_first);
    (void)rig_run(cause_panic); /* so that the next cell begins anew */
    al_sleep(2);
    CHECK(kept > kept_before && lost == 0, "%s, %s: the keeper's registers",
            cause->name, kinds[k].name);
}

static void judge_main(void)
{
    al_sleep(3);
    for (int i = 0; i < 3 && clock == NULL; i++) {
        clock = find_clock();
    }
    CHECK(clock != NULL, "the clock is found");
    CHECK(state_bytes() + tasks_bytes() <= PICTURE_BYTES, "pictures fit");
    die = nothing; /* every task has been everywhere once */
    (void)rig_run(with_fpu);
    (void)rig_run(cause_panic);
    for (uint32_t i = 0; i < causes_count; i++) {
        for (uint32_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            cell(&causes[i], k);
        }
    }
    test_done();
}

AL_TASK(judge, judge_main, 4, 4096);
