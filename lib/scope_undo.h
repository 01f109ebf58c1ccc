/* SPDX-License-Identifier: MIT */
#pragma once

#include <alula/scope.h>

/* Undo what the calling task opened since `scope`, which lies, or is kept, at
 * `home`, if a landing pad comes to it too early. */
void __al_scope_undo_newer(struct al_scope *scope, const void *home);
