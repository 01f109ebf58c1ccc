/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <alula/alula.h>

#include <fmt.h>

#include "channel.h"
#include "crashers.h"
#include "ends.h"
#include "guests.h"
#include "interrupts.h"
#include "kill.h"
#include "outcome.h"
#include "port.h"
#include "report.h"
#include "restarts.h"
#include "semaphore.h"
#include "timers.h"
#include "words.h"

#define STACK_BYTES 2048
#define SUM_UP_MS   20u

static struct al_sem ready = AL_SEM_INIT(0, 1);
static struct al_sem given = AL_SEM_INIT(0, 1);
static const char *given_line; /* the reader's while ready, then this task's */

enum argument {
    NO_ARGUMENT,
    BYTES,
    BYTES_OR_NONE,
    WORDS
};

struct command {
    const char *name;
    enum argument argument;
    void (*run)(void);
    void (*run_bytes)(uint32_t bytes); /* when there is an argument */
    const char *help;
    void (*run_words)(const char *rest); /* WORDS: whatever was typed */
    const char *will; /* said first; NULL: it has its own words, or none */
};

static void say_help(void);

void command_end_objects(void)
{
    guests_end();
    semaphore_end();
    channel_end();
    timers_end();
}

static void end_tour(void)
{
    command_end_objects();
    /* What the last command did to deadlines is to be in the sum. */
    al_sleep(SUM_UP_MS);
    port_end(report_tour() ? 0 : 1);
}

static const struct command commands[] = {
        {"help", NO_ARGUMENT, say_help, NULL, "this list"},
        {"ps", NO_ARGUMENT, report_ps, NULL, "the tasks"},
        {"overflow", BYTES_OR_NONE, crash_overflow_endless, crash_overflow,
                "[N] recursion: endless, or N bytes in calls of 64", NULL,
                "Takes stack, 64 bytes a call."},
        {"vla", BYTES, NULL, crash_vla, "N   one variable array of N bytes",
                NULL, "Takes stack, all of it at once."},
        {"null", NO_ARGUMENT, crash_null, NULL, "read through a null pointer",
                NULL, "Reads through a null pointer."},
        {"bus", NO_ARGUMENT, crash_bus, NULL, "read where nothing answers",
                NULL, "Reads where no memory and no device answers."},
        {"undef", NO_ARGUMENT, crash_undef, NULL, "an undefined instruction",
                NULL, "Executes an undefined instruction."},
        {"div0", NO_ARGUMENT, crash_div0, NULL, "divide by zero", NULL,
                "Divides by zero."},
        {"align", NO_ARGUMENT, crash_align, NULL, "LDM at an odd address", NULL,
                "Loads several words from an odd address."},
        {"oob", NO_ARGUMENT, crash_oob, NULL, "an index out of bounds", NULL,
                "Reads element 11 of 8."},
        {"assert", NO_ARGUMENT, crash_assert, NULL, "an assertion that fails",
                NULL, "Asserts that 41 is 42."},
        {"lock", NO_ARGUMENT, crash_lock, NULL,
                "die holding a mutex and a scoped allocation", NULL,
                "Takes a mutex and 200 bytes of the heap, and panics."},
        {"spin", NO_ARGUMENT, crash_spin, NULL,
                "loop for ever, until the task's watchdog bites", NULL,
                "Promises a sign of life every 20 ms, and loops for ever."},
        {"oom", NO_ARGUMENT, crash_oom, NULL, "use up the heap, and die of it",
                NULL,
                "Takes the heap, block by block, and panics when it is empty."},
        {"kill", WORDS, NULL, NULL, "NAME: any task, at whatever it does",
                kill_command},
        {"irq", NO_ARGUMENT, interrupts_die, NULL,
                "a null pointer in an interrupt handler"},
        {"irq-overflow", NO_ARGUMENT, interrupts_overflow, NULL,
                "recursion in an interrupt handler"},
        {"irq-storm", NO_ARGUMENT, interrupts_storm, NULL,
                "a handler that dies each time"},
        {"nested", NO_ARGUMENT, interrupts_nested, NULL,
                "three nested handlers, of which two die"},
        {"crashes", NO_ARGUMENT, report_crashes, NULL, "the crash records"},
        {"locks", NO_ARGUMENT, report_locks, NULL, "the console's mutexes"},
        {"heap", NO_ARGUMENT, report_heap, NULL, "the heap"},
        {"stats", NO_ARGUMENT, report_stats, NULL,
                "the 1 kHz task's deadlines"},
        {"spawn", WORDS, NULL, NULL,
                "N | list | crash | end: tasks at run time", guests_command},
        {"sem", WORDS, NULL, NULL,
                "make UNITS MAX | give | take MS | wait MS [PRIO] | end",
                semaphore_command},
        {"chan", WORDS, NULL, NULL,
                "make | send NUMBER | recv MS | wait MS | close | end",
                channel_command},
        {"timers", WORDS, NULL, NULL,
                "start N MS [PERIOD] | stop N | crash N: software timers",
                timers_command},
        {"top", NO_ARGUMENT, report_top, NULL, "the tasks, and what they use"},
        {"uptime", NO_ARGUMENT, report_uptime, NULL, "time since the start"},
        {"tour", NO_ARGUMENT, end_tour, NULL, "sum up and end"},
        {"reset", NO_ARGUMENT, ends_reset, NULL,
                "restart the board; it comes back here"},
        {"stop", NO_ARGUMENT, ends_stop, NULL,
                "damage the kernel, until it stops the board"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void say_help(void)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        say("%-12s %s\n", commands[i].name, commands[i].help);
    }
    say("# ...        a remark\n");
}

static void say_will(const struct command *command)
{
    if (command->will != NULL) {
        say("%s\n", command->will);
        outcome_mark();
    }
}

static void run_with_bytes(const struct command *command, struct word word)
{
    uint32_t bytes;

    if (!word_number(word, &bytes)) {
        say("%s takes a number of bytes, 0 to 4294967295 (or 0x...): %s 4096\n",
                command->name, command->name);
        return;
    }
    say_will(command);
    AL_STACK_CALLS(commands);
    command->run_bytes(bytes);
    say("fits\n");
}

static void run_command(const struct command *command, const char *rest)
{
    struct word word;

    if (command->argument == WORDS) {
        AL_STACK_CALLS(commands);
        command->run_words(rest);
        return;
    }
    word = word_next(&rest);
    if (!word_none(rest) ||
            (word.length > 0 && command->argument == NO_ARGUMENT)) {
        say("%s takes %s; help lists the commands\n", command->name,
                command->argument == NO_ARGUMENT ? "no argument"
                                                 : "one number");
        return;
    }
    if (word.length > 0 || command->argument == BYTES) {
        run_with_bytes(command, word);
        return;
    }
    say_will(command);
    AL_STACK_CALLS(commands);
    command->run();
}

static void run_line(const char *line)
{
    struct word word = word_next(&line);

    if (word.length == 0 || word.text[0] == '#') {
        return;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (word_is(word, commands[i].name)) {
            run_command(&commands[i], line);
            return;
        }
    }
    say("no such command; help lists them\n");
}

void command_await(void)
{
    al_sem_take(&ready);
}

void command_submit(const char *line)
{
    given_line = line;
    (void)al_sem_give(&given);
}

/* Starts here, and starts again here when a command killed it. */
static void command_run(void)
{
    outcome_start();
    for (;;) {
        (void)al_sem_give(&ready);
        al_sem_take(&given);
        outcome_begin();
        run_line(given_line);
        outcome_end();
    }
}

const struct al_restart_policy as_often_as_it_takes = {
        .budget = UINT16_MAX,
};

AL_TASK_POLICY(command, command_run, 8, STACK_BYTES, &as_often_as_it_takes);
/* It is told to overflow its stack. */
AL_STACK_RUNTIME(command);
