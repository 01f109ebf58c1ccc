/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * State of a task that does not outlive it by accident: zeros at each start, or
 * what its last checkpoint kept, also over a reset of the board.
 *
 *     AL_TASK_STATE(trip, struct trip);
 *
 *     static void trip_main(void)
 *     {
 *         struct trip *now = trip_begin();
 *         ...
 *         al_task_checkpoint(&trip);
 *
 * There are two copies, each with a sequence number and a checksum, and a
 * checkpoint writes the older one: whatever ends the task, or the board, at
 * whatever instruction, the next start finds the new checkpoint or the one
 * before, whole. What another build left in the memory is none, nor is what it
 * holds at power-up.
 *
 * A state is one task's: nobody else begins it or makes a checkpoint of it
 * meanwhile. Pointers in it to what died with the task are the user's error.
 */

#include <alula/types.h>

AL_EXTERN_C_BEGIN

/* Heads a copy. Belongs to state.c. */
struct al_state_copy {
    uint32_t sequence; /* 0: none; else the later one is newer */
    uint32_t checksum; /* of sequence, build, place, and the bytes behind */
};

/* Fields belong to state.c; define one with AL_TASK_STATE. */
struct al_state {
    char *now;
    uint32_t bytes;
    struct al_state_copy *copies[2]; /* the bytes follow each */
};

/**
 * Begin a life: the newest checkpoint, or zeros. AL_TASK_STATE defines
 * `label_begin()`, which calls this.
 *
 * @context   any
 * @return    the state
 * @cost      linear in its bytes
 */
void *al_task_state_begin(const struct al_state *state);

/**
 * Keep the state as it is now for the task's next lives.
 *
 * @context   any
 * @unwind    a death before it is done leaves the checkpoint before this one
 * @cost      linear in its bytes
 */
void al_task_checkpoint(const struct al_state *state);

/**
 * Drop what was kept: the next life begins with zeros.
 *
 * @context   any
 * @unwind    a death before it is done leaves the newest checkpoint
 * @cost      constant
 */
void al_task_checkpoint_drop(const struct al_state *state);

/**
 * Define a task's state, at file scope.
 *
 * @param label  of a struct al_state, and of `type *label_begin(void)`, which
 *               the task calls once at its start
 * @param type   copied byte by byte; costs three times its size in RAM
 */
#define AL_TASK_STATE(label, type)                                       \
  static type AL_CONCAT(label, _now);                                    \
  static struct {                                                        \
    struct al_state_copy head;                                           \
    char bytes[sizeof(type)];                                            \
  } AL_CONCAT(label, _copies)[2]                                         \
          __attribute__((section(".noinit.alula.states")));              \
  static const struct al_state label = {(char *)&AL_CONCAT(label, _now), \
          sizeof(type),                                                  \
          {&AL_CONCAT(label, _copies)[0].head,                           \
                  &AL_CONCAT(label, _copies)[1].head}};                  \
  AL_INLINE type *AL_CONCAT(label, _begin)(void)                         \
  {                                                                      \
    return (type *)al_task_state_begin(&label);                          \
  }                                                                      \
  AL_STATIC_ASSERT(sizeof(type) > 0, "a state has bytes")

AL_EXTERN_C_END
