/* SPDX-License-Identifier: MIT */
#include "kill.h"

#include <alula/alula.h>

#include "outcome.h"
#include "port.h"
#include "report.h"
#include "words.h"

/* The first of that name; NULL: there is none. */
static struct al_task *find(struct word name)
{
    struct al_task_info info;

    for (struct al_task *task = al_task_next(NULL); task != NULL;
            task = al_task_next(task)) {
        al_task_read(task, &info);
        if (word_is(name, info.name)) {
            return task;
        }
    }
    return NULL;
}

/* All that this console has are more urgent than the task that runs commands,
 * and so have died and started again when al_task_kill() comes back. */
static void kill_other(struct al_task *task)
{
    struct al_task_info before;
    struct al_task_info after;
    uint32_t counts;
    al_status status;

    al_task_read(task, &before);
    say("Kills %s, which waits: it dies there, with what it held given back.\n",
            before.name);
    counts = outcome_counter();
    status = al_task_kill(al_task_id_of(task), AL_KILL_RESTART);
    counts = outcome_counter() - counts;
    report_new_crashes();
    al_task_read(task, &after);
    if (status != AL_OK) {
        say("al_task_kill() says %s\n", al_status_name(status));
    } else if (after.restarts != before.restarts + 1) {
        report_wrong("it has not started again");
    } else {
        say("%s has started again, %u instructions after the kill.\n",
                after.name, (unsigned)outcome_insns(counts));
    }
}

void kill_command(const char *rest)
{
    struct word name = word_next(&rest);
    struct al_task *task;

    if (name.length == 0 || !word_none(rest)) {
        say("kill takes the name of a task: kill reader; ps lists them\n");
        return;
    }
    task = find(name);
    if (task == NULL) {
        say("no task has that name; ps lists them\n");
        return;
    }
    if (task != al_task_self()) {
        kill_other(task);
        return;
    }
    say("Kills this very task, which runs commands.\n");
    outcome_mark();
    (void)al_task_kill(al_task_id_self(), AL_KILL_RESTART);
}
