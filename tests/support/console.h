/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A console for tests of the C library's streams: takes the UART driver's place
 * and keeps what is written. `sources: ../support/console.c`
 */

#include <stddef.h>

#define CONSOLE_KEPT 16384

extern char console_text[CONSOLE_KEPT];
extern volatile size_t console_length;

/* Called for each byte before it is kept, in the task that prints; or NULL. */
extern void (*volatile console_hook)(char c);
