/* SPDX-License-Identifier: MIT */
/*
 * Start-up: from reset to the kernel. It runs on the interrupt stack, which is
 * the boot stack as well until the first task runs. Nothing here is checked: it
 * sets r9 before it calls anything that is.
 *
 * The protection unit guards the first addresses against every access, so that
 * a null pointer faults, and the flash against writing. Vector fetches are not
 * subject to it (ARM DDI 0403E, B3.5.1).
 */
#include "boot.h"
#include "image.h"
#include "registers.h"

#include <alula/config.h>
#include <alula/task.h>

#include <chip.h>

extern const struct al_task_def __al_taskdefs_low[];
extern const struct al_task_def __al_taskdefs_high[];
extern const uintptr_t __al_vectors[];

static void memory_start(void)
{
    const volatile uint32_t *from = __al_data_from;

    for (volatile uint32_t *to = __al_data_low; to < __al_data_high; to++) {
        *to = *from++;
    }
    for (volatile uint32_t *to = __al_bss_low; to < __al_bss_high; to++) {
        *to = 0;
    }
}

static void protection_start(void)
{
    struct mpu *mpu = MPU;

    if (mpu->type == 0) {
        return; /* a chip without one: LIMITS.md */
    }
    mpu->rbar = 0 | MPU_RBAR_VALID | 1;
    mpu->rasr = MPU_RASR_XN | MPU_RASR_AP_NONE |
                MPU_RASR_SIZE(CHIP_NULL_GUARD_LOG2) | MPU_RASR_ENABLE;
    mpu->rbar = CHIP_FLASH_BASE | MPU_RBAR_VALID | 0;
    mpu->rasr = MPU_RASR_AP_RO | MPU_RASR_NORMAL |
                MPU_RASR_SIZE(CHIP_FLASH_LOG2) | MPU_RASR_ENABLE;
    mpu->ctrl = MPU_CTRL_PRIVDEFENA | MPU_CTRL_ENABLE;
}

static void exceptions_start(void)
{
    struct scb *scb = SCB;

    scb->vtor = (uint32_t)__al_vectors;
    scb->ccr = CCR_STKALIGN | CCR_DIV_0_TRP;
    scb->shpr[4 - 4] = 0; /* MemManage, BusFault, UsageFault: above all */
    scb->shpr[5 - 4] = 0;
    scb->shpr[6 - 4] = 0;
    scb->shpr[11 - 4] = 0xf0; /* SVC, PendSV, SysTick: the kernel, below all */
    scb->shpr[14 - 4] = 0xf0;
    scb->shpr[15 - 4] = 0xf0;
    scb->shcsr = SHCSR_MEMFAULTENA | SHCSR_BUSFAULTENA | SHCSR_USGFAULTENA;
#ifdef __ARM_FP
    CPACR |= CPACR_CP10_CP11;
#endif
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

/* At the low end of RAM: an overflow that nothing checks leaves RAM. */
static char irq_stack[AL_CFG_IRQ_STACK]
        __attribute__((aligned(8), section(".noinit.alula.irq_stack"), used));

AL_NORETURN void arch_boot_c(void);

AL_NORETURN void arch_boot_c(void)
{
    static const struct boot_image image = {
            .tasks = {__al_taskdefs_low, __al_taskdefs_high},
            .heap_low = (uintptr_t)__al_heap_low,
            .heap_high = (uintptr_t)__al_heap_high,
    };

    exceptions_start();
    memory_start();
    protection_start();
    boot_kernel(&image);
}

/*
 * CMSIS's hook for a vendor's clocks and buses: before memory is initialised, so
 * that it may not keep anything in it. An application, or a library that it
 * links, defines its own.
 */
void SystemInit(void);

__attribute__((weak)) void SystemInit(void)
{
}

/* An application without one links this. Here, for nothing in this file is
 * optimised in the link (kernel/weak.h). */
__attribute__((weak)) void al_idle_hook(void)
{
}

AL_NORETURN void al_boot(void);
AL_NORETURN void Reset_Handler(void);

/*
 * Where an application's own Reset_Handler goes on, if it has one. Whatever came
 * before may leave any stack pointer, limit register or mask behind, and lines
 * enabled that have a handler here: they wait for arch_boot_open().
 */
__attribute__((naked)) AL_NORETURN void al_boot(void)
{
    __asm__ volatile("@alula: unchecked 0\n"
                     "cpsid i\n\t"
                     "ldr r0, =__al_irq_stack_top\n\t"
                     "msr msp, r0\n\t"
                     "movs r0, #0\n\t"
                     "msr control, r0\n\t"
                     "isb\n\t"
                     "msr basepri, r0\n\t"
                     "ldr r9, =__al_irq_limit\n\t"
                     "bl SystemInit\n\t"
                     "bl arch_boot_c");
}

__attribute__((weak, alias("al_boot"))) AL_NORETURN void Reset_Handler(void);
