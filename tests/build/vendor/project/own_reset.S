/* SPDX-License-Identifier: MIT */
/* A start-up of the application's own, which ends in the kernel's. It leaves an
 * interrupt behind, as bootloaders do. */
        .syntax unified
        .thumb
        .section .text.Reset_Handler, "ax", %progbits
        .global Reset_Handler
        .type Reset_Handler, %function
Reset_Handler:
        ldr     r0, =own_reset_ran
        movw    r1, #0xe5e7
        str     r1, [r0]
        cpsid   i
        ldr     r0, =0xe000e100         /* TIM4's line: enabled, pending */
        mov     r1, #(1 << 30)
        str     r1, [r0]
        str     r1, [r0, #0x100]
        b       al_boot
        .ltorg
        .size   Reset_Handler, . - Reset_Handler

        .section .noinit.vendor.reset, "aw", %nobits
        .balign 4
        .global own_reset_ran
own_reset_ran:
        .space  4
