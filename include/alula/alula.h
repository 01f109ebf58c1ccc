/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * All of Alula's public interface.
 */

#include <alula/boot.h>
#include <alula/callback.h>
#include <alula/chan.h>
#include <alula/concurrent.h>
#include <alula/cond.h>
#include <alula/crash.h>
#include <alula/event.h>
#include <alula/guard.h>
#include <alula/heap.h>
#include <alula/irq.h>
#include <alula/kill.h>
#include <alula/lease.h>
#include <alula/mailbox.h>
#include <alula/mutex.h>
#include <alula/own.h>
#include <alula/panic.h>
#include <alula/scope.h>
#include <alula/sem.h>
#include <alula/stack.h>
#include <alula/state.h>
#include <alula/status.h>
#include <alula/supervisor.h>
#include <alula/task.h>
#include <alula/time.h>
#include <alula/timer.h>
#include <alula/types.h>
