/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What lwIP asks of a port.
 */

#include <stdint.h>

/* Says `what` and ends the program with status 1. */
_Noreturn void workload_failed(const char *what);
uint32_t workload_random(void);

#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x) workload_failed(x)
#define LWIP_RAND()             workload_random()
