/* SPDX-License-Identifier: MIT */
/*
 * Claim: handlers of three levels and a raw one above them, nested, each of
 * which gives a semaphore while the kernel lock is held by a task, by the
 * handler below, or by the switch exception, get an exact status, and every
 * unit that was given arrives.
 *   1. a task gives, takes, yields and sleeps; a handler interrupts it at every
 *      instruction and gives; a second interrupts from there on at any distance
 *      and gives, and a third interrupts that at once; each pends the raw
 *      handler before, between and after its gives
 *   2. after each round the waiters have taken as many units as were given with
 *      AL_OK, none is left over, and what was refused was refused because the
 *      count was at its bound; the kernel is whole
 *   3. a semaphore that was destroyed, or is none, is told
 *   4. each of the holders of the lock was met by each handler
 * Fails if: a raw give does not post, posts without being looked at, or posts an
 * object twice.
 * builds: gcc-Os-small gcc-O2 gcc-O0 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c
 * timeout: 120
 */
#include "../interleave/rig.h"

#include "test.h"

#define HANDLERS 4 /* the rig's three, and the raw one */
#define RAW      3
#define BOUND    2
#define GIVES    4
#define PENDSV   14u /* number of the switch exception */

enum holder {
    TASK,
    HANDLER,
    SWITCH,
    NOBODY
};

/* Of each handler. */
static struct {
    struct al_sem sem;
    volatile uint32_t given, full; /* statuses */
    volatile uint32_t taken;       /* the waiter's */
    volatile uint32_t wrong;
    volatile uint32_t met[NOBODY]; /* while the lock was held, by whom */
} each[HANDLERS] = {{.sem = AL_SEM_INIT(0, BOUND)},
        {.sem = AL_SEM_INIT(0, BOUND)}, {.sem = AL_SEM_INIT(0, BOUND)},
        {.sem = AL_SEM_INIT(0, BOUND)}};

static volatile bool ran[HANDLERS];
static volatile enum holder holder; /* when the first handler came */
static volatile uint32_t second;    /* distance of the second handler */

static void waiter(unsigned n)
{
    for (;;) {
        al_sem_take(&each[n].sem);
        each[n].taken++;
    }
}

#define WAITER(n)             \
  static void waiter##n(void) \
  {                           \
    waiter(n);                \
  }                           \
  AL_TASK(waiter_##n, waiter##n, 20 + (n), 1024)

WAITER(0);
WAITER(1);
WAITER(2);
WAITER(3);
/* A second one, so that one handler owes two wake-ups. */
AL_TASK(waiter_4, waiter3, 23, 1024);

AL_INLINE void account(unsigned n, al_status status, int32_t before)
{
    if (status == AL_OK) {
        each[n].given++;
    } else {
        each[n].full++;
        /* Nobody else gives, and what is above takes nothing. */
        each[n].wrong += status != AL_E_FULL || before != BOUND;
    }
}

/* Who came first met the lock with its first holder; who finds it taken only
 * later met a handler. */
AL_INLINE void meet(unsigned n)
{
    bool locked = *(volatile uint32_t *)&al_core.locked != 0;

    if (holder != NOBODY) {
        each[n].met[holder]++;
    } else if (locked) {
        each[n].met[HANDLER]++;
    }
}

#if BOARD_INSN_NS == 16 /* stm32f405 */
#  define RAW_LINE    40u
#  define RAW_HANDLER EXTI15_10_IRQHandler
#else
#  define RAW_LINE    20u
#  define RAW_HANDLER UARTRX4_Handler
#endif

#define RAW_OF(vector) AL_IRQ_RAW(vector)

/* Arrays, so that it has a frame. */
RAW_OF(RAW_HANDLER)
{
    volatile al_status status[GIVES];
    volatile int32_t before[GIVES];

    meet(RAW);
    for (unsigned i = 0; i < GIVES; i++) {
        before[i] = *(volatile int32_t *)&each[RAW].sem.count;
        status[i] = al_irq_raw_sem_give(&each[RAW].sem);
    }
    for (unsigned i = 0; i < GIVES; i++) {
        account(RAW, status[i], before[i]);
    }
    ran[RAW] = true;
}

static void pend_raw(void)
{
    *(volatile uint32_t *)(0xe000e200u + RAW_LINE / 32 * 4) = 1u
                                                              << RAW_LINE % 32;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

static void give(unsigned n, const struct rig_hit *hit)
{
    if (n == 0) {
        holder = !hit->locked ? NOBODY : hit->in == PENDSV ? SWITCH : TASK;
    }
    meet(n);
    ran[n] = true;
    if ((second & 1) != 0) {
        pend_raw();
    }
    for (unsigned i = 0; i < GIVES; i++) {
        int32_t before = al_sem_count(&each[n].sem);

        account(n, al_irq_sem_give(&each[n].sem), before);
        if (i == (second >> 1 & 3)) {
            pend_raw();
        }
    }
}

static void act_third(unsigned n, const struct rig_hit *hit)
{
    give(n, hit);
}

static void act_second(unsigned n, const struct rig_hit *hit)
{
    if ((second & 8) != 0) {
        rig_pend(2, act_third);
    } else {
        rig_arm(2, second * 3, act_third);
    }
    give(n, hit);
}

static void act_first(unsigned n, const struct rig_hit *hit)
{
    rig_arm(1, second, act_second);
    give(n, hit);
}

static struct al_sem op_sem = AL_SEM_INIT(0, 1);
static struct al_sem ended = AL_SEM_INIT(1, 2);
static struct al_sem none;
static struct al_sem partner_sem = AL_SEM_INIT(0, 1);

static void partner_main(void)
{
    for (;;) {
        al_sem_take(&op_sem);
        al_sem_give(&partner_sem);
    }
}

AL_TASK(partner, partner_main, 12, 1024);

static void peer_main(void)
{
    for (;;) {
        al_yield();
    }
}

AL_TASK(peer, peer_main, 10, 1024);

/* Gives to a more urgent task, blocks, switches by the exception. */
static void operations(void)
{
    al_sem_give(&op_sem);
    al_sem_take(&partner_sem);
    al_yield();
    rig_pend_switch();
    rig_pend_tick();
}

static const char *look(void)
{
    for (unsigned n = 0; n < HANDLERS; n++) {
        if (each[n].given != each[n].taken) {
            return "a unit that did not arrive, or one too many";
        }
        if (each[n].wrong != 0) {
            return "refused with room";
        }
    }
    return rig_check();
}

static const char *sweep(void)
{
    for (uint32_t delay = 0;; delay++) {
        const char *wrong;

        ran[0] = false;
        ran[1] = false;
        ran[2] = false;
        rig_arm(0, delay, act_first);
        operations();
        rig_disarm(0);
        if (!ran[0]) {
            return NULL;
        }
        while (!ran[1] || !ran[2]) {
            /* The others come by themselves, each at some distance. */
        }
        wrong = look();
        if (wrong != NULL) {
            return wrong;
        }
    }
}

static void op_main(void)
{
    static const char *const names[] = {"level 2", "level 5", "level 8", "raw"};
    static const char *const holders[] = {"task", "handler", "switch"};
    const char *wrong = NULL;

    rig_start();
    al_irq_enable(RAW_LINE, AL_PRIO_IRQ(AL_IRQ_LEVELS - 1));
    for (second = 0; second < 100 && wrong == NULL; second += 3) {
        wrong = sweep();
    }
    al_sem_destroy(&ended);
    CHECK(al_irq_raw_sem_give(&ended) == AL_E_DESTROYED &&
                    al_irq_raw_sem_give(&none) == AL_E_DESTROYED,
            "a raw give to what is no semaphore");
    CHECK(wrong == NULL, "nested gives: %s", wrong != NULL ? wrong : "right");
    for (unsigned n = 0; n < HANDLERS; n++) {
        CHECK(each[n].given > 1000 && each[n].full > 100,
                "%s: %u units given, %u refused", names[n],
                (unsigned)each[n].given, (unsigned)each[n].full);
    }
    for (unsigned n = 0; n < HANDLERS; n++) {
        for (unsigned h = 0; h < NOBODY; h++) {
            if (n > 0 || h != HANDLER) {
                CHECK(each[n].met[h] > 9, "%s met the lock held by a %s: %u",
                        names[n], holders[h], (unsigned)each[n].met[h]);
            }
        }
    }
    test_done();
}

AL_TASK(op, op_main, 10, 2048);

RIG_WATCH();
