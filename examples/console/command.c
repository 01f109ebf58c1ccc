/* SPDX-License-Identifier: MIT */
#include "command.h"

#include <alula/alula.h>

#include <fmt.h>

#include "crashers.h"
#include "port.h"
#include "report.h"

#define STACK_BYTES 2048

static struct al_sem ready = AL_SEM_INIT(0, 1);
static struct al_sem given = AL_SEM_INIT(0, 1);
static const char *given_line; /* the reader's while ready, then this task's */

enum argument {
    NO_ARGUMENT,
    BYTES,
    BYTES_OR_NONE
};

struct command {
    const char *name;
    enum argument argument;
    void (*run)(void);
    void (*run_bytes)(uint32_t bytes); /* when there is an argument */
    const char *help;
};

static void say_help(void);

static void end_tour(void)
{
    port_end(report_tour() ? 0 : 1);
}

static const struct command commands[] = {
        {"help", NO_ARGUMENT, say_help, NULL, "this list"},
        {"ps", NO_ARGUMENT, report_ps, NULL, "the tasks"},
        {"overflow", BYTES_OR_NONE, crash_overflow_endless, crash_overflow,
                "[N] recursion: endless, or N bytes in calls of 64"},
        {"vla", BYTES, NULL, crash_vla, "N   one variable array of N bytes"},
        {"null", NO_ARGUMENT, crash_null, NULL, "read through a null pointer"},
        {"bus", NO_ARGUMENT, crash_bus, NULL, "read where nothing answers"},
        {"undef", NO_ARGUMENT, crash_undef, NULL, "an undefined instruction"},
        {"div0", NO_ARGUMENT, crash_div0, NULL, "divide by zero"},
        {"align", NO_ARGUMENT, crash_align, NULL, "LDM at an odd address"},
        {"oob", NO_ARGUMENT, crash_oob, NULL, "an index out of bounds"},
        {"assert", NO_ARGUMENT, crash_assert, NULL, "an assertion that fails"},
        {"lock", NO_ARGUMENT, crash_lock, NULL,
                "die holding a mutex and a scoped allocation"},
        {"crashes", NO_ARGUMENT, report_crashes, NULL, "the crash records"},
        {"locks", NO_ARGUMENT, report_locks, NULL, "the console's mutexes"},
        {"heap", NO_ARGUMENT, report_heap, NULL, "the heap"},
        {"stats", NO_ARGUMENT, report_stats, NULL,
                "the 1 kHz task's deadlines"},
        {"uptime", NO_ARGUMENT, report_uptime, NULL, "time since the start"},
        {"tour", NO_ARGUMENT, end_tour, NULL, "sum up and end"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void say_help(void)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        say("%-9s %s\n", commands[i].name, commands[i].help);
    }
    say("# ...     a remark\n");
}

/* Cuts the next word off `*at`; an empty one at the end. */
static const char *next_word(const char **at, size_t *length)
{
    const char *word = *at;
    const char *end;

    while (*word == ' ') {
        word++;
    }
    end = word;
    while (*end != ' ' && *end != '\0') {
        end++;
    }
    *length = (size_t)(end - word);
    *at = end;
    return word;
}

static bool is_word(const char *word, size_t length, const char *name)
{
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '\0' || name[i] != word[i]) {
            return false;
        }
    }
    return name[length] == '\0';
}

/* 0..15, or 16 for what is no digit. */
static uint32_t digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0');
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10u : 16u;
}

/* A whole number of 32 bits, decimal or 0x and hexadecimal; false if not. */
static bool read_number(const char *word, size_t length, uint32_t *number)
{
    uint32_t base = 10;
    uint64_t value = 0;
    size_t i = 0;

    if (length > 2 && word[0] == '0' && (word[1] | 0x20) == 'x') {
        base = 16;
        i = 2;
    }
    for (; i < length; i++) {
        uint32_t digit = digit_value(word[i]);

        if (digit >= base) {
            return false;
        }
        value = value * base + digit;
        if (value > UINT32_MAX) {
            return false;
        }
    }
    *number = (uint32_t)value;
    return length > 0;
}

static void run_with_bytes(
        const struct command *command, const char *word, size_t length)
{
    uint32_t bytes;

    if (!read_number(word, length, &bytes)) {
        say("%s takes a number of bytes, 0 to 4294967295 (or 0x...): %s 4096\n",
                command->name, command->name);
        return;
    }
    command->run_bytes(bytes);
    say("fits\n");
}

static void run_command(const struct command *command, const char *rest)
{
    size_t length;
    size_t more;
    const char *word = next_word(&rest, &length);

    (void)next_word(&rest, &more);
    if (more > 0 || (length > 0 && command->argument == NO_ARGUMENT)) {
        say("%s takes %s; help lists the commands\n", command->name,
                command->argument == NO_ARGUMENT ? "no argument"
                                                 : "one number");
        return;
    }
    if (length > 0 || command->argument == BYTES) {
        run_with_bytes(command, word, length);
        return;
    }
    command->run();
}

static void run_line(const char *line)
{
    size_t length;
    const char *word = next_word(&line, &length);

    if (length == 0 || word[0] == '#') {
        return;
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (is_word(word, length, commands[i].name)) {
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
    for (;;) {
        (void)al_sem_give(&ready);
        al_sem_take(&given);
        run_line(given_line);
    }
}

/* Each death is one that somebody typed: no limit to restarts. */
static const struct al_restart_policy as_often_as_it_takes = {
        .budget = UINT16_MAX,
};

AL_TASK_POLICY(command, command_run, 8, STACK_BYTES, &as_often_as_it_takes);
