/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The few words that every other header needs: sizes, attributes, and the
 * two quantities that have a type of their own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <alula/config.h>

#ifdef __cplusplus
#  define AL_STATIC_ASSERT(cond, sentence) static_assert(cond, sentence)
#  define AL_EXTERN_C_BEGIN                extern "C" {
#  define AL_EXTERN_C_END                  }
#  define AL_NORETURN                      [[noreturn]]
#else
#  define AL_STATIC_ASSERT(cond, sentence) _Static_assert(cond, sentence)
#  define AL_EXTERN_C_BEGIN
#  define AL_EXTERN_C_END
#  define AL_NORETURN _Noreturn
#endif

#define AL_MUST_USE __attribute__((warn_unused_result))
#define AL_INLINE   static inline __attribute__((always_inline))

#define AL_CONCAT_(a, b) a##b
#define AL_CONCAT(a, b)  AL_CONCAT_(a, b)
/* A fresh name for something that a macro declares in its caller's block. */
#define AL_UNIQUE(stem) AL_CONCAT(stem, __LINE__)

/* Keeps the compiler from moving memory accesses across; emits nothing. */
#define AL_BARRIER() __asm__ volatile("" ::: "memory")

/*
 * Priority: 0 is idle, 1..AL_PRIO_LEVELS-1 are tasks, AL_PRIO_IRQ(n) are
 * interrupts; a larger number is more urgent.
 */
typedef uint16_t al_prio;

#define AL_PRIO_LEVELS AL_CFG_PRIO_LEVELS
#define AL_PRIO_IRQ(n) ((al_prio)(256 + (n)))

/* Time in ticks of AL_TICK_HZ since boot; see time.h. */
typedef uint64_t al_time;
