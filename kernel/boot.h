/* SPDX-License-Identifier: MIT */
#pragma once

#include "task.h"

/* What the port's start-up code knows of the image. */
struct boot_image {
    struct task_list tasks; /* the definition in front of them is idle's */
    uintptr_t heap_low;
    uintptr_t heap_high;
};

/*
 * Start the kernel. Memory is initialised, the processor set up, the boot stack
 * in use, the kernel lock taken: nothing is switched before the first task.
 */
AL_NORETURN void boot_kernel(const struct boot_image *image);
