/* SPDX-License-Identifier: MIT */
#include "unit.h"

/*
 * Mnemonics: operation, destinations and flags of each.
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

void insn_read_mnemonic(struct insn *i, struct span text)
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
