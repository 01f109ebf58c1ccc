/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One assembly file in memory: statements, instructions, symbols, functions.
 *
 * lex.c cuts the text into items, insn.c reads each instruction, unit.c finds
 * sections, labels and functions. Everything refers to everything by index;
 * -1 means "none". Offsets are into the original text, so that emit.c can
 * put checks between two characters of it and change nothing else.
 */

#include <stdint.h>

#include "options.h"

enum {
    NONE = -1
};

enum item_kind {
    ITEM_LABEL,
    ITEM_INSN,
    ITEM_DATA,      /* .word, .byte, .uleb128, ...: bytes in the section */
    ITEM_DIRECTIVE, /* every other directive, and assignments ("=") */
    ITEM_NOTE       /* a comment that begins with '@' or '#' */
};

struct item {
    enum item_kind kind;
    uint32_t line;    /* of the input, from 1 */
    uint32_t offset;  /* of its first character */
    struct span name; /* label, mnemonic, directive; "@" or "#" for a note */
    struct span rest; /* operands, or the comment's text */
    int section;
    int next;     /* the following item of the same section */
    int function; /* whose code it lies in */
    int insn;
    int statement; /* inline assembly statement, index into statements */
    bool table;    /* data of a jump table, not a literal */
    bool repeated; /* inside .rept, .irp or .if: read once, emitted often */
};

/* One asm statement of the C source, or a whole hand-written file. */
struct statement {
    long depth; /* bytes of "@alula: depth N", -1 without */
};

/* What an instruction does, as far as sp, constants and control matter. */
enum op {
    OP_OTHER, /* not known: clobbers every register it names */
    OP_ALU,   /* writes its first `dest` operands, nothing else matters */
    OP_MOV,
    OP_MVN,
    OP_MOVT,
    OP_ADD,
    OP_SUB,
    OP_RSB,
    OP_LSL,
    OP_MASK, /* bic, and, lsr, bfc: clears bits of its source */
    OP_BFC,
    OP_ADR,
    OP_TEST, /* writes flags only */
    OP_LOAD,
    OP_STORE,
    OP_LDM,
    OP_STM,
    OP_PUSH,
    OP_POP,
    OP_VPUSH,
    OP_VPOP,
    OP_VLDM,
    OP_VSTM,
    OP_VFP,
    OP_B,
    OP_BL,
    OP_BX,
    OP_BLX,
    OP_CBZ,
    OP_TABLE, /* tbb, tbh */
    OP_IT,
    OP_TRAP,
    OP_SVC,
    OP_MSR,
    OP_NOP,
    OP_RAW /* .inst, or a macro of the assembler */
};

enum insn_flags {
    INSN_SETS = 1,         /* writes the condition flags */
    INSN_READS = 2,        /* reads them */
    INSN_PURE = 4,         /* its destinations are not among its sources */
    INSN_DOWN = 8,         /* ldm/stm: decrement before */
    INSN_CONDITIONAL = 16, /* carries a condition */
    INSN_MODIFIES = 64     /* its destinations are always sources, too */
};

/* Place in an IT block. Compilers write long ones as several blocks in a row
 * with one condition: the later `it` goes on with the path of the former. */
enum slot {
    SLOT_OUTSIDE,
    SLOT_THEN,
    SLOT_ELSE,
    SLOT_SAME,   /* an `it` on the condition of the block just before */
    SLOT_INVERSE /* on the opposite condition */
};

enum {
    OPERANDS = 6
};

struct insn {
    enum op op;
    int item;
    uint8_t flags;
    uint8_t dests;
    uint8_t count; /* operands */
    uint8_t slot;  /* enum slot */
    bool slot_last;
    bool pair; /* ldrd, strd with the second register left out */
    struct span operand[OPERANDS];
    int next;          /* instruction that follows in the section */
    bool next_label;   /* a label that code refers to lies between */
    bool next_data;    /* data lies between: flow cannot pass */
    bool head;         /* more than one way leads here */
    uint16_t doubtful; /* registers not to be taken for numbers here */
    uint8_t extra;     /* bytes that a variable check adds here, at most */
    int pad;           /* instruction of its landing pad */
    int table;         /* first data item of the jump table behind it */
};

struct symbol {
    struct span name;
    int label;        /* item */
    int function;     /* when it is the entry of one */
    bool is_function; /* .type %function */
    bool global;
    bool macro;
    bool jumped;    /* a branch, table or landing pad names it */
    bool taken;     /* a data word or an address load names it */
    int taken_next; /* of its function's taken labels */
    int chain;
};

struct function {
    int symbol;
    int label;
    int first; /* first instruction, NONE for an empty body */
    int section;
    int parent;     /* a cold part's function (a symbol), else NONE */
    int taken;      /* first of its labels whose address is taken */
    long unchecked; /* bytes of "@alula: unchecked N", -1 without */
    long args;      /* bytes of stack arguments, -1 when not stated */
    long stated;    /* sum of .save, .vsave, .pad; -1: not comparable */
    bool interrupt;
    bool raw; /* has "@alula: raw" */
    bool patchable;
    bool arm; /* holds instructions of the other state */
    bool trampoline;
};

struct section {
    struct span name;
    struct span flags;
    struct span tail; /* everything after the flags: type, group */
    bool code;
    bool debug; /* its references say nothing about control flow */
    bool lsda;
    int last; /* newest item, while reading */
};

struct unit {
    const char *name; /* for messages */
    FILE *messages;
    struct buf text;
    char *work; /* copy of the text with block comments blanked */

    struct item *items;
    int nitems;
    int items_room;
    struct insn *insns;
    int ninsns;
    int insns_room;
    struct symbol *symbols;
    int nsymbols;
    int symbols_room;
    struct function *functions;
    int nfunctions;
    int functions_room;
    struct section *sections;
    int nsections;
    int sections_room;
    struct statement *statements;
    int nstatements;
    int statements_room;

    int *buckets; /* of the symbol table */
    int nbuckets;
    bool hand_written; /* no compiler wrote it */
    bool gcc;          /* GCC did: it states each function's arguments */
    int errors;
};

/* lex.c */
void lex_unit(struct unit *u);

/* mnemonic.c */
void insn_read_mnemonic(struct insn *i, struct span text);
int insn_condition(struct span s);

/* insn.c */
void insn_read(struct unit *u, int item);
int insn_register(struct span s);
unsigned insn_registers(struct span s);
int insn_float_bytes(struct span list);
unsigned insn_uses(const struct insn *i);
unsigned insn_defines(const struct insn *i);
unsigned insn_kills(const struct insn *i);
bool insn_ends_block(const struct insn *i);

/* unit.c */
bool unit_read(struct unit *u, FILE *in, const struct options *o);
int unit_symbol(struct unit *u, struct span name, bool make);
struct symbol *unit_named(struct unit *u, struct span name);
int unit_label_insn(const struct unit *u, int label);
bool unit_may_be_nested(struct span name);
struct span unit_function_name(const struct unit *u, int function);

/* function.c */
void function_find(struct unit *u);

/* jumps.c: what may be reached how */
enum target_kind {
    TARGET_CODE,     /* an instruction of this file, not a function's entry */
    TARGET_FUNCTION, /* an entry, here or elsewhere */
    TARGET_HERE,     /* the branch itself */
    TARGET_NOWHERE,  /* a label with no code behind it: never reached */
    TARGET_UNKNOWN
};

struct target {
    enum target_kind kind;
    int insn;
    int symbol;
};

void jumps_find(struct unit *u);
struct target jumps_target(struct unit *u, int item, struct span name);
struct span jumps_first_symbol(struct span expression);

/* paths.c */
void paths_find(struct unit *u);

/* diag.c */
void diag_error(struct unit *u, int function, int item, const char *what,
        const char *way_out);
