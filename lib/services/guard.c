/* SPDX-License-Identifier: MIT */
/*
 * Guards. Each is a timer in the stack of its task; the scope that is registered
 * before it begins takes it out again. All of them stand in a list as well, so
 * that none is left in a stack whose chain of scopes was damaged.
 *
 * What is late is found in the switch exception, as killed tasks are (kill.c): a
 * budget counts whom that exception interrupts.
 *
 * The board's watchdog is fed in rounds: a round is complete when idle was seen,
 * or all watches that there are have been fed in it. A broken one never is: as
 * long as its task has not come to its death, only idle completes a round.
 */
#include "services/guard.h"

#include "arch.h"
#include "crash.h"
#include "kill.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "time.h"

static struct {
    struct al_guard *first;
    uint32_t changes;  /* of the list */
    uint32_t watches;  /* in the list */
    uint32_t reported; /* of them, in this round */
    uint32_t round;
    uint32_t board_ticks;       /* between two looks; 0: no board's watchdog */
    uint32_t board_left;        /* until the next one */
    bool idle_seen;             /* in this round */
    struct al_timer_node board; /* each tick, if there is one */
} guards __attribute__((section(".bss.alula.state")));

static void insert_held(struct al_timer_node *node, al_time when)
{
    node->when = when;
    node->kind = AL_KIND_GUARD;
    time_insert_held(node);
}

/* ---- beginning and ending ---- */

static bool is_mine(const struct al_guard *guard)
{
    const struct al_task *self = al_core.current;
    uintptr_t at = (uintptr_t)guard;

    return at % sizeof(uintptr_t) == 0 && at >= self->stack_low &&
           at <= self->stack_high - sizeof(*guard) && guard->task == self;
}

static void begin(struct al_guard *guard, enum al_guard_kind kind,
        uint32_t ticks, uint32_t window)
{
    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(GUARD, 1, ticks - 1 < AL_GUARD_TICKS_MAX);
    CALLER_MUST(GUARD, 2, is_mine(guard) && guard->kind == AL_GUARD_NONE);
    guard->ticks = ticks;
    guard->window = window;
    guard->left = window;
    guard->used = 0;
    guard->watch = kind == AL_GUARD_WATCH;
    guard->prev = NULL;
    softlock_take();
    guard->fed = (uint32_t)time_now();
    guard->round = guards.round - 1;
    guard->kind = (uint32_t)kind;
    guards.watches += guard->watch;
    guard->next = guards.first;
    if (guards.first != NULL) {
        guards.first->prev = guard;
    }
    guards.first = guard;
    guards.changes++;
    insert_held(
            &guard->node, time_now() + (kind == AL_GUARD_BUDGET ? 1 : ticks));
    softlock_leave();
}

void al_deadline_begin(struct al_guard *guard, uint32_t ticks)
{
    begin(guard, AL_GUARD_DEADLINE, ticks, 0);
}

void al_budget_begin(struct al_guard *guard, uint32_t ticks, uint32_t window)
{
    CALLER_MUST(GUARD, 1, ticks <= window && window <= AL_GUARD_TICKS_MAX);
    begin(guard, AL_GUARD_BUDGET, ticks, window);
}

void al_watch_begin(struct al_guard *guard, uint32_t ticks)
{
    begin(guard, AL_GUARD_WATCH, ticks, 0);
}

static void end_held(struct al_guard *guard)
{
    if (guard->kind != AL_GUARD_BROKEN) {
        time_remove_held(&guard->node);
    }
    guards.watches -= guard->watch;
    guards.reported -= guard->watch != 0 && guard->round == guards.round;
    guard->kind = AL_GUARD_NONE;
    guards.changes++;
    if (guard->next != NULL) {
        guard->next->prev = guard->prev;
    }
    if (guard->prev != NULL) {
        guard->prev->next = guard->next;
    } else {
        guards.first = guard->next;
    }
}

void al_guard_end(void *memory)
{
    struct al_guard *guard = (struct al_guard *)memory;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(GUARD, 2, is_mine(guard));
    softlock_take();
    if (guard->kind != AL_GUARD_NONE) {
        end_held(guard);
    }
    softlock_leave();
}

/* A guard a step; when others come or go in between, from the beginning. */
void guard_forget(const struct al_task *self)
{
    struct al_guard *guard;
    uint32_t changes;

    softlock_take();
    guard = guards.first;
    changes = guards.changes;
    while (guard != NULL) {
        struct al_guard *next = guard->next;

        if (guard->task == self) {
            end_held(guard);
            changes++;
        }
        softlock_leave();
        softlock_take();
        guard = changes == guards.changes ? next : guards.first;
        changes = guards.changes;
    }
    softlock_leave();
}

void al_watch_feed(struct al_guard *guard)
{
    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(GUARD, 2, is_mine(guard));
    softlock_take();
    guard->fed = (uint32_t)time_now();
    if (guard->kind == AL_GUARD_WATCH && guard->round != guards.round) {
        guard->round = guards.round;
        guards.reported++;
    }
    softlock_leave();
}

/* ---- at a tick ---- */

static void break_held(struct al_guard *guard, uint32_t cause)
{
    struct kill_reason reason = {cause, {guard->ticks, guard->window}, NULL};

    guard->kind = AL_GUARD_BROKEN;
    kill_held(guard->task, &reason);
}

static void look_at_budget_held(struct al_guard *guard, al_time now)
{
    guard->used += guard->task == al_core.current;
    if (guard->used > guard->ticks) {
        break_held(guard, AL_CAUSE_BUDGET);
        return;
    }
    guard->left--;
    if (guard->left == 0) {
        guard->left = guard->window;
        guard->used = 0;
    }
    insert_held(&guard->node, now + 1);
}

static void look_at_watch_held(struct al_guard *guard, al_time now)
{
    uint32_t hungry = (uint32_t)now - guard->fed;

    if (hungry >= guard->ticks) {
        guards.reported -= guard->round == guards.round;
        guard->round = guards.round - 1;
        break_held(guard, AL_CAUSE_WATCHDOG);
        return;
    }
    insert_held(&guard->node, now + guard->ticks - hungry);
}

static void look_at_board_held(al_time now)
{
    insert_held(&guards.board, now + 1);
    guards.idle_seen |= al_core.current->base_prio == 0;
    guards.board_left--;
    if (guards.board_left != 0) {
        return;
    }
    guards.board_left = 1;
    if (guards.idle_seen ||
            (guards.watches != 0 && guards.reported == guards.watches)) {
        board_watchdog_feed();
        guards.board_left = guards.board_ticks;
        guards.idle_seen = false;
        guards.reported = 0;
        guards.round++;
    }
}

void guard_expired_held(struct al_timer_node *node)
{
    struct al_guard *guard = (struct al_guard *)(void *)node;
    al_time now = time_now();

    if (node == &guards.board) {
        look_at_board_held(now);
        return;
    }
    switch ((enum al_guard_kind)guard->kind) {
    case AL_GUARD_DEADLINE:
        break_held(guard, AL_CAUSE_DEADLINE);
        return;
    case AL_GUARD_BUDGET:
        look_at_budget_held(guard, now);
        return;
    case AL_GUARD_WATCH:
        look_at_watch_held(guard, now);
        return;
    case AL_GUARD_NONE:
    case AL_GUARD_BROKEN:
        return;
    }
}

/* ---- the board's watchdog ---- */

al_status al_board_watch(uint32_t ticks)
{
    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(GUARD, 1, ticks >= 4 && ticks <= AL_GUARD_TICKS_MAX);
    if (guards.board_ticks != 0) {
        return AL_OK;
    }
    if (ticks > UINT32_MAX / 1000 ||
            !board_watchdog_start(ticks * 1000 / AL_TICK_HZ)) {
        return AL_E_STATE;
    }
    softlock_take();
    guards.board_ticks = ticks / 4;
    guards.board_left = ticks / 4;
    insert_held(&guards.board, time_now() + 1);
    softlock_leave();
    return AL_OK;
}

void guard_board_warned(uintptr_t pc)
{
    struct al_crash_record *record = crash_open(al_core.current);

    record->cause = AL_CAUSE_WATCHDOG;
    record->detail[0] = 0;
    record->detail[1] = 0;
    record->text = 0;
    record->pc = (uint32_t)pc;
    record->pcs[0] = (uint32_t)pc;
    crash_close(record);
}
