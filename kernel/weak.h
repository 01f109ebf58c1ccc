/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What an image has in place of a module that nothing in it uses. A module that
 * calls one above itself, or one that may be absent, defines the function as
 * weak with one of these; the module's own takes its place when it is linked.
 * Where the kernel is optimised in the link, nothing is left of a weak one, also
 * in place of one that was not: not for what an application defines, nor for
 * files that stay outside (cmake/kernel).
 */

/* It returns `value`, and does nothing else. The second is for weak names that
 * are aliases of it. */
#define NOTHING_(linkage, result, function, type, value) \
  linkage result function(type *thing)                   \
  {                                                      \
    (void)thing;                                         \
    return value;                                        \
  }
#define WEAK_VALUE(result, function, type, value) \
  NOTHING_(__attribute__((weak)), result, function, type, value)
#define SHARED_VALUE(result, function, type, value) \
  NOTHING_(static, result, function, type, value)

/* It does nothing. */
#define WEAK(function, type) WEAK_VALUE(void, function, type, )

/* Is a module linked? It says so itself, by the second of these. */
#define NOT_LINKED(module)                            \
  __attribute__((weak)) bool module##_is_linked(void) \
  {                                                   \
    return false;                                     \
  }
#define LINKED(module)          \
  bool module##_is_linked(void) \
  {                             \
    return true;                \
  }
