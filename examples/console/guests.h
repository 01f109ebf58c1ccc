/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Tasks that commands make at run time, and the command `spawn`, which is about
 * nothing else. A guest is more urgent than the task that runs commands: it has
 * begun, and waits for something, when the command that made it comes back.
 */

#include <alula/task.h>

/* A guest prints nothing itself. With 8 bytes of arguments its block of the heap
 * has a size that the heap finds again once it is free. */
#define GUEST_STACK_BYTES 760
#define GUEST_PRIO        9

/**
 * Make one.
 *
 * @param[in] params  stack and policy are filled in here
 * @param[out] id     its name
 * @context   the task that runs commands
 * @return    as al_task_spawn()
 */
AL_MUST_USE al_status guest_make(
        struct al_task_params *params, struct al_task_id *id);

/* Bytes of the heap that the kernel keeps for guests to come. */
size_t guests_kept_bytes(void);

/* End all that `spawn` made. */
void guests_end(void);

/* The command; `rest` is what was typed behind its name. */
void guests_command(const char *rest);
