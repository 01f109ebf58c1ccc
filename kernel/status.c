/* SPDX-License-Identifier: MIT */
/*
 * Names of statuses and causes, for humans. The numbers are the contract.
 */
#include <alula/crash.h>
#include <alula/status.h>

const char *al_status_name(al_status status)
{
    switch (status) {
#define AL_STATUS_DEF(number, name, meaning, advice) \
  case name:                                         \
    return #name;
#include <alula/status.def>
#undef AL_STATUS_DEF
    }
    return "?";
}

const char *al_cause_name(uint32_t cause)
{
    /* In the order of enum al_cause. */
    static const char *const names[] = {"none", "overflow", "vla", "null",
            "access", "bus", "undef", "div0", "align", "oob", "check", "assert",
            "panic", "caller", "stack", "fault", "kernel", "interrupt",
            "killed", "storm", "deadline", "budget", "watchdog"};

    AL_STATIC_ASSERT(sizeof(names) / sizeof(names[0]) == AL_CAUSE_WATCHDOG + 1,
            "each cause has a name");
    if (cause > AL_CAUSE_WATCHDOG) {
        return "?";
    }
    return names[cause];
}
