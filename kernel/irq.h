/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Handlers that die, as the port sees them.
 */

#include <alula/types.h>

/* The handler of `line` died. True: it has died too often within a second, and
 * its line is to be disabled. In that handler. */
bool irq_died(uint32_t line);
