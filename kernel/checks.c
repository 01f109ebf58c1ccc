/* SPDX-License-Identifier: MIT */
/*
 * What the compiler's own checks (-fsanitize=bounds,null,... without recovery)
 * call when one fails: the task dies, and its crash record names file, line
 * and, where there is one, the index. The names and the shape of `data` are the
 * compilers' common interface; only the location, always first, is read.
 *
 * Not here: checks that only print and go on.
 */
#include "recover.h"

#include <alula/crash.h>

struct check_location {
    const char *file;
    uint32_t line;
    uint32_t column;
};

/* The type of a misaligned or null access: what follows the location. */
struct check_access {
    struct check_location where;
    const void *type;
    unsigned char log_align;
    unsigned char kind;
};

#define CHECK(name, cause)                                           \
  AL_NORETURN void __ubsan_handle_##name##_abort(                    \
          const struct check_location *where, uintptr_t value);      \
  AL_NORETURN void __ubsan_handle_##name##_abort(                    \
          const struct check_location *where, uintptr_t value)       \
  {                                                                  \
    recover_panic(cause, where->line, (uint32_t)value, where->file); \
  }

CHECK(out_of_bounds, AL_CAUSE_OOB)
CHECK(divrem_overflow, AL_CAUSE_DIV0)
CHECK(add_overflow, AL_CAUSE_CHECK)
CHECK(sub_overflow, AL_CAUSE_CHECK)
CHECK(mul_overflow, AL_CAUSE_CHECK)
CHECK(negate_overflow, AL_CAUSE_CHECK)
CHECK(shift_out_of_bounds, AL_CAUSE_CHECK)
CHECK(pointer_overflow, AL_CAUSE_CHECK)
CHECK(load_invalid_value, AL_CAUSE_CHECK)
CHECK(nonnull_arg, AL_CAUSE_NULL)
CHECK(nonnull_return_v1, AL_CAUSE_NULL)
CHECK(invalid_builtin, AL_CAUSE_CHECK)
CHECK(vla_bound_not_positive, AL_CAUSE_VLA)

/* These two are told apart from the rest by name only: they cannot go on. */
AL_NORETURN void __ubsan_handle_builtin_unreachable(
        const struct check_location *where);
AL_NORETURN void __ubsan_handle_missing_return(
        const struct check_location *where);

AL_NORETURN void __ubsan_handle_builtin_unreachable(
        const struct check_location *where)
{
    recover_panic(AL_CAUSE_CHECK, where->line, 0, where->file);
}

AL_NORETURN void __ubsan_handle_missing_return(
        const struct check_location *where)
{
    recover_panic(AL_CAUSE_CHECK, where->line, 0, where->file);
}

AL_NORETURN void __ubsan_handle_type_mismatch_v1_abort(
        const struct check_access *access, uintptr_t pointer);

AL_NORETURN void __ubsan_handle_type_mismatch_v1_abort(
        const struct check_access *access, uintptr_t pointer)
{
    uintptr_t align = (uintptr_t)1 << access->log_align;
    uint32_t cause = AL_CAUSE_CHECK;

    if (pointer == 0) {
        cause = AL_CAUSE_NULL;
    } else if (pointer % align != 0) {
        cause = AL_CAUSE_ALIGN;
    }
    recover_panic(
            cause, access->where.line, (uint32_t)pointer, access->where.file);
}

/*
 * Division by zero that no instruction does: libgcc's 64-bit division, and the
 * 32-bit one where the processor has none, come here.
 */
AL_NORETURN void __aeabi_ldiv0(void);
AL_NORETURN void __aeabi_idiv0(void);

AL_NORETURN void __aeabi_ldiv0(void)
{
    recover_panic(AL_CAUSE_DIV0, 0, 0, NULL);
}

AL_NORETURN void __aeabi_idiv0(void)
{
    recover_panic(AL_CAUSE_DIV0, 0, 0, NULL);
}

/*
 * What compilers call where a cleanup must not fail and did, and what a library
 * calls when it gives up. The name is what the linker makes of each call of
 * abort(), the C library's own calls as well (cmake/alula.cmake).
 */
AL_NORETURN void abort(void) __asm__("__wrap_abort");

AL_NORETURN void abort(void)
{
    recover_panic(AL_CAUSE_PANIC, 0, 0, "abort() was called");
}

/* std::terminate(), for C++ programs without a runtime library: the same. */
AL_NORETURN void _ZSt9terminatev(void);

__attribute__((weak)) AL_NORETURN void _ZSt9terminatev(void)
{
    recover_panic(AL_CAUSE_PANIC, 0, 0, "std::terminate() was called");
}
