/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What alula-stack cannot see in the code, stated in it: where a call through a
 * pointer goes, how deep a recursion is, how large an array of variable size
 * becomes. It goes into a section of the image that is not loaded. docs/stack.md
 * tells what alula-stack makes of it, and how to say it of code that cannot be
 * edited.
 *
 * Statements stand in the function that they are about, and stay with their
 * code when the compiler puts it into another. Nothing here changes what a
 * program does, and no stack check relies on it: a task that needs more than was
 * stated dies of its overflow, as any other.
 */

#include <alula/types.h>

#include <arch/port.h>

#define AL_STACK_TEXT_(kind, a, b) kind " " #a " " #b
#define AL_STACK_TEXT(kind, a, b)  AL_STACK_TEXT_(kind, a, b)

/**
 * In front of a call through a pointer: it may reach `target`. One statement for
 * each that it may reach; then it reaches no other.
 *
 * @param target  name of a function, or of a constant array whose elements hold
 *                pointers to functions: any of these
 * @cost      none
 */
#define AL_STACK_CALLS(target) ARCH_STACK_CALLS(target)

/**
 * `function` is a callback of timers that `service` serves. One for each that
 * has any. At file scope.
 *
 * @param service   AL_TIMER_SERVICE's label
 * @param function  its name
 */
#define AL_STACK_SERVES(service, function) \
  ARCH_STACK_NOTE(AL_STACK_TEXT("set", service, function))

/**
 * In a function that calls itself, directly or through others: how many of it
 * are on one stack at once, at most.
 *
 * @param times  constant, at least 1
 * @cost      none
 */
#define AL_STACK_RECURSES(times) ARCH_STACK_STATES("recurses", times)

/**
 * In a function with alloca() or an array of variable size: the bytes that all
 * of them in it take together, at most.
 *
 * @param bytes  constant
 * @cost      none
 */
#define AL_STACK_VARIABLE(bytes) ARCH_STACK_STATES("variable", bytes)

/**
 * A precompiled function takes at most `bytes` of stack, with all that it calls.
 * For one that alula-stack's walk finds no bound of; one that is less than what
 * the walk can prove fails the link. At file scope.
 *
 * @param function  its name, as the linker knows it
 * @param bytes     a number
 */
#define AL_STACK_USES(function, bytes) \
  ARCH_STACK_NOTE(AL_STACK_TEXT("uses", function, bytes))

/**
 * The stack of this task may be too small, or have no bound: what its checks do
 * at run time suffices. At file scope.
 *
 * @param task  AL_TASK's label
 */
#define AL_STACK_RUNTIME(task) ARCH_STACK_NOTE("runtime " #task)

/**
 * Tasks made at run time begin in `entry`, with a stack of `bytes`, of which
 * their arguments are a part. At file scope.
 *
 * @param entry  name of a function
 * @param bytes  of struct al_task_params, less the arguments'
 */
#define AL_STACK_TASK(entry, bytes) \
  ARCH_STACK_NOTE(AL_STACK_TEXT("task", entry, bytes))
