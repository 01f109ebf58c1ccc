/* SPDX-License-Identifier: MIT */
/*
 * One step of the walk through a dead stack; unwind.c says what holds. Here,
 * because each instruction counts for each frame that a task dies in
 * (docs/numbers.md, unwind_frame).
 *
 * Masks: no instruction in this file writes one.
 */
#include "offsets.h"

#include <alula/config.h>

        .syntax unified
        .arch armv7e-m
        .thumb

#define R(field)     (DEATH_##field - TASK_DEATH)
#define FINISH       0xb0
#define FRAME_LEFT   2                  /* ARCH_FRAME_LEFT; _END is 0 */
/* In the mask of r4-r15: r12, sp and pc, which no compiler's frame pops. */
#define NO_REGISTERS 0xb                /* >> 8 */

#if AL_CFG_RECOVERY

/*
 * enum arch_frame arch_unwind_next(struct arch_death *death, uintptr_t high,
 *                                  uint32_t past_pad)
 *
 * kernel/arch.h has its contract. The index entry of a place in code is the last
 * one that begins there or before: the search goes up from the number that
 * alula-index has written down for that part of the code.
 */
        .global __al_unwind_bits
        .set    __al_unwind_bits, UNWIND_BITS

        .section .text.arch_unwind_next, "ax", %progbits
        .global arch_unwind_next, arch_unwind_leave
        .type arch_unwind_next, %function
        .type arch_unwind_leave, %function
        .balign 4
arch_unwind_next:
        .fnstart
        .cantunwind
        @alula: unchecked 32
        ldr     ip, [r0, #R(TABLE)]
        str     r1, [r0, #R(TABLE)]
        cbnz    r2, unwind_past_pad
        ldr     r3, [r0, #R(PC)]
        ldr     r2, =al_trampoline_end - 2
        cmp     r3, r2                  /* the outermost frame: no search */
        beq     unwind_end
        ldr     r2, =__al_text_low
        subs    r1, r3, r2
        ldr     r2, =__al_text_bytes
        cmp     r1, r2
        bhs     unwind_end
        lsrs    r1, r1, #UNWIND_BITS
        ldr     r2, =__al_unwind_places
        ldrh    r1, [r2, r1, lsl #1]
        ldr     r2, =__al_unwind_low
        add     r1, r2, r1, lsl #3
        lsls    r3, r3, #1              /* bit 31 of the sum is none */
1:      ldr     r2, [r1, #8]!
        add     r2, r2, r1
        cmp     r3, r2, lsl #1
        bhs     1b
        ldr     r3, [r1, #-4]!          /* the one before: r1 its content */
        cmp     r3, #0
        bmi     unwind_short
        cmp     r3, #1                  /* CANTUNWIND */
        beq     unwind_end
        sbfx    r3, r3, #0, #31
        subs    r2, r1, #4              /* (death, table, entry) */
        add     r1, r1, r3
        ldr     r3, [r1]
        cmp     r3, #0
        bmi     unwind_short
        b       arch_unwind_pad
unwind_end:
        movs    r0, #0
        bx      lr

/*
 * enum arch_frame arch_unwind_leave(struct arch_death *death, uint32_t at)
 *
 * Step to the caller by the unwind instructions at `at` (ARM IHI 0038, table 4;
 * the most significant byte of each word is the first); death->table is the end
 * of the stack. What is popped lies in [low, end), the frames that are left.
 */
unwind_past_pad:
        mov     r1, ip
        .thumb_func
arch_unwind_leave:
        @alula: unchecked 32
        ldr     r3, [r1]
unwind_short:                           /* r3 the first word, at r1 */
        push    {r3-r8, r10, lr}
        mov     r4, r0
        ldr     r2, [r4, #R(SP)]        /* r2 the virtual stack pointer */
        ldr     r5, [r4, #R(TABLE)]     /* r5 end */
        mov     r8, r2                  /* r8 low */
        movs    r6, #0
        cmp     r3, #0
        bmi     1f
        ldrb    r6, [r1, #7]            /* behind a personality: how many words */
        adds    r1, #4                  /* follow the first one */
        b       2f
1:      lsls    r3, r3, #4              /* the short form 0: three bytes */
        lsrs    r3, r3, #28
        beq     2f
        ldrb    r6, [r1, #2]            /* 1 and 2: words follow */
        adds    r1, #1
2:      orr     r7, r1, #3
        add     r10, r7, r6, lsl #2     /* r10 the last of the instructions */
        b       3f
vsp_up:
        add     r2, r2, r3, lsl #2
        adds    r2, #4
next:
        cmp     r1, r10
        beq     done
3:      adds    r1, #1                  /* from here on r1 is at what was read */
        eor     r3, r1, #3
        ldrb    r3, [r3]
        cmp     r3, #0x40
        blo     vsp_up
        cmp     r3, #FINISH
        beq     done
        lsrs    r6, r3, #4
        cmp     r6, #0xa
        beq     pop_run
        cmp     r6, #8
        beq     pop_mask
        str     r1, [sp]
        mov     r0, r4                  /* (death, vsp, instruction, &at) */
        mov     r1, r2
        mov     r2, r3
        mov     r3, sp
        bl      arch_unwind_special
        mov     r2, r0
        ldr     r1, [sp]
        b       next
pop_run:                                /* r4 and on, and lr */
        cmp     r2, r8
        blo     fail
        mov     r0, r4
        and     r6, r3, #7
        lsrs    r3, r3, #1
4:      cmp     r2, r5
        bhs     fail
        ldmia   r2!, {r7}
        stmia   r0!, {r7}
        subs    r6, #1
        bpl     4b
pop_lr:                                 /* r3 & 4: lr as well */
        lsls    r3, r3, #30
        bcc     popped
        cmp     r2, r5
        bhs     fail
        ldmia   r2!, {r7}
        str     r7, [r4, #R(LR)]
popped: str     r2, [r4, #R(ADDRESS)]
        b       next
pop_mask:                               /* r4 to r11, and lr; r9 is not used */
        cmp     r2, r8
        blo     fail
        adds    r1, #1
        eor     r6, r1, #3
        ldrb    r6, [r6]
        tst     r3, #NO_REGISTERS
        bne     fail
        cmp     r6, #0
        beq     pop_lr
5:      cmp     r2, r5
        bhs     fail
        rbit    r0, r6
        clz     r0, r0
        ldmia   r2!, {r7}
        str     r7, [r4, r0, lsl #2]
        subs    r0, r6, #1
        ands    r6, r0
        bne     5b
        b       pop_lr
done:
        cmp     r2, r8
        blo     fail
        cmp     r2, r5
        bhi     fail
        bic     r8, r8, #7
        str     r8, [r4, #R(RUN_SP)]
        str     r2, [r4, #R(SP)]
        ldr     r3, [r4, #R(LR)]
        bic     r3, r3, #1
        subs    r3, #2
        ldr     r0, =__al_text_low
        subs    r0, r3, r0
        ldr     r1, =__al_text_bytes
        cmp     r0, r1
        bhs     fail                    /* lr tells a handler's end */
        str     r3, [r4, #R(PC)]
        movs    r0, #0                  /* a second frame cannot have left it */
        str     r0, [r4, #R(LR)]        /* unsaved */
        movs    r0, #FRAME_LEFT
        pop     {r3-r8, r10, pc}
fail:
        movs    r0, #0
        pop     {r3-r8, r10, pc}
        .ltorg
        .fnend
        .size   arch_unwind_next, . - arch_unwind_next

#endif
