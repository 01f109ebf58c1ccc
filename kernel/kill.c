/* SPDX-License-Identifier: MIT */
/*
 * Deaths from outside.
 *
 *     lives -> doomed -> dying -> restarted, or ended
 *
 * A task that waits is taken out of its wait and dies where it stands. Any
 * other may be in the middle of a call of the kernel, or of a library: it is
 * let go on with a limit that no stack pointer satisfies, so that its next
 * stack check finds it, at an exact point.
 *
 * Doomed tasks, and all that are dying, stand in a ring. As long as somebody is
 * in it, a timer looks at each of them once a tick, in the switch exception,
 * where the limit register of the interrupted task is in place: one task a
 * step. Who waits by then is killed at that wait; who has not died within the
 * grace, or whose cleanup has not come back within it, is stopped where it is.
 * Ticks in which others ran do not count.
 *
 * What is kept per task beside its link lies where it is not needed at that
 * time: of a doomed task in recover_sp, of a dying one in words of its crash
 * record that are written last.
 *
 * Not here: what recovery does (recover.c).
 */
#include "kill.h"

#include "arch.h"
#include "core/wait.h"
#include "panic.h"
#include "recover.h"
#include "sched.h"
#include "softlock.h"
#include "task.h"
#include "time.h"

/* Times the grace that a task is not stopped in a cleanup without a frame: a
 * short one that is called again and again is not there each time. */
#define PATIENCE 8u

static struct {
    struct al_task *last; /* of the ring; its link is the first; NULL: empty */
    uint32_t count;       /* members of the ring */
    uint32_t left;        /* of them, to be looked at in this tick */
    struct al_timer_node timer;
    bool timed; /* the timer is in the tree: whenever the ring has members, and
                   until the next tick */
} kill __attribute__((section(".bss.alula.state")));

/* Has it died, and not been started again? */
static bool is_dying(const struct al_task *task)
{
    return task->crash != NULL || task->state == AL_TASK_RECOVERING;
}

/* ---- the ring ---- */

static void timer_start_held(al_time when)
{
    kill.timer.when = when;
    kill.timer.kind = AL_KIND_KILL;
    kill.timed = true;
    time_insert_held(&kill.timer);
}

static void enlist_held(struct al_task *task)
{
    task->flags |= AL_FLAG_DOOMED;
    if (task->doomed != NULL) {
        return; /* it was about to leave */
    }
    kill.count++;
    if (kill.last == NULL) {
        kill.last = task;
        task->doomed = task;
    }
    task->doomed = kill.last->doomed;
    kill.last->doomed = task;
    kill.last = task;
    if (!kill.timed) {
        timer_start_held(time_now() + 1);
    }
}

/* The first member leaves. */
static void delist_first_held(void)
{
    struct al_task *first = kill.last->doomed;

    kill.count--;
    kill.last->doomed = first->doomed;
    first->doomed = NULL;
    if (kill.last == first) {
        kill.last = NULL;
    }
}

/* ---- a death from outside ---- */

/* Takes a task out of its wait; false: it has been served, or will be. */
static bool leave_wait_held(struct al_task *task)
{
    if (!time_cancel_wait_held(task)) {
        return false;
    }
    if (task->waitq != NULL) {
        wait_remove_held(task); /* a wait that never has a deadline */
    }
    kill_arch_at_wait(task);
    sched_wake_held(task);
    return true;
}

static void doom_held(struct al_task *task)
{
    if (task->state == AL_TASK_WAITING && leave_wait_held(task)) {
        return;
    }
    kill_arch_at_check(task);
}

static void unsuspend_held(struct al_task *task)
{
    if ((task->flags & AL_FLAG_SUSPENDED) == 0) {
        return;
    }
    task->flags &= (uint8_t)~AL_FLAG_SUSPENDED;
    if (sched_is_ready(task)) {
        sched_insert_held(task);
    }
}

void kill_held(struct al_task *task, const struct kill_reason *reason)
{
    unsuspend_held(task);
    if (is_dying(task) || (task->flags & AL_FLAG_DOOMED) != 0) {
        return;
    }
    task->cause = reason->cause;
    task->detail[0] = reason->detail[0];
    task->detail[1] = reason->detail[1];
    task->text = reason->text;
    task->recover_sp = (uint32_t)time_now();
    enlist_held(task);
    doom_held(task);
}

/* It is to end, whenever it has died. */
static void end_held(struct al_task *task)
{
    task->flags |= AL_FLAG_END;
    if (task->state == AL_TASK_HELD_BACK) {
        sched_wake_held(task);
    }
}

al_status al_task_kill(struct al_task_id id, enum al_kill how)
{
    struct al_task *self = al_core.current;
    struct kill_reason reason = {
            AL_CAUSE_KILLED, {(uint32_t)how, 0}, self->def->name};
    struct al_task *task;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(TASK, 3, task_id_is_sane(id));
    CALLER_MUST(TASK, 7, (uint32_t)how <= AL_KILL_END);
    softlock_take();
    if (!task_id_lives(id)) {
        softlock_leave();
        return AL_E_STALE;
    }
    task = task_instance(id.task);
    if (how == AL_KILL_END) {
        end_held(task);
    }
    if (task == self) {
        softlock_leave();
        recover_panic(AL_CAUSE_KILLED, (uint32_t)how, 0, reason.text);
    }
    kill_held(task, &reason);
    return softlock_leave_and_switch(AL_OK);
}

/* ---- once a tick ---- */

/* The cleanup that runs, or is waited in, is given up. */
static void abandon_held(struct al_task *task)
{
    if (task->state == AL_TASK_WAITING) {
        (void)leave_wait_held(task);
    } else {
        (void)kill_arch_here(task, false);
    }
}

/* Where recovery stands, in a word: it changes with each piece of user code. */
static uint32_t progress_of(const struct al_task *task)
{
    return (uint32_t)(uintptr_t)task->scopes + task->crash->nested +
           (task->crash->pc_count << 16);
}

/* Could it have gone on in this tick? If others ran, its grace does not run. */
static bool had_its_turn(const struct al_task *task)
{
    return task == al_core.current || task->state == AL_TASK_WAITING;
}

static void look_at_dying_held(struct al_task *task, uint32_t now)
{
    struct al_crash_record *record = task->crash;
    uint32_t progress;

    if (record == NULL || task->phase == RECOVER_DONE) {
        return; /* it is about to have one, or has had it */
    }
    progress = progress_of(task);
    if ((task->phase & RECOVER_USER) == 0 || record->checksum != progress) {
        record->checksum = progress;
        record->heap_left = now;
    } else if (!had_its_turn(task)) {
        record->heap_left += record->heap_left != now;
    } else if (now - record->heap_left >= AL_CFG_KILL_GRACE) {
        abandon_held(task);
    }
}

static void look_at_doomed_held(struct al_task *task, uint32_t now)
{
    uint32_t since = now - (uint32_t)task->recover_sp;

    doom_held(task);
    if (!had_its_turn(task)) {
        task->recover_sp += since != 0;
    } else if (since >= AL_CFG_KILL_GRACE) {
        (void)kill_arch_here(task, since < PATIENCE * AL_CFG_KILL_GRACE);
    }
}

static void look_at_first_held(uint32_t now)
{
    struct al_task *first = kill.last->doomed;

    if ((first->flags & AL_FLAG_DOOMED) == 0) {
        delist_first_held();
        return;
    }
    if (is_dying(first)) {
        look_at_dying_held(first, now);
    } else {
        look_at_doomed_held(first, now);
    }
    kill.last = first;
}

void kill_expired_held(struct al_timer_node *timer)
{
    al_time now = time_now();

    if (!kill_arch_in_switch()) {
        /* Still due: with something on the inbox the clock goes on there. */
        softlock_irq_post(&al_resched_post);
        time_insert_held(timer);
        return;
    }
    if (timer->kind != AL_KIND_KILL) {
        if (guard_expired_held != NULL) {
            guard_expired_held(timer);
        }
        return;
    }
    kill.timed = false;
    if (kill.left == 0) {
        kill.left = kill.count;
    }
    if (kill.last != NULL) {
        look_at_first_held((uint32_t)now);
        kill.left--;
    }
    if (kill.last == NULL) {
        kill.left = 0;
        return;
    }
    timer_start_held(kill.left != 0 ? now : now + 1);
}

/* ---- recovery and the end ---- */

void kill_begins(struct al_task *self)
{
    softlock_take();
    self->crash->checksum = progress_of(self);
    self->crash->heap_left = (uint32_t)time_now();
    enlist_held(self);
    softlock_leave();
}

void kill_is_over(struct al_task *self)
{
    if (guard_forget != NULL) {
        guard_forget(self);
    }
    softlock_take();
    if ((self->flags & AL_FLAG_END) != 0) {
        softlock_leave();
        task_end();
    }
    /* Killed again, perhaps, since its record was closed: it lives anew. */
    self->flags &= (uint8_t)~AL_FLAG_DOOMED;
    self->limit = task_limit(self->def);
    self->cause = AL_CAUSE_NONE;
    self->text = NULL;
    softlock_leave();
}

/* One step: whoever is first leaves, or becomes the last. */
static bool has_left_held(const struct al_task *self)
{
    struct al_task *first;

    if (self->doomed == NULL) {
        return true;
    }
    first = kill.last->doomed;
    if ((first->flags & AL_FLAG_DOOMED) == 0) {
        delist_first_held();
    } else {
        kill.last = first;
    }
    return self->doomed == NULL;
}

void kill_ends_held(struct al_task *self)
{
    if (guard_forget != NULL) {
        softlock_leave();
        guard_forget(self);
        softlock_take();
    }
    self->flags &= (uint8_t)~AL_FLAG_DOOMED;
    while (!has_left_held(self)) {
        softlock_leave();
        softlock_take();
    }
}
