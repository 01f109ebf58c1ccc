/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The same work for both images: with_checks.c runs it in a task of Alula,
 * without_checks.c where the C library's start-up calls main().
 */

/* Runs all parts, says `overhead PART INSTRUCTIONS DIGEST` for each and
 * `# done PARTS`, and ends the program. */
_Noreturn void workload(void);
