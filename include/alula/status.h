/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a function returns when a correct program must expect more than one
 * outcome. A wrong call is never a status: it panics the caller (panic.h).
 */

#include <alula/types.h>

AL_EXTERN_C_BEGIN

typedef enum al_status {
#define AL_STATUS_DEF(number, name, meaning, advice) name = number,
#include <alula/status.def>
#undef AL_STATUS_DEF
} al_status;

/**
 * Name a status for a human.
 *
 * @param[in] status  any value
 * @context   any
 * @return    the constant's name, or "?" for a number that is no status
 * @cost      linear in the number of statuses
 */
const char *al_status_name(al_status status);

AL_EXTERN_C_END
