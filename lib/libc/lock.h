/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The C library's locks: recursive, with priority inheritance, and a part of
 * their holder's scopes. A task that dies with one, say in the middle of
 * printf(), lets go of it; the next one to take it finds it as new. What the
 * lock protects is the C library's, and may be half done: a stream has nothing
 * that could be, a list of environment variables may lack one.
 */

#include <alula/mutex.h>

/* The C library's name for it. */
struct __lock {
    struct al_mutex mutex;
};

#define AL_LIBC_LOCK_INIT   \
  {                         \
    AL_MUTEX_INIT_RECURSIVE \
  }

/* Tasks only, as al_mutex_lock(). */
void al_libc_lock(struct __lock *lock);
bool al_libc_try_lock(struct __lock *lock);
void al_libc_unlock(struct __lock *lock);
