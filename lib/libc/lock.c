/* SPDX-License-Identifier: MIT */
/*
 * Locks of the C library (picolibc's sys/lock.h): what it declares and calls.
 * It calls from code that was not compiled with our flags, hence through
 * entries that load the stack limit first.
 */
#include "lock.h"

#include <alula/callback.h>
#include <alula/heap.h>

static void made_whole(struct __lock *lock, al_status status)
{
    if (status == AL_E_POISONED) {
        al_mutex_heal(&lock->mutex);
    }
}

void al_libc_lock(struct __lock *lock)
{
    made_whole(lock, al_mutex_lock(&lock->mutex));
}

bool al_libc_try_lock(struct __lock *lock)
{
    al_status status = al_mutex_try_lock(&lock->mutex);

    made_whole(lock, status);
    return status != AL_E_BUSY;
}

void al_libc_unlock(struct __lock *lock)
{
    al_mutex_unlock(&lock->mutex);
}

/* Of the C library's own, one byte: its name for the lock that is ours. */
extern char __lock___libc_recursive_mutex;

static struct __lock common = AL_LIBC_LOCK_INIT;

static struct __lock *ours(void *lock)
{
    return lock == &__lock___libc_recursive_mutex ? &common : lock;
}

/* When the heap is full, the common one will do. */
__attribute__((used)) static void make(void **lock)
{
    static const struct __lock fresh = AL_LIBC_LOCK_INIT;
    struct __lock *made = al_heap_alloc(sizeof(*made));

    if (made == NULL) {
        *lock = &common;
        return;
    }
    *made = fresh;
    *lock = made;
}

__attribute__((used)) static void drop(void *lock)
{
    if (ours(lock) != &common) {
        al_heap_free(lock);
    }
}

__attribute__((used)) static void lock_any(void *lock)
{
    al_libc_lock(ours(lock));
}

__attribute__((used)) static int try_any(void *lock)
{
    return al_libc_try_lock(ours(lock)) ? 0 : 1;
}

__attribute__((used)) static void unlock_any(void *lock)
{
    al_libc_unlock(ours(lock));
}

AL_LIBRARY_ENTRY(__wrap___retarget_lock_init, make)
AL_LIBRARY_ENTRY(__wrap___retarget_lock_init_recursive, make)
AL_LIBRARY_ENTRY(__wrap___retarget_lock_close, drop)
AL_LIBRARY_ENTRY(__wrap___retarget_lock_close_recursive, drop)
AL_LIBRARY_ENTRY(__wrap___retarget_lock_acquire, lock_any)
AL_LIBRARY_ENTRY(__wrap___retarget_lock_acquire_recursive, lock_any)
AL_LIBRARY_ENTRY(__wrap___retarget_lock_try_acquire, try_any)
AL_LIBRARY_ENTRY(__wrap___retarget_lock_try_acquire_recursive, try_any)
AL_LIBRARY_ENTRY(__wrap___retarget_lock_release, unlock_any)
AL_LIBRARY_ENTRY(__wrap___retarget_lock_release_recursive, unlock_any)
