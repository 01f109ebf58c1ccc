/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Formatting into a bounded buffer, without a libc: small, no heap, no locale,
 * no floating point, and a stack depth that can be stated.
 *
 *   %c  character (int)           %%  a percent sign
 *   %s  text; NULL prints (null)  a width cuts nothing; %-Ns pads behind
 *   %u  unsigned                  %d  signed
 *   %x  hexadecimal, lower case
 *
 * Between % and the letter, in this order: `-` (pad behind), `0` (pad numbers
 * with zeros), a width of 1 or 2 digits, `ll` (a 64-bit argument). Anything
 * else behind a % is printed as it stands.
 */

#include <stdarg.h>
#include <stddef.h>

/**
 * Format into `out`, which always ends in NUL.
 *
 * @param[out] out   `size` bytes
 * @param[in] size   at least 1
 * @param[in] format as above
 * @context   any
 * @return    characters written, without the NUL: at most size - 1; what does
 *            not fit is dropped
 * @cost      linear in what is written
 */
__attribute__((format(printf, 3, 4))) size_t fmt_print(
        char *out, size_t size, const char *format, ...);

/* The same, with the arguments as a list. */
__attribute__((format(printf, 3, 0))) size_t fmt_vprint(
        char *out, size_t size, const char *format, va_list args);
