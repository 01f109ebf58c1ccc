/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writes the filtered file: the input, unchanged, with checks put in at
 * offsets, and our two sections behind it.
 */

#include "judge.h"

struct insert {
    uint32_t offset;
    uint32_t drop; /* bytes of the input that the text replaces */
    int order;     /* of equal offsets */
    char *text;
};

struct emit {
    struct unit *u;
    const struct options *o;
    struct insert *inserts;
    int ninserts;
    int inserts_room;
    struct buf records; /* the sections at the end */
    int nlabels;
    struct insert *closes; /* labels to put behind what checks put there */
    int ncloses;
    int closes_room;
};

/* check.c: the checks of one function. */
void check_function(struct emit *e, int function, const struct verdict *v);

/* block.c: IT blocks that a check goes into become branches. Before the checks
 * of the function, and after them. */
void block_open(struct emit *e, const struct verdict *v);
void block_close(struct emit *e);

/* range.c: branches that a variable check may have made too long. */
void range_repair(struct emit *e, struct walk *w);

/* A section's name as it is written: in kernel mode .text.NAME becomes
 * .text.al_kernel.NAME. */
char *emit_section_name(const struct emit *e, struct span name);

void emit_replace(struct emit *e, struct span old, char *text);
void emit_insert(struct emit *e, uint32_t offset, char *text);
void emit_record(struct emit *e, int function, const struct verdict *v);
void emit_all(struct emit *e, struct buf *out);

/* A section of ours, to be filled in, that goes with `section`. */
void emit_section(
        struct emit *e, const char *name, const char *flags, int section);

/* close.c: the calls that "@alula: close" notes stand before. */
void close_sites(struct emit *e);
