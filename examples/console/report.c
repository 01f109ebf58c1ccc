/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <alula/alula.h>

#include <board.h>
#include <fmt.h>

#include "crashers.h"
#include "guests.h"
#include "kept.h"
#include "periodic.h"
#include "port.h"

/* The ring holds fewer; what is gone is skipped. */
#define CRASHES_SHOWN 64u

/* Of a record's psr: the exception, of which the first are the processor's. */
#define EXCEPTION  0x1ffu
#define FIRST_LINE 16u

static const struct {
    const char *name;
    struct al_mutex *mutex;
} locks[] = {
        {"port", &port_lock},
        {"vault", &vault_lock},
};

#define LOCKS (sizeof locks / sizeof locks[0])

static struct {
    bool done;
    size_t heap_used;   /* at the start */
    uint32_t told;      /* sequence number of the newest crash printed */
    uint32_t wrong;     /* commands that did not end as they should */
    struct kept before; /* of the lives before the last `reset` */
} begin;

static void say_reset(void)
{
    struct al_crash_record record;
    uint32_t newest = al_crash_count();
    unsigned kept = 0;

    for (uint32_t at = 1; at <= newest; at++) {
        kept += al_crash_read(at, &record) == AL_OK;
    }
    say("The board was reset by a command. From before: %u periods, %u "
        "deadlines missed; %u crash records, the newest of crash %u.\n",
            (unsigned)begin.before.periods, (unsigned)begin.before.missed, kept,
            (unsigned)newest);
}

void report_begin(void)
{
    struct al_heap_info heap;

    if (begin.done) {
        return;
    }
    begin.done = true;
    al_heap_read(&heap);
    begin.heap_used = heap.used_bytes;
    begin.told = al_crash_count();
    say("Alula on %s. Crash it: help lists the commands.\n", BOARD_NAME);
    if (kept_read(&begin.before) && begin.before.first_crash <= begin.told) {
        say_reset();
    } else {
        begin.before = (struct kept){.first_crash = begin.told};
    }
}

void report_wrong(const char *what)
{
    begin.wrong++;
    say("Not as it should be: %s.\n", what);
}

/* The panics of this console begin with the command's name and a colon. */
static size_t length_to_colon(const char *text)
{
    size_t i = 0;

    while (text[i] != '\0' && text[i] != ':') {
        i++;
    }
    return text[i] == ':' ? i : 0;
}

/* For the compiler's checks the record holds the source's path and line. */
static void say_place(const struct al_crash_record *r, const char *text)
{
    if (text != NULL) {
        const char *name = text;

        for (; *text != '\0'; text++) {
            if (*text == '/') {
                name = text + 1;
            }
        }
        say("%s:%u", name, (unsigned)r->detail[0]);
    } else {
        say("at 0x%08x", (unsigned)r->pc);
    }
}

static void say_detail(const struct al_crash_record *r, const char *text)
{
    switch ((enum al_cause)r->cause) {
    case AL_CAUSE_OVERFLOW:
        say("no room for the frame of the function at 0x%08x, %u calls deep",
                (unsigned)r->pc, (unsigned)r->pc_count);
        break;
    case AL_CAUSE_VLA:
        say("no room for a variable frame, ");
        say_place(r, text);
        break;
    case AL_CAUSE_NULL:
    case AL_CAUSE_ACCESS:
    case AL_CAUSE_BUS:
        say("address 0x%08x, ", (unsigned)r->fault_address);
        say_place(r, text);
        break;
    case AL_CAUSE_OOB:
        say("index %u, ", (unsigned)r->detail[1]);
        say_place(r, text);
        break;
    case AL_CAUSE_CALLER:
        say("wrong call, module %u rule %u, at 0x%08x", (unsigned)r->detail[0],
                (unsigned)r->detail[1], (unsigned)r->pc);
        break;
    case AL_CAUSE_KERNEL:
        say("the kernel stopped, module %u rule %u, at 0x%08x",
                (unsigned)r->detail[0], (unsigned)r->detail[1],
                (unsigned)r->pc);
        break;
    case AL_CAUSE_INTERRUPT:
        say("line %u has no handler, and is disabled", (unsigned)r->detail[0]);
        break;
    case AL_CAUSE_STORM:
        say("line %u is disabled, its handler died too often",
                (unsigned)r->detail[0]);
        break;
    case AL_CAUSE_KILLED:
        say("by %s", text != NULL ? text : "a task of another image");
        break;
    case AL_CAUSE_DEADLINE:
    case AL_CAUSE_BUDGET:
    case AL_CAUSE_WATCHDOG:
        say("it broke a promise of %u ms, at 0x%08x", (unsigned)r->detail[0],
                (unsigned)r->pc);
        break;
    case AL_CAUSE_ASSERT:
    case AL_CAUSE_PANIC:
        say("%s", text != NULL ? text : "in another image");
        break;
    default:
        say_place(r, text);
    }
}

/* The task, or the handler, that died. */
static void name_dead(char *name, size_t bytes, const struct al_crash_record *r)
{
    uint32_t exception = r->psr & EXCEPTION;

    if (exception >= FIRST_LINE) {
        fmt_print(name, bytes, "irq%u", (unsigned)(exception - FIRST_LINE));
    } else {
        fmt_print(name, bytes, "%s", r->task);
    }
}

static void say_crash(const struct al_crash_record *r)
{
    const char *text = al_crash_text(r);
    char dead[sizeof r->task + 1];
    char cause[16];
    size_t named = 0;

    name_dead(dead, sizeof dead, r);
    fmt_print(cause, sizeof cause, "%s", al_cause_name(r->cause));
    if (r->cause == AL_CAUSE_PANIC && text != NULL) {
        named = length_to_colon(text);
    }
    if (named > 0 && named < sizeof cause) {
        fmt_print(cause, named + 1, "%s", text);
        text += named + 1;
        text += *text == ' ';
    }
    say("crash %u: %s: %s: ", (unsigned)r->sequence, dead, cause);
    say_detail(r, text);
    if (r->scopes_undone > 0) {
        say(", %u scopes undone", (unsigned)r->scopes_undone);
    }
    if (r->heap_left > 0) {
        say(", %u bytes left behind", (unsigned)r->heap_left);
    }
    say("\n");
}

/* Prints the records from `sequence` on; returns the newest one's number. */
static uint32_t say_crashes_from(uint32_t sequence)
{
    struct al_crash_record record;
    uint32_t newest = al_crash_count();

    for (; sequence <= newest; sequence++) {
        if (al_crash_read(sequence, &record) == AL_OK) {
            say_crash(&record);
        }
    }
    return newest;
}

void report_new_crashes(void)
{
    begin.told = say_crashes_from(begin.told + 1);
}

void report_crashes(void)
{
    uint32_t newest = al_crash_count();

    if (newest == 0) {
        say("no crash since power-up\n");
        return;
    }
    say_crashes_from(newest > CRASHES_SHOWN ? newest - CRASHES_SHOWN + 1 : 1);
}

static const char *state_name(
        const struct al_task *task, enum al_task_state state)
{
    if (task == al_task_self()) {
        return "running";
    }
    switch (state) {
    case AL_TASK_READY:
        return "ready";
    case AL_TASK_WAITING:
        return "waiting";
    case AL_TASK_HELD_BACK:
        return "held back";
    case AL_TASK_STOPPED:
        return "stopped";
    case AL_TASK_SUSPENDED:
        return "suspended";
    case AL_TASK_RECOVERING:
        return "recovering";
    }
    return "?";
}

void report_ps(void)
{
    struct al_task_info info;

    say("task      prio  state       stack used  limit  restarts\n");
    for (struct al_task *task = al_task_next(NULL); task != NULL;
            task = al_task_next(task)) {
        al_task_read(task, &info);
        say("%-8s  %4u  %-10s  %10u  %5u  %8u\n", info.name,
                (unsigned)info.prio, state_name(task, info.state),
                (unsigned)info.stack_used, (unsigned)info.stack_limit,
                (unsigned)info.restarts);
    }
}

/* What is counted in this image: see AL_CFG_STAT_RUNTIME and its like. */
static void say_statistics(const struct al_task_info *info)
{
    if (AL_CFG_STAT_RUNTIME) {
        say("  %8u us",
                (unsigned)(info->run_counts / (BOARD_COUNTER_HZ / 1000000u)));
    }
    if (AL_CFG_STAT_STACK) {
        say("  peak %5u", (unsigned)info->stack_peak);
    }
    if (AL_CFG_STAT_DEADLINES) {
        say("  missed %5u", (unsigned)info->missed);
    }
    say("\n");
}

void report_top(void)
{
    struct al_task_info info;

    say("task      prio  own  state       starts  heap bytes  mutexes held\n");
    for (struct al_task *task = al_task_next(NULL); task != NULL;
            task = al_task_next(task)) {
        al_task_read(task, &info);
        say("%-8s  %4u  %3u  %-10s  %6u  %10u  %12u", info.name,
                (unsigned)info.prio, (unsigned)info.base_prio,
                state_name(task, info.state), (unsigned)info.generation,
                (unsigned)info.heap_bytes, (unsigned)info.mutexes);
        say_statistics(&info);
    }
}

/* Whose last holder died and nobody healed it since: only a holder may ask. */
static bool is_poisoned(struct al_mutex *mutex)
{
    al_status status = al_mutex_try_lock(mutex);

    if (status == AL_E_BUSY) {
        return false;
    }
    al_mutex_unlock(mutex);
    return status == AL_E_POISONED;
}

void report_locks(void)
{
    for (size_t i = 0; i < LOCKS; i++) {
        const char *state = "free";

        if (al_mutex_is_held(locks[i].mutex)) {
            state = "held";
        } else if (is_poisoned(locks[i].mutex)) {
            state = "free; its last holder died with it";
        }
        say("%-6s  %s\n", locks[i].name, state);
    }
}

void report_heap(void)
{
    struct al_heap_info heap;

    al_heap_read(&heap);
    say("heap: %u of %u bytes in use, %u blocks, largest free block %u\n",
            (unsigned)heap.used_bytes, (unsigned)heap.total_bytes,
            (unsigned)heap.blocks, (unsigned)heap.largest_bytes);
}

void report_stats(void)
{
    struct periodic_stats stats;

    periodic_read(&stats);
    say("stats: %u periods, %u deadlines missed, jitter %u insns\n",
            (unsigned)stats.periods, (unsigned)stats.missed,
            (unsigned)stats.jitter_insns);
    if (begin.before.resets > 0) {
        say("before %u resets: %u periods, %u deadlines missed\n",
                (unsigned)begin.before.resets, (unsigned)begin.before.periods,
                (unsigned)begin.before.missed);
    }
}

void report_uptime(void)
{
    al_time ms = al_now();

    say("uptime: %llu.%03u s\n", (unsigned long long)(ms / 1000u),
            (unsigned)(ms % 1000u));
}

/* What was counted up to now, in all the board's lives. */
static void sum_up(struct kept *sum)
{
    struct periodic_stats stats;
    struct al_heap_info heap;

    periodic_read(&stats);
    al_heap_read(&heap);
    *sum = begin.before;
    sum->periods += stats.periods;
    sum->missed += stats.missed;
    sum->leaked +=
            (uint32_t)(heap.used_bytes - begin.heap_used - guests_kept_bytes());
    sum->wrong += begin.wrong;
    for (size_t i = 0; i < LOCKS; i++) {
        sum->held += al_mutex_is_held(locks[i].mutex);
    }
}

void report_reset(void)
{
    struct kept sum;

    sum_up(&sum);
    sum.resets++;
    kept_write(&sum);
}

bool report_tour(void)
{
    struct kept sum;
    uint32_t crashes;

    sum_up(&sum);
    crashes = al_crash_count() - sum.first_crash;
    if (sum.resets > 0) {
        report_stats();
    }
    say("tour: %u crashes survived, %u periods, %u deadlines missed, "
        "%d bytes leaked, %u locks left\n",
            (unsigned)crashes, (unsigned)sum.periods, (unsigned)sum.missed,
            (int)sum.leaked, (unsigned)sum.held);
    return crashes > 0 && sum.missed == 0 && sum.leaked == 0 && sum.held == 0 &&
           sum.wrong == 0;
}
