/* SPDX-License-Identifier: MIT */
/*
 * Start and end of this board's images. Clocks are as reset leaves them.
 */
#include "board.h"

void board_start(void)
{
}

AL_NORETURN void board_stop(void)
{
    board_exit(1);
}
