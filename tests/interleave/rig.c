/* SPDX-License-Identifier: MIT */
/*
 * Timers that interrupt at an instruction, on the emulated boards. A board's
 * timers count at least once an instruction, so every instruction is reached;
 * who uses this asserts it. Not here: silicon, where instructions take
 * different times.
 */
#include "rig.h"

#include "core/wait.h"

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define SYST_CSR REG(0xe000e010u)
#define SYST_RVR REG(0xe000e014u)
#define SYST_CVR REG(0xe000e018u)
#define ICSR     REG(0xe000ed04u)

#define TIME_MASK 0xffffffu

/* kernel/time.h */
void al_time_test_by_hand(void);

#if BOARD_INSN_NS == 16 /* stm32f405: TIM3, TIM4, TIM5; 1 GHz in QEMU */
#  define SYSTICK_HZ 168000000u

static const uint32_t base[RIG_TIMERS] = {
        0x40000400u, 0x40000800u, 0x40000c00u};
static const uint32_t lines[RIG_TIMERS] = {29, 30, 50};
const uint32_t rig_step_ns = 12;

#  define CR1  0x00
#  define DIER 0x0c
#  define SR   0x10
#  define ARR  0x2c

/* QEMU's timer is periodic: its handler must stop it before it fires again,
 * so the period is never shorter than this. */
#  define LEAST_NS 960u

static void timer_start(unsigned n, uint32_t steps)
{
    uint32_t rounds = LEAST_NS / BOARD_INSN_NS / 2;

    REG(base[n] + DIER) = 1;
    REG(base[n] + CR1) = 1;
    /* Writing ARR starts QEMU's period. */
    REG(base[n] + ARR) = LEAST_NS + steps * rig_step_ns;
    __asm__ volatile("1: subs %0, #1\n\tbne 1b" : "+r"(rounds) : : "cc");
}

static void timer_stop(unsigned n)
{
    REG(base[n] + CR1) = 0;
    REG(base[n] + SR) = 0;
}

#  define HANDLER_0 TIM3_IRQHandler
#  define HANDLER_1 TIM4_IRQHandler
#  define HANDLER_2 TIM5_IRQHandler
#else /* mps2: CMSDK timers 0 and 1, dual timer 1; 25 MHz */
#  define SYSTICK_HZ 25000000u

static const uint32_t base[RIG_TIMERS] = {
        0x40000000u, 0x40001000u, 0x40002000u};
static const uint32_t lines[RIG_TIMERS] = {8, 9, 10};
const uint32_t rig_step_ns = 80;

#  define CTRL       0x00
#  define VALUE      0x04
#  define RELOAD     0x08
#  define INTSTATUS  0x0c
#  define DUAL_LOAD  0x00
#  define DUAL_CTRL  0x08
#  define DUAL_CLEAR 0x0c

static void timer_start(unsigned n, uint32_t steps)
{
    if (n == 2) {
        REG(base[n] + DUAL_CTRL) = 0;
        REG(base[n] + DUAL_CLEAR) = 1;
        REG(base[n] + DUAL_LOAD) = (steps + 1) * 2;
        REG(base[n] + DUAL_CTRL) = 0xa3; /* on, interrupt, 32 bits, once */
        return;
    }
    REG(base[n] + CTRL) = 0;
    REG(base[n] + RELOAD) = 0;
    REG(base[n] + VALUE) = (steps + 1) * 2;
    REG(base[n] + CTRL) = 9; /* on, interrupt */
}

static void timer_stop(unsigned n)
{
    if (n == 2) {
        REG(base[n] + DUAL_CTRL) = 0;
        REG(base[n] + DUAL_CLEAR) = 1;
        return;
    }
    REG(base[n] + CTRL) = 0;
    REG(base[n] + INTSTATUS) = 1;
}

#  define HANDLER_0 TIMER0_Handler
#  define HANDLER_1 TIMER1_Handler
#  define HANDLER_2 DUALTIMER_Handler
#endif

static rig_action actions[RIG_TIMERS];

/* `sp` is the handler's body's at its entry: AL_IRQ's veneer has pushed ten
 * words there, EXC_RETURN last, and the exception frame lies above if it is on
 * the same stack. */
static void hit(unsigned n, const uint32_t *sp)
{
    struct rig_hit hit;
    const uint32_t *psp;

    timer_stop(n);
    __asm__ volatile("mrs %0, psp" : "=r"(psp));
    hit.nested = (sp[9] & 4) == 0;
    hit.pc = hit.nested ? sp[10 + 6] : psp[6];
    hit.psp = (uint32_t)psp;
    hit.in = (hit.nested ? sp[10 + 7] : psp[7]) & 0x1ff;
    hit.time = rig_time();
    hit.locked = *(volatile uint32_t *)&al_core.locked != 0;
    if (actions[n] != NULL) {
        actions[n](n, &hit);
    }
}

/* AL_IRQ takes its argument's name as it stands. */
#define HANDLER(name) AL_IRQ(name)

HANDLER(HANDLER_0)
{
    hit(0, (const uint32_t *)arch_entry_sp());
}

HANDLER(HANDLER_1)
{
    hit(1, (const uint32_t *)arch_entry_sp());
}

HANDLER(HANDLER_2)
{
    hit(2, (const uint32_t *)arch_entry_sp());
}

void rig_start(void)
{
#if BOARD_INSN_NS == 16
    REG(0x40023840u) |= 1u << 1 | 1u << 2 | 1u << 3; /* RCC_APB1ENR */
#endif
    SYST_CSR = 4;
    SYST_RVR = TIME_MASK;
    SYST_CVR = 0;
    SYST_CSR = 5;
    ICSR = 1u << 25; /* PENDSTCLR */
    al_time_test_by_hand();
    for (unsigned n = 0; n < RIG_TIMERS; n++) {
        timer_stop(n);
        al_irq_enable(lines[n], AL_PRIO_IRQ(2 + 3 * n));
    }
}

void rig_arm(unsigned n, uint32_t steps, rig_action action)
{
    actions[n] = action;
    AL_BARRIER();
    timer_start(n, steps);
}

void rig_disarm(unsigned n)
{
    timer_stop(n);
    /* A store to a device ends QEMU's block: what is pending comes first. */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    REG(0xe000e280u + lines[n] / 32 * 4) = 1u << lines[n] % 32; /* ICPR */
}

uint32_t rig_time(void)
{
    return SYST_CVR;
}

uint32_t rig_elapsed(uint32_t from, uint32_t to)
{
    uint64_t counts = (from - to) & TIME_MASK;

    return (uint32_t)(counts * (1000000000u / 1000u) /
                      (SYSTICK_HZ / 1000u * (uint64_t)BOARD_INSN_NS));
}

void rig_pend(unsigned n, rig_action action)
{
    actions[n] = action;
    AL_BARRIER();
    REG(0xe000e200u + lines[n] / 32 * 4) = 1u << lines[n] % 32; /* ISPR */
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

void rig_pend_tick(void)
{
    ICSR = 1u << 26;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

void rig_pend_switch(void)
{
    ICSR = 1u << 28;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

/* GCC's frame pointer at -O0 is one of the registers that hold known values. */
#ifdef __clang__
#  define NO_FRAME_POINTER
#else
#  define NO_FRAME_POINTER __attribute__((optimize("O2")))
#endif

/* clang-format off */
#define CALLEE_SAVED(X) X(4) X(5) X(6) X(7) X(8) X(10) X(11)
#define LOW_VFP(X)                                                      \
    X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)                             \
    X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define HIGH_VFP(X)                                                     \
    X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)                     \
    X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)

/* r1 is the seed; register n holds seed + n. */
#define SET(n)      "add r" #n ", r1, #" #n "\n"
#define SET_VFP(n)  "add r3, r1, #" #n "\n" "vmov s" #n ", r3\n"
#define SET_FPSCR   "and r3, r1, #3\n" "lsls r3, r3, #22\n" "vmsr fpscr, r3\n"
#define TEST(n)                                                         \
    "add r2, r1, #" #n "\n" "cmp r" #n ", r2\n"                         \
    "it ne\n" "orrne r0, r0, #(1 << " #n ")\n"
#define TEST_VFP(n)                                                     \
    "add r3, r1, #" #n "\n" "vmov r2, s" #n "\n" "cmp r2, r3\n"          \
    "it ne\n" "orrne r0, r0, #(1 << (" #n " | 16))\n"
#define TEST_FPSCR                                                      \
    "vmrs r2, fpscr\n" "and r3, r1, #3\n" "ubfx r2, r2, #22, #2\n"      \
    "cmp r2, r3\n" "it ne\n" "orrne r0, r0, #(1 << 12)\n"
#define PUSH                                                            \
    "@alula: depth 48\n" "push {r1, r2, r3, r4-r8, r10, r11, r12, lr}\n"
#define POP         "pop {r1, r2, r3, r4-r8, r10, r11, r12, lr}\n"
#define CLOBBERS                                                        \
    "cc", "memory", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7",     \
    "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15"

NO_FRAME_POINTER
uint32_t rig_guard(void (*fn)(void), uint32_t seed, uint32_t fpu)
{
    uint32_t save[20]; /* s16-s31, two words, FPSCR */
    register uint32_t r0 __asm__("r0") = (uint32_t)fn;
    register uint32_t r1 __asm__("r1") = seed;
    register uint32_t r2 __asm__("r2") = fpu;
    register uint32_t *r3 __asm__("r3") = save;

    __asm__ volatile(
        PUSH                            /* seed, fpu, save, ... */
        "cmp r2, #0\n"
        "beq .Lguard_no_fpu%=\n"
        "vstmia r3, {s16-s31}\n"
        "vmrs r12, fpscr\n"
        "str r12, [r3, #72]\n"
        HIGH_VFP(SET_VFP) SET_FPSCR
        ".Lguard_no_fpu%=:\n"
        CALLEE_SAVED(SET)
        "blx r0\n"
        "ldr r1, [sp]\n"
        "movs r0, #0\n"
        CALLEE_SAVED(TEST)
        "ldr r2, [sp, #4]\n"
        "cmp r2, #0\n"
        "beq .Lguard_end%=\n"
        HIGH_VFP(TEST_VFP) TEST_FPSCR
        "ldr r3, [sp, #8]\n"
        "ldr r2, [r3, #72]\n"
        "vmsr fpscr, r2\n"
        "vldmia r3, {s16-s31}\n"
        ".Lguard_end%=:\n"
        POP
        : "+r"(r0) : "r"(r1), "r"(r2), "r"(r3) : CLOBBERS);
    return r0;
}

NO_FRAME_POINTER
uint32_t rig_spin(const volatile uint32_t *go, uint32_t seed, uint32_t fpu)
{
    uint32_t save[20]; /* s16-s31, two words, FPSCR */
    register uint32_t r0 __asm__("r0") = (uint32_t)go;
    register uint32_t r1 __asm__("r1") = seed;
    register uint32_t r2 __asm__("r2") = fpu;
    register uint32_t *r3 __asm__("r3") = save;

    __asm__ volatile(
        PUSH
        "cmp r2, #0\n"
        "beq .Lspin_no_fpu%=\n"
        "vstmia r3, {s16-s31}\n"
        "vmrs r12, fpscr\n"
        "str r12, [r3, #72]\n"
        LOW_VFP(SET_VFP) HIGH_VFP(SET_VFP) SET_FPSCR
        ".Lspin_no_fpu%=:\n"
        "lsls r3, r1, #27\n"            /* N Z C V Q by the seed */
        "msr apsr_nzcvq, r3\n"
        "add r2, r1, #2\n"
        SET(3) CALLEE_SAVED(SET) SET(12) "add lr, r1, #14\n"
        ".Lspin%=:\n"                     /* the flags are left alone */
        "ldr r1, [r0]\n"
        "cbnz r1, .Lspin_over%=\n"
        "b .Lspin%=\n"
        ".Lspin_over%=:\n"
        "ldr r1, [sp, #8]\n"
        "str r3, [r1, #64]\n"
        "str r2, [r1, #68]\n"
        "mrs r3, apsr\n"
        "ldr r1, [sp]\n"
        "movs r0, #0\n"
        "lsrs r3, r3, #27\n"
        "and r2, r1, #31\n"
        "cmp r2, r3\n"
        "it ne\n"
        "orrne r0, r0, #1\n"
        CALLEE_SAVED(TEST) TEST(12) TEST(14)
        "ldr r4, [sp, #8]\n"
        "ldr r3, [r4, #64]\n"
        TEST(3)
        "ldr r5, [r4, #68]\n"
        "add r3, r1, #2\n"
        "cmp r5, r3\n"
        "it ne\n"
        "orrne r0, r0, #(1 << 2)\n"
        "ldr r2, [sp, #4]\n"
        "cmp r2, #0\n"
        "beq .Lspin_end%=\n"
        LOW_VFP(TEST_VFP) HIGH_VFP(TEST_VFP) TEST_FPSCR
        "ldr r2, [r4, #72]\n"
        "vmsr fpscr, r2\n"
        "vldmia r4, {s16-s31}\n"
        ".Lspin_end%=:\n"
        POP
        : "+r"(r0) : "r"(r1), "r"(r2), "r"(r3) : CLOBBERS);
    return r0;
}
/* clang-format on */

/* What the linker script says of the image. */
extern char __al_text_low[];
extern char __al_text_high[];
/* Where a preempted context resumes: arch/cortexm/switch.S. */
extern char al_exc_stub[];

static bool in_stack(const struct al_task *task, uintptr_t at)
{
    return at >= task->stack_low && at < task->stack_high && at % 4 == 0;
}

/* The form of check without ip adds the frame to r9 for two instructions. */
static bool in_a_check(const struct al_task *task, const uint32_t *sp)
{
    return sp[9] == (uint32_t)al_exc_stub + 1 && sp[6] > task->limit &&
           sp[6] - task->limit < 65536;
}

static const char *check_context(const struct al_task *task)
{
    const uint32_t *sp = task->sp;

    if (!in_stack(task, (uintptr_t)sp) ||
            !in_stack(task, (uintptr_t)sp + 40 - 4)) {
        return "saved sp outside its stack";
    }
    if (sp[9] < (uintptr_t)__al_text_low ||
            sp[9] >= (uintptr_t)__al_text_high) {
        return "saved pc outside the text";
    }
    if (sp[6] != task->limit && !in_a_check(task, sp)) {
        return "saved r9 is not the task's limit";
    }
    return NULL;
}

static const char *check_ring(struct al_task *first, unsigned prio)
{
    struct al_task *task = first;
    unsigned members = 0;

    do {
        if (task->prio != prio) {
            return "a ready task of another priority";
        }
        if (task->state != AL_TASK_READY && task->state != AL_TASK_RECOVERING) {
            return "a task in the ready ring that is not ready";
        }
        if (task->next->prev != task) {
            return "ready ring: next and prev disagree";
        }
        if (task->waitq != NULL || task->wants != NULL) {
            return "a ready task that waits";
        }
        if (++members > 2000) {
            return "ready ring: not closed";
        }
        task = task->next;
    } while (task != first);
    return NULL;
}

/* kernel/sched.h: a bit a rank, and above 32 levels a bit for each 32 ranks. */
extern uint32_t sched_groups[];

static bool bit_of(uint32_t map, unsigned rank)
{
    return (map << rank % 32 & 0x80000000u) != 0;
}

static bool is_marked(unsigned rank)
{
    if (AL_PRIO_LEVELS <= 32) {
        return bit_of(al_core.ready_map, rank);
    }
    if (bit_of(al_core.ready_map, rank / 32) !=
            (sched_groups[rank / 32] != 0)) {
        return !bit_of(sched_groups[rank / 32], rank); /* wrong anyhow */
    }
    return bit_of(sched_groups[rank / 32], rank);
}

static const char *check_ready(void)
{
    for (unsigned prio = 0; prio < AL_PRIO_LEVELS; prio++) {
        unsigned rank = AL_PRIO_LEVELS - 1 - prio;
        struct al_task *first = al_core.ready[rank];
        const char *wrong;

        if (is_marked(rank) != (first != NULL)) {
            return "ready map and rings disagree";
        }
        if (first == NULL) {
            continue;
        }
        wrong = check_ring(first, prio);
        if (wrong != NULL) {
            return wrong;
        }
    }
    return NULL;
}

static bool is_in_ready_ring(const struct al_task *task)
{
    const struct al_task *first =
            al_core.ready[AL_PRIO_LEVELS - 1 - task->prio];
    const struct al_task *at = first;

    if (first == NULL) {
        return false;
    }
    do {
        if (at == task) {
            return true;
        }
        at = at->next;
    } while (at != first);
    return false;
}

/* A task that waits in a queue is found from the queue's head. */
static const char *check_waiter(const struct al_task *task)
{
    struct al_task *const *link = &task->waitq->head;
    const struct al_task *above = NULL;
    bool found = false;

    for (const struct al_task *first = *link; first != NULL; first = *link) {
        const struct al_task *at = first;
        unsigned members = 0;

        if (first->ring_link != link ||
                (above != NULL && above->prio <= first->prio)) {
            return "wait queue: list of rings";
        }
        do {
            if (at->next->prev != at || at->prio != first->prio ||
                    at->waitq != task->waitq || at->state != AL_TASK_WAITING) {
                return "wait queue: ring";
            }
            if (at != first && at->ring_link != NULL) {
                return "wait queue: two firsts in a ring";
            }
            if (++members > 2000) {
                return "wait queue: not closed";
            }
            found = found || at == task;
            at = at->next;
        } while (at != first);
        above = first;
        link = (struct al_task *const *)&first->ring_next;
    }
    return found ? NULL : "a waiter that its queue does not have";
}

static const struct al_timer_node *root_of(const struct al_timer_node *timer)
{
    unsigned depth = 0;

    while (timer->up != NULL) {
        if (timer->up->when > timer->when ||
                (timer->up->sub[0] != timer && timer->up->sub[1] != timer) ||
                ++depth > 32) {
            return NULL;
        }
        timer = timer->up;
    }
    return timer;
}

/* Is it in the level that begins with `first`, and that level in order? */
static bool is_in_level(
        const struct al_mutex *first, const struct al_mutex *mutex)
{
    unsigned n = 0;
    bool found = first == mutex;

    for (struct al_mutex *const *link = &first->peer; *link != NULL;
            link = &(*link)->peer) {
        if ((*link)->link != link || (*link)->next != *link ||
                (*link)->waiters.head->prio != first->waiters.head->prio ||
                ++n > 64) {
            return false;
        }
        found = found || *link == mutex;
    }
    return found;
}

static bool is_contended(
        const struct al_task *task, const struct al_mutex *mutex)
{
    unsigned n = 0;

    for (struct al_mutex *const *link = &task->contended;
            *link != NULL && n < 64; link = &(*link)->next) {
        const struct al_mutex *next = (*link)->next;

        if ((*link)->link != link ||
                (next != NULL && next->waiters.head->prio >=
                                         (*link)->waiters.head->prio)) {
            return false;
        }
        if (is_in_level(*link, mutex)) {
            return true;
        }
        n++;
    }
    return false;
}

static const char *check_mutexes(const struct al_task *task)
{
    unsigned most = task->base_prio;
    unsigned n = 0;

    for (const struct al_scope *s = task->scopes; s != NULL; s = s->prev) {
        const struct al_mutex *mutex = (const struct al_mutex *)(const void
                        *)((const char *)s - offsetof(struct al_mutex, scope));

        if (++n > 64) {
            return "chain of scopes: not closed";
        }
        if (s->fn != NULL) {
            continue;
        }
        if ((mutex->owner & ~(uintptr_t)AL_MUTEX_BITS) != (uintptr_t)task) {
            return "a mutex in the chain of a task that does not own it";
        }
        if ((mutex->owner & AL_MUTEX_WAITED) != (mutex->waiters.head != NULL)) {
            return "a mutex whose bit 0 does not say who waits";
        }
        if (mutex->waiters.head != NULL && !is_contended(task, mutex)) {
            return "a mutex that is waited for, not in its holder's list";
        }
        if (mutex->waiters.head != NULL && mutex->waiters.head->prio > most) {
            most = mutex->waiters.head->prio;
        }
    }
    return task->prio == most ? NULL : "not the priority that it inherits";
}

/* What is on the inbox has been left behind who runs: that is so of tasks of
 * this priority. */
static bool goes_before(uint32_t prio)
{
    return ((uintptr_t)al_core.inbox & 1) != 0 && al_core.current->prio > prio;
}

static bool is_satisfied(uint32_t bits, const struct al_task *waiter)
{
    uint32_t hit = bits & waiter->wanted[0];

    return (waiter->wanted[1] & AL_EVENT_ALL) != 0 ? hit == waiter->wanted[0]
                                                   : hit != 0;
}

const char *rig_check_event(const struct al_event *event)
{
    bool owed = event->post.pending != 0 || event->next != NULL;

    if (owed && ((uintptr_t)al_core.inbox & 1) == 0) {
        return "a look at an event set is left";
    }
    for (const struct al_task *waiter = wait_first_held(&event->waiters);
            waiter != NULL; waiter = wait_next_held(waiter)) {
        if (is_satisfied(event->bits, waiter) &&
                !(owed && goes_before(waiter->prio))) {
            return "a satisfied waiter of an event set waits";
        }
    }
    return NULL;
}

static const char *check_post(const struct al_post *post)
{
    if (post->pending == 0) {
        return "a post on the inbox that is not pending";
    }
    if (post->tag == AL_TAG(AL_KIND_EVENT)) {
        return rig_check_event((const void *)((const char *)post -
                                              offsetof(struct al_event, post)));
    }
    return post->tag == AL_TAG(AL_KIND_CLOCK) ||
                           post->tag == AL_TAG(AL_KIND_TASK)
                   ? NULL
                   : "a post of the kind that is never left";
}

/* Posts may be left behind a more urgent task, not else. */
static const char *check_inbox(void)
{
    uintptr_t link = (uintptr_t)al_core.inbox;
    const char *wrong = NULL;

    if (link != 0 && (link & 1) == 0) {
        return "a post is left in the inbox";
    }
    for (link &= ~(uintptr_t)1; link != 0 && wrong == NULL;) {
        const struct al_post *post = (const struct al_post *)link;

        wrong = check_post(post);
        link = (uintptr_t)post->next & ~(uintptr_t)1;
    }
    return wrong;
}

static const char *check_task(
        const struct al_task *task, const struct al_timer_node **root)
{
    bool ready = is_in_ready_ring(task);
    const struct al_timer_node *its_root;

    if (task != al_core.current) {
        const char *wrong = check_context(task);

        if (wrong != NULL) {
            return wrong;
        }
    }
    if (ready != ((task->state == AL_TASK_READY ||
                          task->state == AL_TASK_RECOVERING) &&
                         (task->flags & AL_FLAG_SUSPENDED) == 0)) {
        return "state and ready ring disagree";
    }
    if (task->waitq != NULL) {
        const char *wrong = check_waiter(task);

        if (wrong != NULL) {
            return wrong;
        }
    }
    if ((task->flags & AL_FLAG_TIMED) == 0) {
        return NULL;
    }
    if (ready) {
        return "a ready task with a deadline";
    }
    its_root = root_of(&task->timer);
    if (its_root == NULL) {
        return "timer tree: order or links";
    }
    if (*root != NULL && *root != its_root) {
        return "two timer trees";
    }
    *root = its_root;
    return task->timer.when > al_now() || goes_before(task->prio)
                   ? NULL
                   : "a sleeper that is late";
}

const char *rig_check_unlocked(void)
{
    const char *wrong = check_ready();
    const struct al_timer_node *root = NULL;

    for (struct al_task *task = al_task_next(NULL);
            wrong == NULL && task != NULL; task = al_task_next(task)) {
        wrong = check_task(task, &root);
    }
    return wrong;
}

const char *rig_check(void)
{
    const char *wrong;

    if (al_core.locked != 0) {
        return "the lock is taken";
    }
    wrong = check_inbox();
    if (wrong != NULL) {
        return wrong;
    }
    for (unsigned rank = 0; rank < AL_PRIO_LEVELS; rank++) {
        if (al_core.ready[rank] == NULL) {
            continue;
        }
        if (al_core.ready[rank] != al_core.current) {
            return "the running task is not the first of the most urgent";
        }
        break;
    }
    wrong = rig_check_unlocked();
    for (struct al_task *task = al_task_next(NULL);
            wrong == NULL && task != NULL; task = al_task_next(task)) {
        wrong = check_mutexes(task);
    }
    return wrong;
}
