/* SPDX-License-Identifier: MIT */
/*
 * A task in C++ dies twice, two calls deep, with objects in both frames and a
 * registered scope between them. Ends with status 0 if each destructor ran
 * once per start, in order with the scope, innermost first.
 */
#include <alula/alula.h>

#include <board.h>

static al_sem settled = AL_SEM_INIT(0, 5);
static volatile int starts;
static volatile char order[16];
static volatile int noted;

static void note(char what)
{
    if (noted < 15) {
        order[noted] = what;
        noted = noted + 1;
    }
}

struct guard {
    char name;
    ~guard()
    {
        note(name);
    }
};

static void note_scope(void *)
{
    note('s');
}

__attribute__((noinline)) static void inner()
{
    guard g{'i'};

    if (starts < 3) {
        al_panic("test");
    }
}

static void victim_main()
{
    starts = starts + 1;
    guard g{'o'};
    AL_DEFER(note_scope, nullptr);
    inner();
    al_sem_give(&settled);
    al_sleep(1000000);
}

AL_TASK(victim, victim_main, 5, 1024);

static void judge_main()
{
    static const char expected[] = "isoisoi";

    al_sem_take(&settled);
    for (int i = 0; i < 7; i++) {
        if (order[i] != expected[i]) {
            board_exit(10 + i);
        }
    }
    board_exit(noted == 7 && al_crash_count() == 2 ? 0 : 1);
}

AL_TASK(judge, judge_main, 6, 1024);
