/* SPDX-License-Identifier: MIT */
/*
 * The C library's ways to end a program end the calling task. No entry that
 * loads the stack limit: nothing here uses stack, and nothing comes back.
 */
#include <alula/panic.h>

AL_NORETURN void __wrap_exit(int status);
AL_NORETURN void __wrap__exit(int status);

/* What atexit() named is not called: the task starts again, the program does
 * not end. */
AL_NORETURN void __wrap_exit(int status)
{
    (void)status;
    al_panic("exit() was called");
}

AL_NORETURN void __wrap__exit(int status)
{
    (void)status;
    al_panic("exit() was called");
}

AL_NORETURN void __wrap___assert_func(const char *file, int line,
        const char *function, const char *condition);

AL_NORETURN void __wrap___assert_func(
        const char *file, int line, const char *function, const char *condition)
{
    (void)file;
    (void)line;
    (void)function;
    al_assert_failed(condition);
}
