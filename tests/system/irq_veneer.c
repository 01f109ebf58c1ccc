/* SPDX-License-Identifier: MIT */
/*
 * Claim: a handler made by AL_IRQ runs against the interrupt stack's limit,
 * whatever the interrupted code had in r9, and that code finds its r9 again;
 * handlers of all levels nest; the tick is the least urgent of all.
 *   1. a task spins with 0, ~0, a stale limit and others in r9; interrupts come
 *   2. in the handler r9 is the interrupt stack's limit, after it the value
 *   3. one interrupt of each level pends the next more urgent one: they nest
 *      strictly, each at once, three and all levels deep, and end in reverse
 *   4. a less urgent one, and one of the same level, waits for the end
 *   5. the tick does not interrupt a handler of any level; nothing is below
 *      it, SVC and PendSV stand beside it
 *   6. a line that is enabled without a handler is disabled by its first
 *      interrupt, and nothing else happens
 * Fails if: the veneer does not restore r9, a level is mapped twice, or the
 * tick is more urgent than level 0.
 * builds: gcc-O2 gcc-O0 clang-O2
 * options: AL_CFG_IRQ_STACK=4096
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "test.h"

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define ISPR(line)   REG(0xe000e200u + (line) / 32 * 4)
#define ISER(line)   REG(0xe000e100u + (line) / 32 * 4)
#define BIT(line)    (1u << (line) % 32)

extern char __al_irq_limit[];

/* A line for each level and one more; the rig's timers have others. */
#define LINES (AL_IRQ_LEVELS + 1)
static const uint32_t lines[LINES] = {
        0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 14, 15, 16, 17};
#define SAME_LEVEL (LINES - 1) /* its level is that of line number 5 */
#define UNHANDLED  20u

static volatile uint32_t depth, deepest, order_wrong;
static volatile uint32_t limit_wrong;
static volatile uint32_t ran;       /* handlers, one bit a line */
static volatile uint32_t pend_next; /* each pends the next line up */
static volatile uint32_t pend_also; /* a line that must not come at once */
static volatile uint32_t tick_in;   /* bit n: line n pends the tick */
static volatile al_time tick_moved;

static uint32_t r9_now(void)
{
    uint32_t r9;

    __asm__ volatile("mov %0, r9" : "=r"(r9));
    return r9;
}

static void pend(uint32_t line)
{
    ISPR(line) = BIT(line);
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

__attribute__((noinline)) static void handler(uint32_t n)
{
    uint32_t at = depth;
    al_time now = al_now();

    limit_wrong += r9_now() != (uint32_t)__al_irq_limit;
    depth = at + 1;
    if (depth > deepest) {
        deepest = depth;
    }
    ran |= 1u << n;
    if ((tick_in >> n & 1) != 0) {
        rig_pend_tick();
    }
    if (pend_also != 0 && n != pend_also) {
        pend(lines[pend_also]);
        order_wrong += (ran >> pend_also & 1) != 0;
    }
    if (n < pend_next) {
        pend(lines[n + 1]);
        order_wrong += (ran >> (n + 1) & 1) == 0;
    }
    order_wrong += depth != at + 1; /* who came in between has ended */
    tick_moved += al_now() != now;
    limit_wrong += r9_now() != (uint32_t)__al_irq_limit;
    depth = at;
}

#define HANDLER(n, vector) \
  AL_IRQ(vector)           \
  {                        \
    handler(n);            \
  }

#if BOARD_INSN_NS == 16 /* stm32f405 */
HANDLER(0, WWDG_IRQHandler)
HANDLER(1, PVD_IRQHandler)
HANDLER(2, TAMP_STAMP_IRQHandler)
HANDLER(3, RTC_WKUP_IRQHandler)
HANDLER(4, FLASH_IRQHandler)
HANDLER(5, RCC_IRQHandler)
HANDLER(6, EXTI0_IRQHandler)
HANDLER(7, EXTI1_IRQHandler)
HANDLER(8, DMA1_Stream0_IRQHandler)
HANDLER(9, DMA1_Stream1_IRQHandler)
HANDLER(10, DMA1_Stream2_IRQHandler)
HANDLER(11, DMA1_Stream3_IRQHandler)
HANDLER(12, DMA1_Stream4_IRQHandler)
HANDLER(13, DMA1_Stream5_IRQHandler)
HANDLER(14, DMA1_Stream6_IRQHandler)
#else /* mps2 */
HANDLER(0, UARTRX0_Handler)
HANDLER(1, UARTTX0_Handler)
HANDLER(2, UARTRX1_Handler)
HANDLER(3, UARTTX1_Handler)
HANDLER(4, UARTRX2_Handler)
HANDLER(5, UARTTX2_Handler)
HANDLER(6, PORT0_ALL_Handler)
HANDLER(7, PORT1_ALL_Handler)
HANDLER(8, SPI_Handler)
HANDLER(9, UARTOVF_Handler)
HANDLER(10, ETHERNET_Handler)
HANDLER(11, I2S_Handler)
HANDLER(12, TSC_Handler)
HANDLER(13, PORT2_ALL_Handler)
HANDLER(14, PORT3_ALL_Handler)
#endif

/* Spins until *go, with `value` in r9; returns what r9 then differs by. */
uint32_t spin_with_r9(const volatile uint32_t *go, uint32_t value);

__asm__(".pushsection .text.spin_with_r9,\"ax\",%progbits\n"
        ".global spin_with_r9\n"
        ".type spin_with_r9, %function\n"
        ".thumb_func\n"
        "spin_with_r9:\n"
        "@alula: unchecked 0\n"
        ".fnstart\n"
        ".cantunwind\n"
        "mov r2, r9\n"
        "mov r9, r1\n"
        "1: ldr r3, [r0]\n"
        "cmp r3, #0\n"
        "beq 1b\n"
        "sub r0, r9, r1\n"
        "mov r9, r2\n"
        "bx lr\n"
        ".fnend\n"
        ".size spin_with_r9, . - spin_with_r9\n"
        ".popsection\n");

static volatile uint32_t over;
static volatile uint32_t left;

static void again(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    limit_wrong += r9_now() != (uint32_t)__al_irq_limit;
    if (left == 0) {
        over = 1;
        return;
    }
    left--;
    rig_arm(0, 20 + left % 17, again);
}

static void keeps_r9(void)
{
    const uint32_t values[] = {0, 0xffffffffu, 0x80000000u,
            (uint32_t)__al_irq_limit, r9_now() - 8, r9_now() + 100000};

    for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        over = 0;
        left = 100;
        rig_arm(0, 50, again);
        CHECK(spin_with_r9(&over, values[i]) == 0, "r9 %x is kept",
                (unsigned)values[i]);
    }
    CHECK(limit_wrong == 0, "handlers had the interrupt stack's limit");
}

static void start(void)
{
    depth = 0;
    deepest = 0;
    order_wrong = 0;
    limit_wrong = 0;
    ran = 0;
    pend_next = 0;
    pend_also = 0;
    tick_in = 0;
    tick_moved = 0;
}

static void nests(void)
{
    static const uint32_t tops[] = {2, AL_IRQ_LEVELS - 1};

    for (unsigned i = 0; i < 2; i++) {
        for (uint32_t from = 0; from < tops[i]; from++) {
            uint32_t expected = (2u << tops[i]) - (1u << from);

            start();
            pend_next = tops[i];
            pend(lines[from]);
            CHECK(deepest == tops[i] - from + 1 && ran == expected &&
                            order_wrong == 0 && limit_wrong == 0 && depth == 0,
                    "levels %u to %u nest", (unsigned)from, (unsigned)tops[i]);
        }
    }
}

static void waits(void)
{
    static const uint32_t pairs[][2] = {{5, 4}, {5, 1}, {5, SAME_LEVEL},
            {SAME_LEVEL, 5}, {13, 12}, {13, 1}};

    for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        start();
        pend_also = pairs[i][1];
        pend(lines[pairs[i][0]]);
        CHECK(order_wrong == 0 && deepest == 1 &&
                        ran == (1u << pairs[i][0] | 1u << pairs[i][1]),
                "line %u does not interrupt line %u", (unsigned)pairs[i][1],
                (unsigned)pairs[i][0]);
    }
}

static void tick_is_least(void)
{
    for (uint32_t n = 0; n < LINES; n++) {
        al_time before = al_now();

        start();
        tick_in = 1u << n;
        pend(lines[n]);
        CHECK(tick_moved == 0 && al_now() == before + 1,
                "the tick waits for line %u", (unsigned)n);
    }
    CHECK((REG(0xe000ed1cu) >> 24) == 0xf0 &&
                    (REG(0xe000ed20u) >> 16 & 0xff) == 0xf0 &&
                    (REG(0xe000ed20u) >> 24) == 0xf0,
            "SVC, PendSV and the tick are the lowest");
}

static void unhandled(void)
{
    uint32_t crashes = al_crash_count();

    start();
    al_irq_enable(UNHANDLED, AL_PRIO_IRQ(3));
    CHECK((ISER(UNHANDLED) & BIT(UNHANDLED)) != 0, "a line is enabled");
    pend(UNHANDLED);
    CHECK((ISER(UNHANDLED) & BIT(UNHANDLED)) == 0,
            "without a handler it is disabled");
    pend(UNHANDLED);
    CHECK(ran == 0 && al_crash_count() == crashes + 1,
            "that is recorded, and that is all");
    al_irq_enable(lines[3], AL_PRIO_IRQ(3));
    al_irq_disable(lines[3]);
    pend(lines[3]);
    CHECK(ran == 0, "a disabled line does not come");
    al_irq_enable(lines[3], AL_PRIO_IRQ(3));
    CHECK(ran == 8, "it comes when it is enabled again");
}

static void judge_main(void)
{
    const char *wrong;

    rig_start();
    for (uint32_t n = 0; n < AL_IRQ_LEVELS; n++) {
        al_irq_enable(lines[n], AL_PRIO_IRQ(n));
    }
    al_irq_enable(lines[SAME_LEVEL], AL_PRIO_IRQ(5));
    keeps_r9();
    nests();
    waits();
    tick_is_least();
    unhandled();
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
