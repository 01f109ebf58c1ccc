/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * STM32F405 at 168 MHz, emulated as QEMU's netduinoplus2.
 */

#include "../board.h"

#define BOARD_NAME "stm32f405"

/* Clock of TIM2 as the emulator has it; silicon's depends on its clock tree. */
#define BOARD_TIMER_HZ 1000000000u

/* Clock of the kernel's counter, TIM5. */
#define BOARD_COUNTER_HZ BOARD_TIMER_HZ

/* 1: the emulator's time runs on by two ticks while the processor sleeps until
 * one; 0 on silicon. Ticks missed in the idle task's sleep are then none. */
#define BOARD_OVERSLEEPS 1

/* One instruction under QEMU's -icount shift=4. */
#define BOARD_INSN_NS 16u

/* Counts of TIM2 that its interrupt may come late by in the emulator: one
 * instruction. */
#define BOARD_TIMER_SLIP 16u

/* 1: a reset leaves TIM2 counting from the emulator's start; 0 on silicon. */
#define BOARD_TIMER_OUTLIVES_RESET 1

/* USART1's BRR: 115200 baud from an 84 MHz APB2. */
#define BOARD_CONSOLE_BAUD_DIVISOR 0x2d9u

/* Interrupt lines that nothing on the board raises, for programs that raise some
 * by software: handler's name in the vector table, line. */
#define BOARD_SPARE_0_HANDLER ADC_IRQHandler
#define BOARD_SPARE_0_LINE    18u
#define BOARD_SPARE_1_HANDLER CAN1_TX_IRQHandler
#define BOARD_SPARE_1_LINE    19u
#define BOARD_SPARE_2_HANDLER CAN1_RX0_IRQHandler
#define BOARD_SPARE_2_LINE    20u
