# SPDX-License-Identifier: MIT
# STM32F405 as on a Crazyflie or a Netduino Plus 2; QEMU's default board here.
set(ALULA_CHIP stm32f405)
set(ALULA_CPU_FLAGS
  -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16)
set(ALULA_RAM 131072)
set(ALULA_QEMU -M netduinoplus2 -icount shift=4,sleep=off)
set(ALULA_LINKER_SCRIPT boards/stm32f405/link.ld)
set(ALULA_DRIVERS uart/uart.c uart/stm32_usart.c timer/stm32_periodic.c)
