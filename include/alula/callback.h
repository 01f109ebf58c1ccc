/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Callbacks for precompiled code. Code that was not built with Alula's flags
 * (a libc, a vendor's archive) uses the stack-limit register as it likes and
 * may call back with garbage in it. A pointer made by AL_CALLBACK goes through
 * a veneer that loads the limit first, and puts the caller's value back.
 */

#include <alula/types.h>

#include <arch/port.h>

/**
 * Make a pointer to `fn` that precompiled code may call.
 *
 * @param[in] fn  name of a function with at most four word-sized arguments
 *                (none on the stack) and external linkage or `used`
 * @return    a pointer of fn's own type
 * @cost      9 instructions per call
 */
#define AL_CALLBACK(fn) ARCH_CALLBACK(fn)

/**
 * Define the global function `name`, for precompiled code to call by its name:
 * it is `fn`, behind a veneer as AL_CALLBACK makes it. At file scope.
 *
 * @param name  declared, where C code needs it, with fn's type
 * @param fn    name of a function as for AL_CALLBACK
 * @cost      9 instructions per call
 */
#define AL_LIBRARY_ENTRY(name, fn) ARCH_LIBRARY_ENTRY(name, fn)
