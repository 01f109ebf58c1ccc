/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Registered scopes: what a task must give back, whatever happens to it.
 *
 * A scope is registered with its task before it takes effect, in a record in
 * the caller's own frame, and is undone exactly once: at the end of its block,
 * or, if the task dies first, by recovery, newest first. This does not depend
 * on what the compiler infers about exceptions, nor on the instruction at
 * which the task died, nor on whose frames lie in between.
 *
 * Not here: locks and heap blocks (mutex.h, heap.h), which are scopes too.
 * Leaving a block with longjmp() does not close its scopes.
 */

#include <alula/task.h>
#include <alula/types.h>

AL_EXTERN_C_BEGIN

/*
 * Fields belong to the kernel; AL_DEFER makes one. A mutex holds one as well:
 * all that a task must give back stands in one chain, newest first.
 */
struct al_scope {
    void *arg;             /* handed to fn; of a mutex: sp at the take */
    struct al_scope *prev; /* next older scope of the same task */
    void (*fn)(void *);    /* what undoes it; NULL: it is part of a mutex */
    union {
        struct al_task *task;   /* whose it is */
        struct al_scope *newer; /* of a mutex: of one that was taken next */
    };
};

/*
 * For lib/. Take a scope out of its task's chain: false when recovery
 * has closed it already. And, while a landing pad runs that closes `scope`, the
 * newest one that is newer, taken out of the chain, still to be run; locks
 * among them are released. `home` is where the closing code found the scope.
 * And what the end of a scope in its own frame has to run next: one of those,
 * itself, or nothing; each taken out of the chain.
 */
bool al_scope_unlink(struct al_scope *scope);
struct al_scope *al_scope_newer(struct al_scope *scope, const void *home);
struct al_scope *al_scope_next(struct al_scope *scope);

/* Closes a scope that is not its task's newest: a lock that was taken in its
 * block is still held, or recovery was here before this landing pad. */
void __al_scope_close(struct al_scope *scope);

/*
 * The order of the two stores is the promise: a record is whole before the
 * task's chain names it, so that a death, or an interrupt, at any instruction
 * sees either no record or a whole one.
 */
AL_INLINE void al_scope_open(
        struct al_scope *scope, void (*fn)(void *), void *arg)
{
    struct al_task *self = al_task_self();

    arch_scope_write(scope, arg, self->scopes, fn, self);
    self->scopes = scope;
    AL_BARRIER();
}

/*
 * For what closes scopes: the task's newest scope is taken out of its chain,
 * and *fn is to be called with *arg; false: __al_scope_close() does it all.
 * Unlinked first: if fn dies, recovery does not run it a second time.
 */
AL_INLINE bool al_scope_leave(
        struct al_scope *scope, void (**fn)(void *), void **arg)
{
    void *prev;
    void *task;

    arch_scope_read(scope, arg, &prev, fn, &task);
    if (__builtin_expect(((struct al_task *)task)->scopes != scope, 0)) {
        return false;
    }
    ((struct al_task *)task)->scopes = (struct al_scope *)prev;
    return true;
}

/* fn is code that may run out of its stack: what arch_scope_closing() notes
 * lets it finish all the same. */
AL_INLINE void al_scope_close(struct al_scope *scope)
{
    void (*fn)(void *);
    void *arg;

    if (al_scope_leave(scope, &fn, &arg)) {
        arch_scope_closing();
        fn(arg);
    } else {
        arch_scope_closing();
        __al_scope_close(scope);
    }
}

/**
 * Call `fn(arg)` when the enclosing block is left, or when the task dies in it.
 *
 * @param[in] function  void (*)(void *); runs in the task, may lock and free
 * @param[in] argument  handed to it; must live as long as the block
 * @context   task
 * @unwind    runs once, newest first, at its own frame's stack pointer; if it
 *            dies in turn, it alone is abandoned. An overflow inside it at the
 *            end of the block ends the task after it, if it gets by with
 *            AL_CFG_CLEANUP_STACK bytes more
 * @cost      14 instructions beyond fn itself; docs/numbers.md#defer
 */
#define AL_DEFER(function, argument)                                  \
  __attribute__((cleanup(al_scope_close))) struct al_scope AL_UNIQUE( \
          al_defer_);                                                 \
  al_scope_open(&AL_UNIQUE(al_defer_), function, argument)

AL_EXTERN_C_END
