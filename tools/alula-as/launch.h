/* SPDX-License-Identifier: MIT */
#pragma once

/* `alula-clang CLANG ARGUMENT...`: compile through the filter. */
int launch_clang(int argc, char **argv);
