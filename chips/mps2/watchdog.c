/* SPDX-License-Identifier: MIT */
/*
 * The CMSDK watchdog (Cortex-M System Design Kit TRM, ARM DDI 0479, section
 * 4.7): its first time-out is the NMI, its second restarts the board. So the
 * NMI writes down who runs, and has the second one come at once.
 */
#include "services/guard.h"

#define REG(offset) (*(volatile uint32_t *)(0x40008000u + (offset)))

#define LOAD   REG(0x000)
#define CTRL   REG(0x008)
#define INTCLR REG(0x00c)
#define LOCK   REG(0xc00)

#define CTRL_INTEN 1u
#define CTRL_RESEN 2u
#define UNLOCK     0x1acce551u

#define COUNTS_PER_MS 25000u

/* From the warning to the restart: a console may send a line. */
#define LAST_COUNTS (2 * COUNTS_PER_MS)

void NMI_Handler(void);

static void set(uint32_t counts)
{
    LOCK = UNLOCK;
    LOAD = counts;
    CTRL = CTRL_INTEN | CTRL_RESEN;
    LOCK = 0;
}

static bool warned; /* the NMI's alone */

/* Called by NMI_Handler below, with the exception frame; perhaps again and
 * again: the line stays up. */
__attribute__((used)) static void nmi(const uint32_t *frame)
{
    if (!warned) {
        warned = true;
        guard_board_warned(frame[6]);
        set(LAST_COUNTS);
    }
}

/* clang-format off */
__asm__(".pushsection .text.NMI_Handler,\"ax\",%progbits\n"
        ".global NMI_Handler\n"
        ".type NMI_Handler, %function\n"
        ".thumb_func\n"
        "NMI_Handler:\n"
        "@alula: unchecked 0\n"
        ".fnstart\n"
        ".cantunwind\n"
        "tst lr, #4\n"
        "ite eq\n"
        "mrseq r0, msp\n"
        "mrsne r0, psp\n"
        "b nmi\n"
        ".fnend\n"
        ".size NMI_Handler, . - NMI_Handler\n"
        ".popsection\n");
/* clang-format on */

bool board_watchdog_start(uint32_t ms)
{
    if (ms == 0 || ms > UINT32_MAX / COUNTS_PER_MS) {
        return false;
    }
    set(ms * COUNTS_PER_MS);
    return true;
}

/* Clearing the interrupt loads the counter. */
void board_watchdog_feed(void)
{
    LOCK = UNLOCK;
    INTCLR = 1;
    LOCK = 0;
}
