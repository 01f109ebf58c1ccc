/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Ending an emulator, by semihosting (Arm, "Semihosting for AArch32 and
 * AArch64", SYS_EXIT_EXTENDED). Silicon without a debugger takes the breakpoint
 * as a HardFault, which skips it; the board restarts then.
 */

#include <alula/panic.h>

#define SEMIHOSTING_EXIT_EXTENDED    0x20u
#define SEMIHOSTING_APPLICATION_EXIT 0x20026u

AL_EXTERN_C_BEGIN

/* The program's end: the emulator's, with this status; silicon restarts. */
AL_NORETURN static inline void board_exit(int status)
{
    const uintptr_t block[2] = {
            SEMIHOSTING_APPLICATION_EXIT, (uintptr_t)status};
    register uintptr_t r0 __asm__("r0") = SEMIHOSTING_EXIT_EXTENDED;
    register const uintptr_t *r1 __asm__("r1") = block;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    al_reset();
}

AL_EXTERN_C_END
