/* SPDX-License-Identifier: MIT */
#pragma once

#include <alula/heap.h>

/* Give the heap its region, [low, high); at boot, before any task runs. */
void heap_boot(uintptr_t low, uintptr_t high);
