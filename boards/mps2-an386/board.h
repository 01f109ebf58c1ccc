/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Arm MPS2, emulated by QEMU.
 */

#include "../board.h"

#define BOARD_NAME "mps2-an386"

/* Clock of the CMSDK timers and UARTs. */
#define BOARD_TIMER_HZ 25000000u

/* Clock of the kernel's counter, the FPGA's cycle counter. */
#define BOARD_COUNTER_HZ 25000000u

/* 1: the emulator's time runs on by two ticks while the processor sleeps until
 * one; 0 on silicon. Ticks missed in the idle task's sleep are then none. */
#define BOARD_OVERSLEEPS 1

/* One instruction under QEMU's -icount shift=7. */
#define BOARD_INSN_NS 128u

/* The UART's BAUDDIV: 115200 baud. */
#define BOARD_CONSOLE_BAUD_DIVISOR 217u

/* Interrupt lines that nothing on the board raises, for programs that raise some
 * by software: handler's name in the vector table, line. */
#define BOARD_SPARE_0_HANDLER UARTRX3_Handler
#define BOARD_SPARE_0_LINE    18u
#define BOARD_SPARE_1_HANDLER UARTTX3_Handler
#define BOARD_SPARE_1_LINE    19u
#define BOARD_SPARE_2_HANDLER UARTRX4_Handler
#define BOARD_SPARE_2_LINE    20u
