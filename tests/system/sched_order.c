/* SPDX-License-Identifier: MIT */
/*
 * Claim: the most urgent ready task runs; equals take turns in the order in
 * which they became ready; a preempted task keeps its place before them.
 *   1. tasks of three priorities and of one, released at once by a more urgent
 *      task: they run by priority, equals in the order of their release
 *   2. al_yield() goes round among equals, never to a less urgent task, and
 *      comes back at once where there is no equal
 *   3. a task that is preempted by a more urgent one, and by one that yields,
 *      goes on before an equal that became ready meanwhile
 *   4. a task whose entry returns stops for good, and nobody else does
 * Fails if: a woken task goes to the head of its level, a preempted one to the
 * tail, or the ready map keeps the bit of an empty level.
 * builds: gcc-O2 gcc-O0 clang-O2
 */
#include <alula/alula.h>

#include "journal.h"
#include "test.h"

static struct al_sem go[6] = {AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1),
        AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1),
        AL_SEM_INIT(0, 1)};
static volatile unsigned rounds; /* times that each notes and yields */
static struct al_sem high_go = AL_SEM_INIT(0, 1);
static volatile int high_wakes; /* whom high releases: its index, or none */

static void worker(unsigned n)
{
    for (;;) {
        al_sem_take(&go[n]);
        for (unsigned i = 0; i < rounds; i++) {
            journal_note((char)('a' + n));
            al_yield();
        }
    }
}

static void a_main(void)
{
    worker(0);
}

static void b_main(void)
{
    worker(1);
}

static void c_main(void)
{
    worker(2);
}

static void d_main(void)
{
    worker(3);
}

static void e_main(void)
{
    worker(4);
}

/* Notes, releases high, which preempts it, and notes again. */
static void f_main(void)
{
    for (;;) {
        al_sem_take(&go[5]);
        journal_note('f');
        al_sem_give(&high_go);
        journal_note('F');
        al_yield();
        journal_note('f');
    }
}

AL_TASK(a, a_main, 5, 1024);
AL_TASK(b, b_main, 5, 1024);
AL_TASK(c, c_main, 5, 1024);
AL_TASK(d, d_main, 3, 1024);
AL_TASK(e, e_main, 8, 1024);
AL_TASK(f, f_main, 5, 1024);

static void high_main(void)
{
    for (;;) {
        al_sem_take(&high_go);
        journal_note('H');
        if (high_wakes >= 0) {
            al_sem_give(&go[(unsigned)high_wakes]);
        }
        al_yield();
        journal_note('h');
    }
}

AL_TASK(high, high_main, 10, 1024);

static void ends_main(void)
{
    journal_note('!');
}

AL_TASK(ends, ends_main, 31, 1024);

static void release(const char *order)
{
    journal_clear();
    for (; *order != '\0'; order++) {
        al_sem_give(&go[*order - 'a']);
    }
    al_sleep(2);
}

static void judge_main(void)
{
    struct al_task_info info;

    al_sleep(1);
    CHECK(journal_is("!"), "a task of the highest priority ran first");
    al_task_read(&ends, &info);
    CHECK(info.state == AL_TASK_STOPPED && info.restarts == 0,
            "an entry that returns stops its task");

    rounds = 1;
    release("dcaeb");
    CHECK(journal_is("ecabd"), "by priority, equals by arrival: %s", journal());
    release("bac");
    CHECK(journal_is("bac"), "another order of arrival: %s", journal());
    rounds = 3;
    release("abc");
    CHECK(journal_is("abcabcabc"), "yield goes round: %s", journal());
    release("ad");
    CHECK(journal_is("aaaddd"), "not to a less urgent task: %s", journal());
    release("ade");
    CHECK(journal_is("eeeaaaddd"), "nor from a more urgent one: %s", journal());

    rounds = 1;
    high_wakes = 0;
    release("fb");
    /* f, preempted by high, goes on before b, which came before a. */
    CHECK(journal_is("fHhFbaf"), "a preempted task keeps its place: %s",
            journal());
    high_wakes = -1;
    release("f");
    CHECK(journal_is("fHhFf"), "alone as well: %s", journal());
    test_done();
}

AL_TASK(judge, judge_main, 20, 2048);
