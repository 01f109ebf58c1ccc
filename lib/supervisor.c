/* SPDX-License-Identifier: MIT */
/*
 * Supervisors, on top of the kernel's API. A member's entry is
 * __al_supervised_start(): each life begins there, and a life that follows a
 * death that nobody has dealt with deals with it.
 *
 *     died -> [counted -> decided -> others killed] -> all dead -> its function
 *     killed for the group -----------------------------^
 *
 * One lock for all groups. Whoever dies while holding it comes back here with
 * a new death; what it had done by then is whole, since a member is marked
 * before it is killed, and a death is counted before anything follows from it.
 *
 * Members are found among the image's tasks by their entry: no list is kept.
 *
 * Checked code, not a part of the kernel, hence names without its prefix.
 *
 * Not here: landing pads, scopes: each member's own death sees to them.
 */
#include <alula/supervisor.h>

#include <alula/crash.h>
#include <alula/mutex.h>
#include <alula/panic.h>
#include <alula/time.h>

#define NOT_A_MEMBER UINT32_MAX

const struct al_restart_policy al_restart_supervised = {.budget = UINT16_MAX};

static struct {
    struct al_mutex lock;
    struct al_crash_record record; /* under the lock: too long for a stack */
} supervisors = {.lock = AL_MUTEX_INIT};

/* NULL: it is not supervised. */
static const struct al_supervised *supervised(const struct al_task *task)
{
    if (task->def->entry != __al_supervised_start) {
        return NULL;
    }
    return (const struct al_supervised *)task->def->args;
}

/* The place of a task, or of its group, or of that one's, among the members of
 * `group`. */
static uint32_t order_in(
        const struct al_supervised *member, const struct al_supervisor *group)
{
    const struct al_supervisor *at = member->supervisor;
    uint32_t order = member->order;

    while (at != NULL && at != group) {
        order = at->order;
        at = at->parent;
    }
    return at == NULL ? NOT_A_MEMBER : order;
}

/* Records keep the first characters of a name. */
static bool is_named(const struct al_crash_record *record, const char *name)
{
    for (uint32_t i = 0; i < sizeof(record->task); i++) {
        if (record->task[i] != name[i]) {
            return false;
        }
        if (name[i] == '\0') {
            return true;
        }
    }
    return true;
}

/* What the newest record of that life says. */
static uint32_t cause_of(const struct al_task *task, uint32_t generation)
{
    struct al_crash_record *record = &supervisors.record;

    for (uint32_t n = al_crash_count(); n > 0; n--) {
        if (al_crash_read(n, record) != AL_OK) {
            return AL_CAUSE_NONE;
        }
        if (record->generation == generation &&
                is_named(record, task->def->name)) {
            return record->cause;
        }
    }
    return AL_CAUSE_NONE;
}

/* false: one too many. */
static bool count_death(struct al_supervisor *group)
{
    al_time now = al_now();

    if (group->deaths == 0 || now - group->window_start >= group->window) {
        group->window_start = now;
        group->deaths = 0;
    }
    group->deaths++;
    return group->deaths <= group->budget;
}

static enum al_verdict ask(struct al_death *death)
{
    if (!count_death(death->supervisor)) {
        return AL_VERDICT_ESCALATE;
    }
    death->deaths = death->supervisor->deaths;
    if (death->supervisor->decide == NULL) {
        return AL_VERDICT_STRATEGY;
    }
    return death->supervisor->decide(death);
}

static bool is_hit(const struct al_supervisor *group, uint32_t order,
        uint32_t died, enum al_verdict verdict)
{
    if (order == NOT_A_MEMBER) {
        return false;
    }
    if (verdict != AL_VERDICT_STRATEGY) {
        return order == died;
    }
    switch ((enum al_strategy)group->strategy) {
    case AL_ONE_FOR_ONE:
        return order == died;
    case AL_ONE_FOR_ALL:
        return true;
    case AL_REST_FOR_ONE:
        return order >= died;
    }
    return true;
}

/* Marked first: a more urgent one is back before the kill returns. */
static void kill_member(
        struct al_task *task, struct al_supervisor *group, enum al_kill how)
{
    struct al_supervised_state *state = supervised(task)->state;

    state->by = group;
    if (al_task_kill(al_task_id_of(task), how) == AL_E_STALE) {
        state->by = NULL;
    }
}

/* Everybody but the caller, who has died already. */
static void kill_hit(
        struct al_supervisor *group, uint32_t died, enum al_verdict verdict)
{
    enum al_kill how =
            verdict == AL_VERDICT_END ? AL_KILL_END : AL_KILL_RESTART;

    for (struct al_task *task = al_task_next(NULL); task != NULL;
            task = al_task_next(task)) {
        const struct al_supervised *member = supervised(task);

        if (member != NULL && task != al_task_id_self().task &&
                is_hit(group, order_in(member, group), died, verdict)) {
            kill_member(task, group, how);
        }
    }
}

/* Its last life's end: count, decide, kill. false: the caller is to end. */
static bool deal_with(
        const struct al_supervised *member, struct al_supervisor **by)
{
    struct al_task *self = al_task_id_self().task;
    uint32_t generation = al_task_self()->generation - 1;
    uint32_t order = member->order;
    struct al_death death = {self, member->supervisor, NULL,
            cause_of(self, generation), generation, 0};
    enum al_verdict verdict;

    for (;;) {
        verdict = ask(&death);
        if (verdict != AL_VERDICT_ESCALATE) {
            break;
        }
        if (death.supervisor->parent == NULL) {
            al_reset();
        }
        death.supervisor->deaths = 0; /* the group begins anew */
        order = death.supervisor->order;
        death.group = death.supervisor;
        death.supervisor = death.supervisor->parent;
    }
    *by = death.supervisor;
    kill_hit(death.supervisor, order, verdict);
    return verdict != AL_VERDICT_END;
}

/* What this life has to do with the end of the last one; `by`: with whom it
 * begins together; NULL: with nobody. */
static bool settle(
        const struct al_supervised *member, struct al_supervisor **by)
{
    struct al_supervised_state *state = member->state;
    bool lives = true;
    al_status status;

    AL_LOCK_SCOPED(&supervisors.lock, status);
    if (status == AL_E_POISONED) {
        al_mutex_heal(&supervisors.lock);
    }
    *by = state->by;
    if (*by == NULL) {
        lives = deal_with(member, by);
    }
    state->by = NULL;
    return lives;
}

static bool is_dead(const struct al_task *task)
{
    struct al_task_info info;

    al_task_read(task, &info);
    return info.state == AL_TASK_HELD_BACK || info.state == AL_TASK_STOPPED;
}

/* Does somebody live who was killed by that group, and is to die? */
static bool somebody_lives(const struct al_supervisor *by)
{
    for (struct al_task *task = al_task_next(NULL); task != NULL;
            task = al_task_next(task)) {
        const struct al_supervised *member = supervised(task);

        if (member != NULL &&
                *(struct al_supervisor *volatile *)&member->state->by == by &&
                !is_dead(task)) {
            return true;
        }
    }
    return false;
}

void __al_supervised_start(void *args)
{
    const struct al_supervised *member = supervised(al_task_self());
    struct al_supervisor *by = NULL;

    (void)args;
    if (al_task_self()->generation != 1 && !settle(member, &by)) {
        return;
    }
    while (by != NULL && somebody_lives(by)) {
        al_sleep(1);
    }
    member->function();
}
