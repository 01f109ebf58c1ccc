# SPDX-License-Identifier: MIT
# Arm MPS2, FPGA image AN386: Cortex-M4 with FPU.
set(ALULA_CHIP mps2)
set(ALULA_CPU_FLAGS
  -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16)
set(ALULA_RAM 4194304)
set(ALULA_QEMU -M mps2-an386 -icount shift=7,sleep=off)
set(ALULA_LINKER_SCRIPT boards/mps2-an386/link.ld)
set(ALULA_DRIVERS uart/uart.c uart/cmsdk_uart.c timer/cmsdk_periodic.c)
