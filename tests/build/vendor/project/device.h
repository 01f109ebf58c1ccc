/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A device header as vendors write it: the interrupts' names, the processor's
 * features, CMSIS-Core on top.
 */

typedef enum {
    NonMaskableInt_IRQn = -14,
    MemoryManagement_IRQn = -12,
    BusFault_IRQn = -11,
    UsageFault_IRQn = -10,
    SVCall_IRQn = -5,
    DebugMonitor_IRQn = -4,
    PendSV_IRQn = -2,
    SysTick_IRQn = -1,
    TIM3_IRQn = 29,
    TIM4_IRQn = 30
} IRQn_Type;

#define __CM4_REV              0x0001
#define __MPU_PRESENT          1
#define __NVIC_PRIO_BITS       4
#define __Vendor_SysTickConfig 0
#define __FPU_PRESENT          1

#include <core_cm4.h>

extern uint32_t SystemCoreClock;
void SystemInit(void);
void SystemCoreClockUpdate(void);
