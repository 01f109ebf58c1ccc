/* SPDX-License-Identifier: MIT */
#pragma once

#include "options.h"

/* Lead pointers to functions with a stated bound to stubs that are checked. */
void pointers_rename(const struct options *o, struct buf *text);
