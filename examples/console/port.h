/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The console's port, shared by its tasks: each call's output comes out in one
 * piece. Unwind: a task that dies in here leaves the port free.
 */

#include <alula/mutex.h>

/* Held while a task writes; `locks` shows it. */
extern struct al_mutex port_lock;

/* Write formatted text (lib/fmt.h), at most PORT_SAY_MAX characters. */
#define PORT_SAY_MAX 159
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

/* Write `count` bytes as they are. */
void port_write(const char *bytes, size_t count);

/* Wait until all output is out. */
void port_drain(void);

/* End the program with `status` once all output is out. */
AL_NORETURN void port_end(int status);
