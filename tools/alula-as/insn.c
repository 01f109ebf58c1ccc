/* SPDX-License-Identifier: MIT */
#include "unit.h"

/*
 * Reads instructions: mnemonic to operation, and which registers it touches.
 *
 * The table names what compilers print for ARMv7-M and ARMv7E-M and what
 * people write in asm statements. An instruction that is not in it is
 * OP_OTHER: taken to clobber every register it names, and an error where it
 * names sp first. So a gap in the table costs precision, never safety.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    S = 32, /* takes an 's' suffix */
    R = INSN_MODIFIES,
    P = INSN_PURE
};

struct mnemonic {
    const char *name;
    uint8_t op;
    uint8_t dests;
    uint8_t flags;
};

/* Sorted by name. */
static const struct mnemonic table[] = {
        {"adc", OP_ALU, 1, S | INSN_READS},
        {"add", OP_ADD, 1, S},
        {"addw", OP_ADD, 1, 0},
        {"adr", OP_ADR, 1, P},
        {"and", OP_MASK, 1, S},
        {"asr", OP_ALU, 1, S},
        {"b", OP_B, 0, 0},
        {"bfc", OP_BFC, 1, R},
        {"bfi", OP_ALU, 1, R},
        {"bic", OP_MASK, 1, S},
        {"bkpt", OP_NOP, 0, 0},
        {"bl", OP_BL, 0, 0},
        {"blx", OP_BLX, 0, 0},
        {"bx", OP_BX, 0, 0},
        {"cbnz", OP_CBZ, 0, 0},
        {"cbz", OP_CBZ, 0, 0},
        {"clrex", OP_NOP, 0, 0},
        {"clz", OP_ALU, 1, P},
        {"cmn", OP_TEST, 0, INSN_SETS},
        {"cmp", OP_TEST, 0, INSN_SETS},
        {"cpsid", OP_NOP, 0, 0},
        {"cpsie", OP_NOP, 0, 0},
        {"dmb", OP_NOP, 0, 0},
        {"dsb", OP_NOP, 0, 0},
        {"eor", OP_ALU, 1, S},
        {"fldmfdd", OP_VLDM, 0, 0},
        {"fldmiad", OP_VLDM, 0, 0},
        {"fstmdbd", OP_VSTM, 0, INSN_DOWN},
        {"fstmfdd", OP_VSTM, 0, INSN_DOWN},
        {"isb", OP_NOP, 0, 0},
        {"it", OP_IT, 0, INSN_READS},
        {"ldm", OP_LDM, 0, 0},
        {"ldmdb", OP_LDM, 0, INSN_DOWN},
        {"ldmea", OP_LDM, 0, INSN_DOWN},
        {"ldmfd", OP_LDM, 0, 0},
        {"ldmia", OP_LDM, 0, 0},
        {"ldr", OP_LOAD, 1, P},
        {"ldrb", OP_LOAD, 1, P},
        {"ldrbt", OP_LOAD, 1, P},
        {"ldrd", OP_LOAD, 2, P},
        {"ldrex", OP_LOAD, 1, P},
        {"ldrexb", OP_LOAD, 1, P},
        {"ldrexh", OP_LOAD, 1, P},
        {"ldrh", OP_LOAD, 1, P},
        {"ldrht", OP_LOAD, 1, P},
        {"ldrsb", OP_LOAD, 1, P},
        {"ldrsbt", OP_LOAD, 1, P},
        {"ldrsh", OP_LOAD, 1, P},
        {"ldrsht", OP_LOAD, 1, P},
        {"ldrt", OP_LOAD, 1, P},
        {"lsl", OP_LSL, 1, S},
        {"lsr", OP_MASK, 1, S},
        {"mla", OP_ALU, 1, S | P},
        {"mls", OP_ALU, 1, P},
        {"mov", OP_MOV, 1, S | P},
        {"movt", OP_MOVT, 1, R},
        {"movw", OP_MOV, 1, P},
        {"mrs", OP_ALU, 1, P | INSN_READS},
        {"msr", OP_MSR, 0, 0},
        {"mul", OP_ALU, 1, S},
        {"mvn", OP_MVN, 1, S | P},
        {"neg", OP_RSB, 1, S | P},
        {"nop", OP_NOP, 0, 0},
        {"orn", OP_ALU, 1, S},
        {"orr", OP_ALU, 1, S},
        {"pkhbt", OP_ALU, 1, 0},
        {"pkhtb", OP_ALU, 1, 0},
        {"pld", OP_NOP, 0, 0},
        {"pli", OP_NOP, 0, 0},
        {"pop", OP_POP, 0, 0},
        {"push", OP_PUSH, 0, 0},
        {"rbit", OP_ALU, 1, P},
        {"rev", OP_ALU, 1, P},
        {"rev16", OP_ALU, 1, P},
        {"revsh", OP_ALU, 1, P},
        {"ror", OP_ALU, 1, S},
        {"rrx", OP_ALU, 1, S | P | INSN_READS},
        {"rsb", OP_RSB, 1, S},
        {"sbc", OP_ALU, 1, S | INSN_READS},
        {"sbfx", OP_ALU, 1, P},
        {"sdiv", OP_ALU, 1, 0},
        {"sev", OP_NOP, 0, 0},
        {"smlabb", OP_ALU, 1, P},
        {"smlabt", OP_ALU, 1, P},
        {"smlal", OP_ALU, 2, R},
        {"smlatb", OP_ALU, 1, P},
        {"smlatt", OP_ALU, 1, P},
        {"smmla", OP_ALU, 1, P},
        {"smmul", OP_ALU, 1, 0},
        {"smulbb", OP_ALU, 1, 0},
        {"smulbt", OP_ALU, 1, 0},
        {"smull", OP_ALU, 2, P},
        {"smultb", OP_ALU, 1, 0},
        {"smultt", OP_ALU, 1, 0},
        {"ssat", OP_ALU, 1, P},
        {"stm", OP_STM, 0, 0},
        {"stmdb", OP_STM, 0, INSN_DOWN},
        {"stmea", OP_STM, 0, 0},
        {"stmfd", OP_STM, 0, INSN_DOWN},
        {"stmia", OP_STM, 0, 0},
        {"str", OP_STORE, 0, 0},
        {"strb", OP_STORE, 0, 0},
        {"strbt", OP_STORE, 0, 0},
        {"strd", OP_STORE, 0, 0},
        {"strex", OP_STORE, 1, P},
        {"strexb", OP_STORE, 1, P},
        {"strexh", OP_STORE, 1, P},
        {"strh", OP_STORE, 0, 0},
        {"strht", OP_STORE, 0, 0},
        {"strt", OP_STORE, 0, 0},
        {"sub", OP_SUB, 1, S},
        {"subw", OP_SUB, 1, 0},
        {"svc", OP_SVC, 0, 0},
        {"sxtab", OP_ALU, 1, 0},
        {"sxtah", OP_ALU, 1, 0},
        {"sxtb", OP_ALU, 1, P},
        {"sxth", OP_ALU, 1, P},
        {"tbb", OP_TABLE, 0, 0},
        {"tbh", OP_TABLE, 0, 0},
        {"teq", OP_TEST, 0, INSN_SETS},
        {"tst", OP_TEST, 0, INSN_SETS},
        {"ubfx", OP_ALU, 1, P},
        {"udf", OP_TRAP, 0, 0},
        {"udiv", OP_ALU, 1, 0},
        {"umaal", OP_ALU, 2, R},
        {"umlal", OP_ALU, 2, R},
        {"umull", OP_ALU, 2, P},
        {"usat", OP_ALU, 1, P},
        {"uxtab", OP_ALU, 1, 0},
        {"uxtah", OP_ALU, 1, 0},
        {"uxtb", OP_ALU, 1, P},
        {"uxth", OP_ALU, 1, P},
        {"vldm", OP_VLDM, 0, 0},
        {"vldmdb", OP_VLDM, 0, INSN_DOWN},
        {"vldmia", OP_VLDM, 0, 0},
        {"vldr", OP_NOP, 0, 0},
        {"vmrs", OP_VFP, 0, 0},
        {"vpop", OP_VPOP, 0, 0},
        {"vpush", OP_VPUSH, 0, 0},
        {"vstm", OP_VSTM, 0, 0},
        {"vstmdb", OP_VSTM, 0, INSN_DOWN},
        {"vstmia", OP_VSTM, 0, 0},
        {"vstr", OP_NOP, 0, 0},
        {"wfe", OP_NOP, 0, 0},
        {"wfi", OP_NOP, 0, 0},
        {"yield", OP_NOP, 0, 0},
};

static int compare_name(const void *key, const void *entry)
{
    return strcmp(key, ((const struct mnemonic *)entry)->name);
}

static const struct mnemonic *find(const char *name)
{
    return bsearch(name, table, sizeof table / sizeof table[0], sizeof table[0],
            compare_name);
}

/* The number of a condition, NONE when it is not one; the opposite one is
 * that number with its lowest bit turned over. */
int insn_condition(struct span s)
{
    static const char all[] = "eqnecsccmiplvsvchilsgeltgtleal";
    char c[2];

    if (s.n != 2) {
        return NONE;
    }
    c[0] = (char)tolower((unsigned char)s.at[0]);
    c[1] = (char)tolower((unsigned char)s.at[1]);
    if (c[1] == 's' && c[0] == 'h') {
        c[0] = 'c';
    } else if (c[0] == 'l' && c[1] == 'o') {
        c[0] = c[1] = 'c';
    }
    for (int k = 0; all[k] != '\0'; k += 2) {
        if (all[k] == c[0] && all[k + 1] == c[1]) {
            return k / 2;
        }
    }
    return NONE;
}

/* "it" and up to three of t and e. */
static bool is_it(const char *name)
{
    return strncmp(name, "it", 2) == 0 && strlen(name) <= 5 &&
           strspn(name + 2, "te") == strlen(name + 2);
}

/* Find a mnemonic with its 's' and condition taken off; those go to *flags. */
static const struct mnemonic *look_up(char *name, uint8_t *flags)
{
    size_t n = strlen(name);
    const struct mnemonic *m = is_it(name) ? find("it") : find(name);

    if (m != NULL) {
        return m;
    }
    if (n > 1 && name[n - 1] == 's') {
        name[n - 1] = '\0';
        m = find(name);
        name[n - 1] = 's';
        if (m != NULL && (m->flags & S) != 0) {
            *flags |= INSN_SETS;
            return m;
        }
    }
    if (n > 2 && insn_condition((struct span){name + n - 2, 2}) != NONE) {
        bool always = strcmp(name + n - 2, "al") == 0;

        name[n - 2] = '\0';
        m = look_up(name, flags);
        *flags |= always ? 0 : INSN_CONDITIONAL | INSN_READS;
    }
    return m;
}

static void read_mnemonic(struct insn *i, struct span text)
{
    char name[16];
    size_t n = 0;

    while (n < text.n && n < sizeof name - 1 && text.at[n] != '.') {
        name[n] = (char)tolower((unsigned char)text.at[n]);
        n++;
    }
    name[n] = '\0';
    if (n == 0) {
        i->op = OP_RAW;
        return;
    }

    const struct mnemonic *m = look_up(name, &i->flags);

    if (m == NULL) {
        i->op = name[0] == 'v' || name[0] == 'f' ? OP_VFP : OP_OTHER;
        i->flags = i->op == OP_VFP ? 0 : INSN_READS;
        return;
    }
    i->op = (enum op)m->op;
    i->dests = m->dests;
    i->flags |= (uint8_t)(m->flags & ~S);
}

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
    read_mnemonic(i, it->name);

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
