/* SPDX-License-Identifier: MIT */
/*
 * Three lines that nothing else raises, each more urgent than the one before.
 * The first one's handler does what it is told to; those of the others always
 * die, in `nested`. Orders are volatile: who gives and who takes them are not
 * one thread of control.
 *
 * Every command raises the line once more at its end: a sentence about what the
 * line does now is one that was tried.
 */
#include "interrupts.h"

#include <alula/alula.h>

#include <board.h>

#include "periodic.h"
#include "port.h"
#include "report.h"

#define LEVELS      3u
#define BLOCK_WORDS 80u
#define STORM_MOST  250u /* deaths: above what AL_CFG_IRQ_DEATHS may be */

/* The Software Trigger Interrupt Register, ARM DDI 0403E, section B3.4.10. */
#define STIR (*(volatile uint32_t *)0xe000ef00u)

enum order {
    RETURN,
    READ_NULL,
    RECURSE,
    PANIC,
    RAISE_NEXT
};

static volatile enum order order; /* to the first one's handler */

static struct level {
    uint32_t line;
    al_prio prio;
    volatile uint32_t came; /* handlers that began */
    volatile uint32_t went; /* and came to their end */
} levels[LEVELS] = {
        {.line = BOARD_SPARE_0_LINE, .prio = AL_PRIO_IRQ(1)},
        {.line = BOARD_SPARE_1_LINE, .prio = AL_PRIO_IRQ(3)},
        {.line = BOARD_SPARE_2_LINE, .prio = AL_PRIO_IRQ(5)},
};

static volatile uint32_t storms; /* lines disabled */

void al_irq_storm_hook(uint32_t line)
{
    (void)line;
    storms++;
}

/* Its handler has run, or was not let, when this comes back. */
static void raise_line(uint32_t line)
{
    STIR = line;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

/* Calls itself through a pointer: the link, which sums up what nested handlers
 * need, is not to provide for it. */
static uint32_t recurse(uint32_t depth);
static uint32_t (*const volatile deeper)(uint32_t) = recurse;

static uint32_t recurse(uint32_t depth)
{
    volatile uint32_t block[BLOCK_WORDS];

    block[depth % BLOCK_WORDS] = depth;
    return depth == 0 ? 0 : deeper(depth + 1) + block[depth % BLOCK_WORDS];
}

static void read_null(void)
{
    static const volatile uint32_t *const volatile nowhere = NULL;

    (void)*nowhere;
}

/* The vectors' names are macros of the board, to be expanded first. */
#define HANDLER(vector) AL_IRQ(vector)

HANDLER(BOARD_SPARE_0_HANDLER)
{
    levels[0].came++;
    switch (order) {
    case RETURN:
        break;
    case READ_NULL:
        read_null();
        break;
    case RECURSE:
        (void)deeper(1);
        break;
    case PANIC:
        al_panic("told to die");
    case RAISE_NEXT:
        raise_line(levels[1].line);
        break;
    }
    levels[0].went++;
}

HANDLER(BOARD_SPARE_1_HANDLER)
{
    levels[1].came++;
    raise_line(levels[2].line);
    al_panic("told to die");
}

HANDLER(BOARD_SPARE_2_HANDLER)
{
    levels[2].came++;
    read_null();
    levels[2].went++;
}

/* Enables the line anew, which also forgets how often its handler has died; one
 * that came while it was disabled is handled first. */
static void prepare(struct level *level)
{
    order = RETURN;
    al_irq_enable(level->line, level->prio);
    level->came = 0;
    level->went = 0;
}

static bool died(const struct level *level)
{
    return level->came == 1 && level->went == 0;
}

/* The first line's next interrupt. */
static bool is_handled(void)
{
    order = RETURN;
    levels[0].came = 0;
    levels[0].went = 0;
    raise_line(levels[0].line);
    return levels[0].came == 1 && levels[0].went == 1;
}

static void die_by(enum order given)
{
    unsigned line = levels[0].line;

    prepare(&levels[0]);
    order = given;
    raise_line(line);
    report_new_crashes();
    if (!died(&levels[0])) {
        report_wrong("its handler did not die");
    } else if (!is_handled()) {
        report_wrong("the next interrupt was not handled");
    } else {
        say("Only that handler ended: the task that it interrupted goes on, the "
            "next interrupt of line %u was handled.\n",
                line);
    }
}

void interrupts_die(void)
{
    say("Raises interrupt %u; its handler reads through a null pointer.\n",
            (unsigned)levels[0].line);
    die_by(READ_NULL);
}

void interrupts_overflow(void)
{
    say("Raises interrupt %u; its handler calls itself until the interrupt "
        "stack is full.\n",
            (unsigned)levels[0].line);
    /* That stack is everybody's: the next release finds it as it was. */
    periodic_await();
    die_by(RECURSE);
}

void interrupts_nested(void)
{
    unsigned line[LEVELS];

    for (unsigned n = 0; n < LEVELS; n++) {
        prepare(&levels[n]);
        line[n] = levels[n].line;
    }
    order = RAISE_NEXT;
    say("Interrupt %u is interrupted by %u, and that by %u: the innermost "
        "handler dies, then the middle one.\n",
            line[0], line[1], line[2]);
    raise_line(line[0]);
    report_new_crashes();
    if (!died(&levels[2]) || !died(&levels[1])) {
        report_wrong("a handler did not die");
    } else if (levels[0].came != 1 || levels[0].went != 1) {
        report_wrong("the outermost handler did not come to its end");
    } else {
        say("Two of three nested handlers ended; the outermost, %u, went on to "
            "its end, and so did the task.\n",
                line[0]);
    }
}

void interrupts_storm(void)
{
    struct level *level = &levels[0];
    unsigned line = level->line;
    uint32_t before = storms;
    unsigned deaths = 0;

    say("Raises interrupt %u again and again; its handler dies each time.\n",
            line);
    prepare(level);
    order = PANIC;
    while (storms == before && deaths < STORM_MOST) {
        raise_line(line);
        deaths++;
        report_new_crashes();
    }
    if (storms == before || level->came != deaths) {
        report_wrong("the line is still enabled");
    } else if (is_handled()) {
        report_wrong("it is still handled");
    } else {
        say("Its %u. death within a second disabled line %u: raised once more, "
            "it is not handled. The others are.\n",
                deaths, line);
    }
    al_irq_disable(line);
}
