/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What every board supplies beside its <board.h>: start-up, and an end. All that
 * we have are emulated, and end by semihosting.
 */

#include <alula/types.h>

#include "semihosting.h"

AL_EXTERN_C_BEGIN

/* Clocks and pins; before any task runs. */
void board_start(void);

/* The kernel stopped: its record is written, every interrupt is masked. On an
 * emulated board the emulator ends with status 1; silicon restarts. */
AL_NORETURN void board_stop(void);

AL_EXTERN_C_END
