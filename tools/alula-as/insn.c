/* SPDX-License-Identifier: MIT */
#include "unit.h"

/*
 * Reads an instruction's operands, and says which registers it reads, may
 * write and surely writes. "May" errs towards more, "surely" towards less.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_memory(struct span s)
{
    return s.n > 0 && s.at[0] == '[';
}

void insn_read(struct unit *u, int item)
{
    struct item *it = &u->items[item];
    struct insn *i = VEC_ADD(u->insns, u->ninsns, u->insns_room);

    *i = (struct insn){.item = item, .next = NONE, .pad = NONE, .table = NONE};
    it->insn = u->ninsns - 1;
    insn_read_mnemonic(i, it->name);

    struct span rest = it->rest;

    while (rest.n > 0 && i->count < OPERANDS) {
        i->operand[i->count++] = span_part(&rest);
    }
    if (i->op == OP_RAW && i->count == 1 &&
            (span_begins(i->operand[0], "0xde") && i->operand[0].n == 6)) {
        i->op = OP_TRAP; /* how GCC writes udf */
    }
    i->pair = (i->op == OP_LOAD && i->dests == 2 && is_memory(i->operand[1])) ||
              (i->op == OP_STORE && span_begins(it->name, "strd") &&
                      is_memory(i->operand[1]));
    if (i->op == OP_OTHER) {
        int macro = unit_symbol(u, it->name, false);

        i->op = macro != NONE && u->symbols[macro].macro ? OP_RAW : OP_OTHER;
    }
    /* `add r0, r1` means `add r0, r0, r1`: the destination is a source. */
    if (i->count < 3 && i->op != OP_MOV && i->op != OP_MVN &&
            i->op != OP_LOAD && i->op != OP_ADR) {
        i->flags &= (uint8_t)~INSN_PURE;
    }
}

int insn_register(struct span s)
{
    static const char *const names[] = {
            "sb", "sl", "fp", "ip", "sp", "lr", "pc"};
    char name[4] = "";
    char *end;

    if (s.n < 2 || s.n > 3) {
        return NONE;
    }
    for (size_t i = 0; i < s.n; i++) {
        name[i] = (char)tolower((unsigned char)s.at[i]);
    }
    for (int i = 0; i < 7; i++) {
        if (strcmp(name, names[i]) == 0) {
            return 9 + i;
        }
    }
    if (strchr("rav", name[0]) == NULL || !isdigit((unsigned char)name[1])) {
        return NONE;
    }

    long number = strtol(name + 1, &end, 10);
    long from = name[0] == 'r' ? 0 : name[0] == 'a' ? -1 : 3;
    long most = name[0] == 'r' ? 15 : name[0] == 'a' ? 4 : 8;

    return *end == '\0' && number <= most ? (int)(number + from) : NONE;
}

/* Every core register that `s` names, ranges in braces included. */
unsigned insn_registers(struct span s)
{
    unsigned set = 0;
    int before = NONE;

    for (size_t i = 0; i < s.n;) {
        size_t n = 0;

        while (i + n < s.n && (isalnum((unsigned char)s.at[i + n]) ||
                                      strchr("_.$:", s.at[i + n]) != NULL)) {
            n++;
        }
        if (n == 0) {
            if (s.at[i] != '-' && !isspace((unsigned char)s.at[i])) {
                before = NONE;
            }
            i++;
            continue;
        }

        int r = insn_register((struct span){s.at + i, n});

        if (r != NONE) {
            set |= 1u << r;
            for (int k = before; before != NONE && k < r; k++) {
                set |= 1u << k;
            }
        }
        before = i + n < s.n && s.at[i + n] == '-' ? r : NONE;
        i += n;
    }
    return set;
}

/* Bytes of the floating-point registers in braces: {d8-d15}, {s16, s17}. */
int insn_float_bytes(struct span list)
{
    int bytes = 0;
    int before = NONE;

    for (size_t i = 0; i < list.n; i++) {
        int each = list.at[i] == 'd' || list.at[i] == 'D'   ? 8
                   : list.at[i] == 's' || list.at[i] == 'S' ? 4
                                                            : 0;
        int number = 0;

        if (each == 0) {
            continue;
        }
        while (i + 1 < list.n && isdigit((unsigned char)list.at[i + 1])) {
            number = number * 10 + (list.at[++i] - '0');
        }
        bytes += each * (before != NONE ? number - before : 1);
        before = i + 1 < list.n && list.at[i + 1] == '-' ? number : NONE;
    }
    return bytes;
}

static bool writes_back(const struct insn *i)
{
    for (int k = 0; k < i->count; k++) {
        struct span s = i->operand[k];

        if (s.n > 0 && s.at[s.n - 1] == '!') {
            return true;
        }
        if (s.n > 0 && s.at[0] == '[' && k + 1 < i->count) {
            return true;
        }
    }
    return false;
}

/* The operand in brackets, or the base of a multiple transfer. */
static unsigned base_registers(const struct insn *i)
{
    if (i->op == OP_LDM || i->op == OP_STM || i->op == OP_VLDM ||
            i->op == OP_VSTM) {
        return insn_registers(i->operand[0]);
    }
    for (int k = 0; k < i->count; k++) {
        if (i->operand[k].n > 0 && i->operand[k].at[0] == '[') {
            struct span inner = {i->operand[k].at + 1, i->operand[k].n - 1};

            return insn_registers(span_part(&inner));
        }
    }
    return 0;
}

static unsigned first_operands(const struct insn *i, int n)
{
    unsigned set = 0;

    for (int k = 0; k < n && k < i->count && !is_memory(i->operand[k]); k++) {
        set |= insn_registers(i->operand[k]);
    }
    return i->pair ? set | set << 1 : set;
}

/* Registers whose value may be read. */
unsigned insn_uses(const struct insn *i)
{
    unsigned set = 0;
    bool pure = (i->flags & INSN_PURE) != 0 ||
                (i->count >= 3 && (i->flags & INSN_MODIFIES) == 0);
    int from = pure ? i->dests : 0;

    if (i->op == OP_POP || i->op == OP_VPUSH || i->op == OP_VPOP) {
        return 1u << 13;
    }
    if (i->op == OP_PUSH) {
        return first_operands(i, 1) | 1u << 13;
    }
    if (i->op == OP_LDM) {
        return first_operands(i, 1);
    }
    if (i->pair) {
        set = i->op == OP_STORE ? first_operands(i, 1) : 0;
        from = 1;
    }
    for (int k = from; k < i->count; k++) {
        set |= insn_registers(i->operand[k]);
    }
    return set;
}

/* Registers that may be written. */
unsigned insn_defines(const struct insn *i)
{
    unsigned set = writes_back(i) ? base_registers(i) : 0;

    switch (i->op) {
    case OP_OTHER:
    case OP_VFP:
    case OP_RAW:
        for (int k = 0; k < i->count; k++) {
            if (i->operand[k].n > 0 && i->operand[k].at[0] != '[') {
                set |= insn_registers(i->operand[k]);
            }
        }
        return set;
    case OP_POP:
        return insn_registers(i->operand[0]);
    case OP_LDM:
        return set | insn_registers(i->operand[1]);
    case OP_BL:
    case OP_BLX:
        return 0x500f; /* r0-r3, ip, lr */
    case OP_SVC:
        return 0x1; /* an answer, by every convention */
    default:
        return set | first_operands(i, i->dests);
    }
}

/* Registers that are surely written, and not read before. */
unsigned insn_kills(const struct insn *i)
{
    if ((i->flags & INSN_CONDITIONAL) != 0 || i->slot != 0 ||
            i->op == OP_OTHER || i->op == OP_VFP || i->op == OP_RAW) {
        return 0;
    }
    return insn_defines(i) & ~insn_uses(i);
}

/* Flow never passes to the next instruction. */
bool insn_ends_block(const struct insn *i)
{
    if (i->slot != 0 || (i->flags & INSN_CONDITIONAL) != 0) {
        return false;
    }
    if (i->op == OP_B || i->op == OP_BX || i->op == OP_TABLE ||
            i->op == OP_TRAP) {
        return true;
    }
    return (insn_defines(i) & 1u << 15) != 0 && i->op != OP_OTHER;
}
