/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task that is killed at any instruction at which it comes to own
 * something, has it, or gives it back (own.h) leaves nothing behind.
 *   1. a timer interrupts a sample after 0, 1, 2, ... instructions, until it has
 *      ended before; its handler lets a more urgent task run, which kills
 *   2. samples: a unit of a semaphore that is there, one that is waited for, a
 *      timer, an interrupt line, a child more and one less urgent; a semaphore
 *      that another task waits for and a timer that runs, in its stack
 *   3. after each: as many units as were given, the timer at rest, the line
 *      disabled, the child ended and its memory back; the kernel is whole
 * Fails if: a unit, or a line, is noted after the kernel was left; a scope is
 * opened after what it gives back.
 * builds: gcc-O0 gcc-O2 gcc-Os-small clang-O0 clang-O2
 * sources: ../interleave/rig.c
 * timeout: 200
 */
#include "../interleave/rig.h"

#include "test.h"

#define LINE BOARD_SPARE_0_LINE
#define ISER (*(volatile uint32_t *)0xe000e100u)

static struct al_sem killer_go = AL_SEM_INIT(0, 1);
static struct al_sem victim_go = AL_SEM_INIT(0, 1);
static struct al_sem giver_go = AL_SEM_INIT(0, 1);
static struct al_sem units = AL_SEM_INIT(2, 3);
static struct al_sem waited = AL_SEM_INIT(0, 3);
static struct al_timer timer = AL_TIMER_INIT_SEM(&units);

static void (*volatile sample)(void);
static volatile uint32_t delay;
static volatile bool fired;
static volatile bool sample_done;
static volatile int32_t given;
static struct al_task_id victim_id;
static struct al_task_id child;
static volatile uint32_t failures;
static size_t heap_before;

static struct al_sem waiter_go = AL_SEM_INIT(0, 1);
static struct al_sem *volatile wanted;
static volatile bool waiter_waits;

/* ---- samples; each ends its block, and does a little more ---- */

static void must(bool right)
{
    failures += !right;
}

static void sample_unit(void)
{
    al_status status;

    {
        AL_SEM_SCOPED(&units, status, AL_POLL);
        must(status == AL_OK && al_sem_count(&units) == 1);
    }
    must(al_sem_count(&units) == 2);
}

static void sample_waited(void)
{
    al_status status;

    (void)al_sem_give(&giver_go);
    {
        AL_SEM_SCOPED(&waited, status, AL_FOREVER);
        must(status == AL_OK && al_sem_count(&waited) == 0);
    }
    must(al_sem_count(&waited) == 1);
}

static void sample_timer(void)
{
    {
        AL_TIMER_SCOPED(&timer);
        must(al_timer_start(&timer, 1000, 0) == AL_OK);
    }
    must(!al_timer_is_running(&timer));
}

static bool is_enabled(void)
{
    return (ISER & 1u << LINE) != 0;
}

static void sample_line(void)
{
    {
        AL_IRQ_SCOPED(LINE, AL_PRIO_IRQ(2));
        must(is_enabled());
    }
    must(!is_enabled());
}

static void child_main(void *args)
{
    (void)args;
    for (;;) {
        (void)al_task_park(AL_FOREVER);
    }
}

static void with_child(al_prio prio)
{
    struct al_task_params params = {
            .entry = child_main, .stack_bytes = 1024, .prio = prio};

    {
        AL_TASK_SCOPED(&child);
        must(al_task_spawn(&params, &child) == AL_OK);
    }
    must(al_task_wake(child) == AL_E_STALE);
}

static void sample_urgent(void)
{
    with_child(12);
}

static void sample_patient(void)
{
    with_child(6);
}

/* Somebody waits for what lies in the stack, and a timer runs there. */
static void sample_locals(void)
{
    AL_SEM_LOCAL(mine, 0, 1);
    AL_TIMER_LOCAL(clock, AL_TIMER_INIT_SEM(&mine));

    wanted = &mine;
    (void)al_sem_give(&waiter_go);
    must(waiter_waits);
    must(al_timer_start(&clock, 1000, 0) == AL_OK);
}

static const struct {
    const char *name;
    void (*sample)(void);
} samples[] = {
        {"a unit", sample_unit},
        {"a unit waited for", sample_waited},
        {"a timer", sample_timer},
        {"a line", sample_line},
        {"an urgent child", sample_urgent},
        {"a patient child", sample_patient},
        {"locals", sample_locals},
};

/* ---- tasks ---- */

static void killer_main(void)
{
    for (;;) {
        al_sem_take(&killer_go);
        must(al_task_kill(victim_id, AL_KILL_RESTART) == AL_OK);
    }
}

AL_TASK(killer, killer_main, 20, 1024);

static void waiter_main(void)
{
    for (;;) {
        al_sem_take(&waiter_go);
        waiter_waits = true;
        must(al_sem_take_until(wanted, AL_FOREVER) == AL_E_DESTROYED);
        waiter_waits = false;
    }
}

AL_TASK(waiter, waiter_main, 12, 1024);

static void giver_main(void)
{
    for (;;) {
        al_sem_take(&giver_go);
        given++;
        must(al_sem_give(&waited) == AL_OK);
    }
}

AL_TASK(giver, giver_main, 7, 1024);

static void fire(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    fired = true;
    (void)al_irq_sem_give(&killer_go);
}

static void victim_main(void)
{
    for (;;) {
        al_sem_take(&victim_go);
        rig_arm(0, delay, fire);
        sample();
        rig_disarm(0);
        sample_done = true;
    }
}

static const struct al_restart_policy always = {.budget = UINT16_MAX};

AL_TASK_POLICY(victim, victim_main, 8, 2048, &always);

/* ---- a round ---- */

static size_t heap_used(void)
{
    struct al_heap_info info;

    al_heap_read(&info);
    return info.used_bytes;
}

static const char *round_wrong(void)
{
    if (!fired && !sample_done) {
        return "neither done nor killed";
    }
    if (failures != 0) {
        return "it did not have it";
    }
    if (al_sem_count(&units) != 2 || al_sem_count(&waited) != given) {
        return "a unit is lost, or one too many";
    }
    if (al_timer_is_running(&timer)) {
        return "the timer runs";
    }
    if (is_enabled()) {
        return "the line is enabled";
    }
    if (child.task != NULL && al_task_wake(child) != AL_E_STALE) {
        return "the child lives";
    }
    if (waiter_waits) {
        return "somebody waits for a dead stack's semaphore";
    }
    if (heap_used() != heap_before) {
        return "memory is lost";
    }
    return rig_check();
}

static const char *one_round(void)
{
    const char *wrong;

    fired = false;
    sample_done = false;
    given = 0;
    child.task = NULL;
    (void)al_sem_give(&victim_go);
    for (unsigned i = 0; i < 4; i++) {
        rig_pend_tick();
    }
    wrong = round_wrong();
    while (al_sem_try_take(&waited) == AL_OK) {
    }
    return wrong;
}

static void sweep(const char *name)
{
    const char *wrong = NULL;
    uint32_t deaths = victim.generation; /* children die, too */

    delay = 1000000;
    (void)one_round(); /* a control block stays on the heap */
    heap_before = heap_used();
    wrong = one_round();
    CHECK(wrong == NULL && sample_done, "%s, not killed: %s", name,
            wrong != NULL ? wrong : "right");
    for (delay = 0; wrong == NULL; delay++) {
        wrong = one_round();
        if (!fired) {
            break;
        }
    }
    deaths = victim.generation - deaths;
    CHECK(wrong == NULL, "%s, killed after %u steps: %s", name, (unsigned)delay,
            wrong != NULL ? wrong : "right");
    CHECK(deaths > 50 && deaths == delay, "%s: %u deaths", name,
            (unsigned)deaths);
}

static void test_main(void)
{
    rig_start();
    victim_id = al_task_id_of(&victim);
    for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        sample = samples[i].sample;
        sweep(samples[i].name);
    }
    test_done();
}

AL_TASK(test, test_main, 5, 2048);
