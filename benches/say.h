/* SPDX-License-Identifier: MIT */
#pragma once

/* Printing by semihosting, at most 95 characters a call; formats as lib/fmt.h
 * has them. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
