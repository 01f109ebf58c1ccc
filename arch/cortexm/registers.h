/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The system registers that this port touches, named as in the Armv7-M
 * Architecture Reference Manual, ARM DDI 0403E, sections B3.2 to B3.5.
 */

#include <stdint.h>

#define REG32(address) (*(volatile uint32_t *)(address))
#define REG8(address)  ((volatile uint8_t *)(address))

#define SYST_CSR REG32(0xe000e010)
#define SYST_RVR REG32(0xe000e014)
#define SYST_CVR REG32(0xe000e018)

#define SYST_CSR_ENABLE    0x1u
#define SYST_CSR_TICKINT   0x2u
#define SYST_CSR_CLKSOURCE 0x4u

#define NVIC_ISER ((volatile uint32_t *)0xe000e100)
#define NVIC_ICER ((volatile uint32_t *)0xe000e180)
#define NVIC_IABR ((volatile uint32_t *)0xe000e300)
#define NVIC_IPR  REG8(0xe000e400)

#define ICSR  REG32(0xe000ed04)
#define AIRCR REG32(0xe000ed0c)
#define CPACR REG32(0xe000ed88)

/* From VTOR on; and the MPU's: what start-up writes, in reach of short
 * instructions if the compiler does not see what address it is. */
struct scb {
    volatile uint32_t vtor;
    volatile uint32_t aircr;
    volatile uint32_t scr;
    volatile uint32_t ccr;
    volatile uint8_t shpr[12]; /* shpr[n]: exception n + 4 */
    volatile uint32_t shcsr;
};

struct mpu {
    volatile uint32_t type;
    volatile uint32_t ctrl;
    volatile uint32_t rnr;
    volatile uint32_t rbar;
    volatile uint32_t rasr;
};

static inline void *registers_at(uint32_t address)
{
    __asm__("" : "+r"(address));
    return (void *)address;
}

#define SCB ((struct scb *)registers_at(0xe000ed08))
#define MPU ((struct mpu *)registers_at(0xe000ed90))

#define ICSR_PENDSVSET    (1u << 28)
#define ICSR_PENDSTSET    (1u << 26)
#define ICSR_RETTOBASE    (1u << 11)
#define AIRCR_VECTKEY     (0x5fau << 16)
#define AIRCR_SYSRESETREQ (1u << 2)
#define CCR_STKALIGN      (1u << 9)
#define CCR_DIV_0_TRP     (1u << 4)
#define SHCSR_MEMFAULTENA (1u << 16)
#define SHCSR_BUSFAULTENA (1u << 17)
#define SHCSR_USGFAULTENA (1u << 18)
#define CPACR_CP10_CP11   (0xfu << 20)

#define MPU_CTRL_ENABLE     0x1u
#define MPU_CTRL_PRIVDEFENA 0x4u
#define MPU_RBAR_VALID      (1u << 4)
#define MPU_RASR_ENABLE     0x1u
#define MPU_RASR_XN         (1u << 28)
#define MPU_RASR_AP_NONE    (0u << 24)
#define MPU_RASR_AP_RO      (6u << 24)
#define MPU_RASR_NORMAL     (2u << 16) /* C: write-through */
#define MPU_RASR_SIZE(log2) (((uint32_t)(log2)-1) << 1)

/* CFSR bits, section B3.2.15. */
#define CFSR_IACCVIOL    (1u << 0)
#define CFSR_DACCVIOL    (1u << 1)
#define CFSR_IBUSERR     (1u << 8)
#define CFSR_PRECISERR   (1u << 9)
#define CFSR_IMPRECISERR (1u << 10)
#define CFSR_UNDEFINSTR  (1u << 16)
#define CFSR_INVSTATE    (1u << 17)
#define CFSR_NOCP        (1u << 19)
#define CFSR_UNALIGNED   (1u << 24)
#define CFSR_DIVBYZERO   (1u << 25)
