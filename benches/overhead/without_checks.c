/* SPDX-License-Identifier: MIT */
/*
 * The workload as any toolchain's program, without Alula.
 */
#include "workload.h"

int main(void)
{
    workload();
}
