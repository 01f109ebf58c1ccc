/* SPDX-License-Identifier: MIT */
/*
 * The workload in a task of Alula, without ticks: only it runs.
 */
#include <alula/alula.h>

#include "workload.h"

#define SYST_CSR (*(volatile uint32_t *)0xe000e010u)

static void main_task(void)
{
    SYST_CSR = 0;
    workload();
}

AL_TASK(measured, main_task, 3, 8192);
