# SPDX-License-Identifier: MIT
# Arm MPS2, FPGA image AN385: Cortex-M3.
set(ALULA_CHIP mps2)
set(ALULA_CPU_FLAGS
  -mcpu=cortex-m3 -mthumb -mfloat-abi=soft)
set(ALULA_RAM 4194304)
set(ALULA_QEMU -M mps2-an385 -icount shift=7,sleep=off)
set(ALULA_LINKER_SCRIPT boards/mps2-an385/link.ld)
set(ALULA_DRIVERS uart/uart.c uart/cmsdk_uart.c timer/cmsdk_periodic.c)
