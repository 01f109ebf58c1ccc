/* SPDX-License-Identifier: MIT */
/*
 * Claim: a waiting queue serves the most urgent first and equals in the order
 * of their arrival, whoever leaves from wherever it stands.
 *   1. random entries, departures and heads of 40 tasks on 6 priorities in two
 *      queues, against a sorted array
 *   2. after each step: rings closed, each ring of one priority, the list of
 *      rings strictly falling, every ring_link points to what points to it
 * Fails if: an entry goes to the front of its ring, or the heir of a ring's
 * first is not linked in.
 * sources: -Itests/unit/host lib/core/wait.c
 */
#include "core/wait.h"

#include "host/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TASKS  40
#define QUEUES 2
#define PRIOS  6
#define STEPS  200000

bool host_in_handler;

struct model {
    struct al_task *order[TASKS]; /* as they will be served */
    unsigned count;
};

static struct al_task tasks[TASKS];
static struct al_waitq queues[QUEUES];
static struct model models[QUEUES];

static void model_insert(struct model *model, struct al_task *task)
{
    unsigned at = 0;

    while (at < model->count && model->order[at]->prio >= task->prio) {
        at++;
    }
    memmove(&model->order[at + 1], &model->order[at],
            (model->count - at) * sizeof(model->order[0]));
    model->order[at] = task;
    model->count++;
}

static void model_remove(struct model *model, const struct al_task *task)
{
    unsigned at = 0;

    while (model->order[at] != task) {
        at++;
    }
    model->count--;
    memmove(&model->order[at], &model->order[at + 1],
            (model->count - at) * sizeof(model->order[0]));
}

static void compare(struct al_waitq *queue, const struct model *model)
{
    unsigned at = 0;
    struct al_task **link = &queue->head;

    for (struct al_task *first = *link; first != NULL; first = *link) {
        struct al_task *task = first;

        assert_ptr_equal(first->ring_link, link);
        do {
            assert_true(at < model->count);
            assert_ptr_equal(task, model->order[at]);
            assert_int_equal(task->prio, first->prio);
            assert_ptr_equal(task->next->prev, task);
            assert_ptr_equal(task->waitq, queue);
            assert_true(task == first || task->ring_link == NULL);
            at++;
            task = task->next;
        } while (task != first);
        link = &first->ring_next;
        assert_true(*link == NULL || (*link)->prio < first->prio);
    }
    assert_int_equal(at, model->count);
    assert_ptr_equal(
            wait_first_held(queue), model->count > 0 ? model->order[0] : NULL);
}

static void plays_like_a_sorted_array(void **state)
{
    (void)state;
    random_start();
    for (unsigned i = 0; i < TASKS; i++) {
        tasks[i].next = &tasks[i];
        tasks[i].prev = &tasks[i];
    }
    for (unsigned step = 0; step < STEPS; step++) {
        struct al_task *task = &tasks[random_below(TASKS)];
        unsigned q = random_below(QUEUES);

        if (task->waitq == NULL) {
            task->prio = (uint8_t)random_below(PRIOS);
            wait_insert_held(&queues[q], task);
            model_insert(&models[q], task);
        } else {
            q = (unsigned)(task->waitq - queues);
            if (random_below(2) == 0) {
                task = wait_first_held(&queues[q]);
            }
            wait_remove_held(task);
            assert_null(task->waitq);
            assert_ptr_equal(task->next, task);
            assert_ptr_equal(task->prev, task);
            model_remove(&models[q], task);
        }
        compare(&queues[q], &models[q]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(plays_like_a_sorted_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
