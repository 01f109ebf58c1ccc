/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's operations cost in instructions, as an application calls
 * them: arguments set up, call, kernel, return. docs/numbers.md says of each
 * key from where to where it counts; tools/alula-bench reads what this prints:
 *
 *     bench KEY min median max      of REPEAT measurements
 *     # done N                      N lines of that kind
 *
 * Before that it counts sequences of known length, at every phase of SysTick,
 * and prints nothing else if one count is wrong.
 *
 * Tasks: `conductor` starts every operation; `equal` has its priority; `high`,
 * `above` and `victim` are more urgent and wait. Each measures with a function
 * of its own, so that arguments come from where the compiler puts them in plain
 * code.
 *
 * Not here: an idle system's tick, contended mutexes, latency; see
 * docs/numbers.md.
 */
#include <alula/alula.h>

#include <board.h>
#include <fmt.h>

#include "count.h"

#define REPEAT 16

enum key {
    YIELD_SWITCH,
    SEM_GIVE_WAKE,
    SEM_TAKE_BLOCK,
    MUTEX_LOCK,
    MUTEX_UNLOCK,
    IRQ_TO_TASK,
    DEFER,
    UNWIND_FRAME,
    UNWIND_SCOPE,
    PANIC_TO_RESTART,
    KEYS
};

static const char *const names[KEYS] = {
        [YIELD_SWITCH] = "yield_switch",
        [SEM_GIVE_WAKE] = "sem_give_wake",
        [SEM_TAKE_BLOCK] = "sem_take_block",
        [MUTEX_LOCK] = "mutex_lock",
        [MUTEX_UNLOCK] = "mutex_unlock",
        [IRQ_TO_TASK] = "irq_to_task",
        [DEFER] = "defer",
        [UNWIND_FRAME] = "unwind_frame",
        [UNWIND_SCOPE] = "unwind_scope",
        [PANIC_TO_RESTART] = "panic_to_restart",
};

static struct {
    uint32_t count;
    uint32_t values[REPEAT]; /* sorted */
} series[KEYS];

static uint32_t empty; /* what COUNT_OPEN() and COUNT_CLOSE() cost */

static struct al_sem partner = AL_SEM_INIT(0, 1);
static struct al_sem wake = AL_SEM_INIT(0, 1);
static struct al_sem pended = AL_SEM_INIT(0, 1);
static struct al_sem die = AL_SEM_INIT(0, 1);
static struct al_mutex mutex = AL_MUTEX_INIT;

/* Semihosting (Arm, "Semihosting for AArch32 and AArch64", 5.16). */
static void print(const char *text)
{
    register uintptr_t r0 __asm__("r0") = 4; /* SYS_WRITE0 */
    register const char *r1 __asm__("r1") = text;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void say(const char *format, ...)
{
    char line[96];
    va_list args;

    va_start(args, format);
    (void)fmt_vprint(line, sizeof(line), format, args);
    va_end(args);
    print(line);
}

static void add(enum key key, uint32_t value)
{
    uint32_t at = series[key].count;

    if (at == REPEAT) {
        return;
    }
    series[key].count++;
    for (; at > 0 && series[key].values[at - 1] > value; at--) {
        series[key].values[at] = series[key].values[at - 1];
    }
    series[key].values[at] = value;
}

/* A function of its own: no argument is at hand in a register. */
#define MEASURES __attribute__((noinline))

static void add_count(enum key key, uint32_t to)
{
    add(key, count_gross(to) - empty);
}

/* ---- counting itself ---- */

/* A handler of one instruction; it touches no register. */
void PORT1_ALL_Handler(void);

__attribute__((naked)) void PORT1_ALL_Handler(void)
{
    __asm__ volatile("@alula: unchecked 0\n\tbx lr");
}

/* Moves SysTick's phase: 16 ticks are 5 instructions. */
static void drift(int i)
{
    for (volatile int n = i % 5; n > 0; n--) {
        __asm__ volatile("nop");
    }
}

static void check(uint32_t to, uint32_t expected)
{
    uint32_t counted = count_gross(to) - empty;

    if (counted != expected) {
        say("count: %u instructions read as %u\n", expected, counted);
        board_exit(1);
    }
}

#define CHECK_SEQUENCE(expected, text)                     \
  for (int i = 0; i < REPEAT; i++) {                       \
    drift(i);                                              \
    COUNT_OPEN();                                          \
    __asm__ volatile(text ::: "r0", "r1", "cc", "memory"); \
    check(COUNT_CLOSE(), (expected));                      \
  }

static void count_check(void)
{
    COUNT_OPEN();
    empty = count_gross(COUNT_CLOSE());
    CHECK_SEQUENCE(0, "");
    CHECK_SEQUENCE(1, "nop");
    CHECK_SEQUENCE(2, "nop\n\tnop");
    CHECK_SEQUENCE(3, "nop\n\tnop\n\tnop");
    CHECK_SEQUENCE(100, ".rept 100\n\tnop\n\t.endr");
    CHECK_SEQUENCE(1001, ".rept 1001\n\tnop\n\t.endr");
    /* A loop, taken nine times of ten; 1 + 10 * 2. */
    CHECK_SEQUENCE(21, "movs r0, #10\n1:\n\tsubs r0, #1\n\tbne 1b");
    /* An exception: 4 to pend it, its one, and a barrier. */
    CHECK_SEQUENCE(6, "movw r0, #0xe200\n\tmovt r0, #0xe000\n\t"
                      "movs r1, #0x80\n\tmul r1, r1, r1\n\t"
                      "str r1, [r0]\n\tisb");
}

/* ---- operations ---- */

MEASURES static void yield_once(void)
{
    COUNT_OPEN();
    al_yield();
    add_count(YIELD_SWITCH, COUNT_CLOSE()); /* from the other's opening */
}

static void equal_main(void)
{
    for (;;) {
        al_sem_take(&partner);
        for (int i = 0; i < REPEAT; i++) {
            drift(i);
            yield_once();
        }
    }
}

/* From the call to the first instruction behind the other task's call. */
MEASURES static void give_once(void)
{
    COUNT_OPEN();
    (void)al_sem_give(&wake);
    add_count(SEM_TAKE_BLOCK, COUNT_CLOSE());
}

MEASURES static void take_once(void)
{
    COUNT_OPEN();
    al_sem_take(&wake);
    add_count(SEM_GIVE_WAKE, COUNT_CLOSE());
}

static void high_main(void)
{
    for (int i = 0;; i++) {
        drift(i);
        take_once();
    }
}

#define NVIC_ISPR0 (*(volatile uint32_t *)0xe000e200u)
#define PEND_LINE  6u

AL_IRQ(PORT0_ALL_Handler)
{
    (void)al_irq_sem_give(&pended);
}

MEASURES static void pend_once(void)
{
    COUNT_OPEN();
    NVIC_ISPR0 = 1u << PEND_LINE;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

MEASURES static void pended_once(void)
{
    al_sem_take(&pended);
    add_count(IRQ_TO_TASK, COUNT_CLOSE());
}

static void above_main(void)
{
    for (;;) {
        pended_once();
    }
}

MEASURES static void lock_once(void)
{
    COUNT_OPEN();
    (void)!al_mutex_lock(&mutex);
    add_count(MUTEX_LOCK, COUNT_CLOSE());
    if (!al_mutex_is_mine(&mutex)) {
        al_panic("not locked");
    }
}

MEASURES static void unlock_once(void)
{
    COUNT_OPEN();
    al_mutex_unlock(&mutex);
    add_count(MUTEX_UNLOCK, COUNT_CLOSE());
}

/* The trivial function of a scope: one instruction. */
__attribute__((naked)) static void nothing(void *arg)
{
    (void)arg;
    __asm__ volatile("@alula: unchecked 0\n\tbx lr");
}

#define NOTHING_INSNS 1u

static char scoped; /* what the scopes are about */

MEASURES static void defer_once(void)
{
    COUNT_OPEN();
    {
        AL_DEFER(nothing, &scoped);
    }
    add(DEFER, count_gross(COUNT_CLOSE()) - empty - NOTHING_INSNS);
}

/* ---- deaths ---- */

enum death {
    DEATH_PLAIN,
    DEATH_SHALLOW,
    DEATH_DEEP,
    DEATH_FEW_SCOPES,
    DEATH_MANY_SCOPES,
};

#define SHALLOW     4
#define DEEP        12
#define MANY_SCOPES 5 /* against one */

static volatile enum death death;

__attribute__((noinline)) static void die_now(void)
{
    COUNT_OPEN();
    al_panic("bench");
}

__attribute__((noinline)) static void one_scope(void)
{
    AL_DEFER(nothing, &scoped);
    die_now();
}

__attribute__((noinline)) static void many_scopes(void)
{
    AL_DEFER(nothing, &scoped);
    AL_DEFER(nothing, &scoped);
    AL_DEFER(nothing, &scoped);
    AL_DEFER(nothing, &scoped);
    AL_DEFER(nothing, &scoped);
    die_now();
}

__attribute__((noinline)) static int dive(int depth)
{
    if (depth == 0) {
        die_now();
    }
    depth = dive(depth - 1);
    __asm__ volatile("" : "+r"(depth)); /* no loop, please */
    return depth;
}

/* Where a restarted victim goes on. */
__attribute__((used)) static void victim_body(void)
{
    al_sem_take(&die);
    switch (death) {
    case DEATH_SHALLOW:
        (void)dive(SHALLOW);
        break;
    case DEATH_DEEP:
        (void)dive(DEEP);
        break;
    case DEATH_MANY_SCOPES:
        many_scopes();
        break;
    case DEATH_PLAIN:
    case DEATH_FEW_SCOPES:
        one_scope();
        break;
    }
}

__attribute__((naked)) static void victim_main(void)
{
    __asm__ volatile("@alula: unchecked 0\n\t" COUNT_STAMP_ASM "b victim_body");
}

/* Instructions from the panic to the entry. */
static uint32_t die_once(enum death how)
{
    death = how;
    (void)al_sem_give(&die);
    return count_gross(count_to) - empty;
}

static void deaths(void)
{
    uint32_t one = die_once(DEATH_PLAIN);
    uint32_t few = die_once(DEATH_FEW_SCOPES);
    uint32_t many = die_once(DEATH_MANY_SCOPES);
    uint32_t shallow = die_once(DEATH_SHALLOW);
    uint32_t deep = die_once(DEATH_DEEP);

    add(PANIC_TO_RESTART, one);
    add(UNWIND_SCOPE, (many - few) / (MANY_SCOPES - 1));
    add(UNWIND_FRAME, (deep - shallow) / (DEEP - SHALLOW));
}

static void report(void)
{
    for (int key = 0; key < KEYS; key++) {
        if (series[key].count != REPEAT) {
            say("%s: measured %u times\n", names[key], series[key].count);
            board_exit(1);
        }
        say("bench %s %u %u %u\n", names[key], series[key].values[0],
                series[key].values[REPEAT / 2], series[key].values[REPEAT - 1]);
    }
    say("# done %u\n", (unsigned)KEYS);
}

static void conductor_main(void)
{
    static bool started;

    if (started) {
        print("the conductor died\n");
        board_exit(1);
    }
    started = true;
    al_irq_enable(PEND_LINE, AL_PRIO_IRQ(1));
    al_irq_enable(PEND_LINE + 1, AL_PRIO_IRQ(1));
    count_start();
    count_check();
    (void)al_sem_give(&partner);
    for (int i = 0; i < REPEAT; i++) {
        drift(i);
        yield_once();
    }
    for (int i = 0; i < REPEAT + 1; i++) {
        give_once();
        drift(i);
        pend_once();
        lock_once();
        drift(i);
        unlock_once();
        drift(i);
        defer_once();
        deaths();
    }
    report();
    board_exit(0);
}

static const struct al_restart_policy often = {
        .budget = 60000,
        .back_off = 1,
        .window = 60000,
        .exhausted = AL_EXHAUSTED_STOP,
};

AL_TASK(conductor, conductor_main, 2, 2048);
AL_TASK(equal, equal_main, 2, 1024);
AL_TASK(high, high_main, 5, 1024);
AL_TASK(above, above_main, 6, 1024);
AL_TASK_POLICY(victim, victim_main, 4, 1536, &often);
