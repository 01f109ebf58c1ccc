/* SPDX-License-Identifier: MIT */
/*
 * Claim: memory that a task has lent to a handler is its own again before
 * anybody uses it, or never used again.
 *
 *  1. done before the block ends: stop() is not called; the handler is told once
 *  2. the block ends, or the task dies, before: stop() is called once, before
 *     what was opened earlier is undone; the handler has no buffer any more
 *  3. who finds it lent ends nothing of the other's
 *  4. stop() dies with a heap block lent: the lease is lost, the block stays out
 *     of the heap, to free it is HEAP.2, the task restarts
 *  5. stop() dies with the task's own stack lent: the task ends; a stack from the
 *     heap stays out of it
 *  6. stop() does not come back, called by recovery or at the end of a block
 *     whose task is killed then: it is given up within the time that cleanups
 *     have, and what it was lent is lost as in 4; the task restarts
 *
 * Fails if: stop() comes too late, twice or not at all, or lost memory is used
 * again, or a stop() that loops holds its task for ever.
 * builds: gcc-O0 gcc-O2 gcc-Os-small clang-O2 clang-Os
 * sources: ../support/recover.c
 */
#include <alula/alula.h>

#include <board.h>

#include "../support/recover.h"

#include "test.h"

#define ISPR (*(volatile uint32_t *)0xe000e200u)

/* A line that nobody else uses, 17 on both boards: the engine. */
#define LINE 17u
#if BOARD_INSN_NS == 16
#  define ENGINE AL_IRQ(DMA1_Stream6_IRQHandler)
#else
#  define ENGINE AL_IRQ(PORT3_ALL_Handler)
#endif

static struct al_lease lease;
static struct al_lease other;
static volatile bool last;
static volatile uint32_t writes;
static volatile al_status done;
static volatile al_status status;
static void *volatile kept;

/* Writes one byte of the buffer; the last time it is done. */
ENGINE
{
    volatile char *buffer = (volatile char *)al_irq_raw_lease_buffer(&lease);

    if (buffer != NULL) {
        buffer[writes++ % 8] = 'e';
    }
    done = last ? al_irq_raw_lease_done(&lease) : AL_OK;
}

static void step(bool is_last)
{
    last = is_last;
    ISPR = 1u << LINE;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

static void stop(void *mark)
{
    rig_mark(mark);
    step(true); /* it comes too late */
}

static void stop_and_die(void *mark)
{
    rig_mark(mark);
    al_panic("stop");
}

static void in_time(void)
{
    char line[8] = {0};
    al_status result;

    AL_LEASE_SCOPED(&lease, result, line, sizeof(line), stop, RIG_MARK('s'));
    status = result;
    step(false);
    step(true);
    rig_note(done == AL_OK && line[1] == 'e' ? 'd' : '?');
    step(true);
    rig_note(done == AL_E_STATE ? 'x' : '?');
}

static void too_short(void)
{
    char line[8] = {0};
    al_status result;

    AL_DEFER(rig_mark, RIG_MARK('o'));
    AL_LEASE_SCOPED(&lease, result, line, sizeof(line), stop, RIG_MARK('s'));
    AL_DEFER(rig_mark, RIG_MARK('i'));
    status = result;
    step(false);
}

static void dies_in_it(void)
{
    AL_DEFER(rig_mark, RIG_MARK('o'));
    AL_HEAP_SCOPED(block, 16);
    al_status result;

    AL_LEASE_SCOPED(&lease, result, block, 16, stop, RIG_MARK('s'));
    AL_DEFER(rig_mark, RIG_MARK('i'));
    status = result;
    step(false);
    al_panic("in it");
}

static void twice(void)
{
    char line[8] = {0};
    al_status result;

    AL_LEASE_SCOPED(&lease, result, line, sizeof(line), stop, RIG_MARK('s'));
    status = result;
    {
        AL_LEASE_SCOPED(
                &lease, result, line, sizeof(line), stop, RIG_MARK('n'));
        rig_note(result == AL_E_BUSY ? 'b' : '?');
    }
    rig_note(al_irq_raw_lease_buffer(&lease) == line ? 'l' : '?');
}

static void check_ends(void)
{
    size_t used = rig_heap_used();

    CHECK(rig_run(in_time) == 0 && rig_log_is("dx"), "done: %s", rig_log());
    writes = 0;
    CHECK(rig_run(too_short) == 0 && rig_log_is("iso"), "stopped: %s",
            rig_log());
    CHECK(writes == 1 && done == AL_E_STATE, "the handler has lost it");
    writes = 0;
    CHECK(rig_run(dies_in_it) == 1 && rig_log_is("iso"), "dies: %s", rig_log());
    CHECK(writes == 1 && done == AL_E_STATE && rig_heap_used() == used,
            "before the block is freed");
    CHECK(rig_run(twice) == 0 && rig_log_is("bls"), "twice: %s", rig_log());
    CHECK(lease.hold == NULL && lease.state == AL_LEASE_IDLE, "idle");
}

/* ---- 4 ---- */

static void loses_block(void)
{
    AL_DEFER(rig_mark, RIG_MARK('o'));
    AL_HEAP_SCOPED(block, 48);
    al_status result;

    kept = block;
    AL_LEASE_SCOPED(&other, result, block, 48, stop_and_die, RIG_MARK('s'));
    status = result;
    al_panic("loses it");
}

static void frees_it(void)
{
    al_heap_free(kept);
}

static void lends_again(void)
{
    char line[8];
    al_status result;

    AL_LEASE_SCOPED(&other, result, line, sizeof(line), stop, RIG_MARK('s'));
    status = result;
}

static void check_block(void)
{
    size_t used = rig_heap_used();
    uint32_t starts = rig_starts;

    CHECK(rig_run(loses_block) == 1 && rig_log_is("so"), "stop dies: %s",
            rig_log());
    CHECK(rig_starts == starts + 1 && rig_record.nested >= 1,
            "the task restarts");
    CHECK(rig_heap_used() > used, "the block is out of the heap");
    CHECK(al_lease_is_lost(kept, 1) && al_lease_is_lost((char *)kept + 47, 9) &&
                    !al_lease_is_lost((char *)kept + 48, 8) &&
                    !al_lease_is_lost((char *)kept - 8, 8),
            "it is told");
    CHECK(rig_run(frees_it) == 1 && rig_record.cause == AL_CAUSE_CALLER,
            "nobody frees it");
    CHECK(rig_run(lends_again) == 0 && status == AL_E_STATE, "nor lends");
}

/* ---- 5 ---- */

static struct al_lease third;

static void loses_stack(void *args)
{
    char line[16];
    al_status result;

    (void)args;
    rig_note('S');
    kept = line;
    AL_LEASE_SCOPED(
            &third, result, line, sizeof(line), stop_and_die, RIG_MARK('s'));
    status = result;
    al_panic("its stack");
}

static void check_stack(void)
{
    static const struct al_task_params params = {
            .entry = loses_stack, .stack_bytes = 1536, .prio = RIG_PRIO};
    struct al_task_id id;
    size_t used = rig_heap_used();

    rig_run(lends_again); /* an empty log */
    CHECK(al_task_spawn(&params, &id) == AL_OK &&
                    al_task_join(id, al_in(50)) == AL_OK,
            "the task ends");
    CHECK(rig_log_is("Ss"), "and is not begun again: %s", rig_log());
    CHECK(rig_heap_used() >= used + params.stack_bytes,
            "its stack is out of the heap");
    CHECK(al_lease_is_lost(kept, 1), "it is told");
}

/* ---- 6 ---- */

#define KILL_AFTER 3u

static struct al_lease endless[2];
static struct al_sem killer_go = AL_SEM_INIT(0, 1);
static volatile bool loops;
static volatile al_time stop_began;

static void killer_main(void)
{
    for (;;) {
        al_sem_take(&killer_go);
        al_sleep(KILL_AFTER);
        (void)al_task_kill(al_task_id_of(&rig_victim), AL_KILL_RESTART);
    }
}

AL_TASK(killer, killer_main, RIG_PRIO + 1, 1024);

static void stop_and_loop(void *mark)
{
    rig_mark(mark);
    stop_began = al_now();
    while (loops) {
    }
    rig_note('?');
}

static void loops_in_recovery(void)
{
    AL_DEFER(rig_mark, RIG_MARK('o'));
    AL_HEAP_SCOPED(block, 48);
    al_status result;

    kept = block;
    AL_LEASE_SCOPED(
            &endless[0], result, block, 48, stop_and_loop, RIG_MARK('s'));
    status = result;
    al_panic("its stop() loops");
}

static void loops_at_end(void)
{
    AL_DEFER(rig_mark, RIG_MARK('o'));
    AL_HEAP_SCOPED(block, 48);
    al_status result;

    kept = block;
    AL_LEASE_SCOPED(
            &endless[1], result, block, 48, stop_and_loop, RIG_MARK('s'));
    status = result;
    (void)al_sem_give(&killer_go);
}

static void check_endless(const char *name, void (*body)(void),
        const struct al_lease *of, uint32_t cause, al_time bound)
{
    size_t used = rig_heap_used();
    uint32_t starts = rig_starts;
    uint32_t died = rig_run(body);
    al_time took = al_now() - stop_began;

    CHECK(died == 1 && rig_log_is("so"), "stop loops, %s: %u deaths, %s", name,
            (unsigned)died, rig_log());
    CHECK(rig_record.cause == cause && rig_starts == starts + 1,
            "%s: cause %d, the task restarts", name, (int)rig_record.cause);
    CHECK(took >= AL_CFG_KILL_GRACE && took <= bound,
            "%s: it is given up after %u ticks", name, (unsigned)took);
    CHECK(of->state == AL_LEASE_LOST && al_lease_is_lost(kept, 1),
            "%s: the lease is lost", name);
    CHECK(rig_heap_used() > used, "%s: the block is out of the heap", name);
    CHECK(rig_run(frees_it) == 1 && rig_record.cause == AL_CAUSE_CALLER,
            "%s: nobody frees it", name);
}

static void check_loops(void)
{
    loops = true;
    check_endless("in recovery", loops_in_recovery, &endless[0], AL_CAUSE_PANIC,
            AL_CFG_KILL_GRACE + 1);
    check_endless("at the end of the block", loops_at_end, &endless[1],
            AL_CAUSE_KILLED, KILL_AFTER + AL_CFG_KILL_GRACE + 1);
}

static void judge_main(void)
{
    al_irq_enable(LINE, AL_PRIO_IRQ(3));
    check_ends();
    check_block();
    check_stack();
    check_loops();
    test_done();
}

AL_TASK(judge, judge_main, RIG_PRIO - 1, 2048);
