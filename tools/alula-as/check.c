/* SPDX-License-Identifier: MIT */
#include "emit.h"

/*
 * The text of the checks, and where they go.
 *
 * The entry check stands before the first instruction, or before the first
 * label that anything can jump to, whichever is earlier, and behind all else:
 * the function's label, .fnstart, .LFB<n> keep one address. Flags and ip are
 * free there by the procedure-call standard.
 *
 * A variable frame's check compares two lengths rather than two addresses:
 * what is left, sp - floor - (later fixed part), which the earlier checks
 * make non-negative, and the size. Neither can wrap.
 */

#include <ctype.h>

enum {
    SLACK = 64
};

/* Can `n` be an immediate of sub.w or subw? */
static bool encodes(uint32_t n)
{
    if (n < 4096) {
        return true;
    }
    for (int shift = 1; shift < 25; shift++) {
        uint32_t byte = n >> shift;

        if (byte < 256 && byte >= 128 && byte << shift == n) {
            return true;
        }
    }
    return n == (n & 0xff) * 0x00010001u || n == (n & 0xff00) * 0x00010001u ||
           n == (n & 0xff) * 0x01010101u;
}

/* `op reg, from, #n`, in as many instructions as it takes. */
static void put_offset(struct buf *b, const char *op, const char *reg,
        const char *from, uint32_t n)
{
    if (encodes(n)) {
        buf_format(b, "%s %s, %s, #%u; ", op, reg, from, n);
        return;
    }
    buf_format(b, "%s %s, %s, #%u; ", op, reg, from, n & ~0xfffu & 0xfffff);
    if ((n & 0xfff) != 0) {
        buf_format(b, "%s %s, %s, #%u; ", op, reg, reg, n & 0xfff);
    }
    if (n >> 20 != 0) {
        buf_format(b, "%s %s, %s, #%u; ", op, reg, reg, n & 0xfff00000);
    }
}

static char *entry_text(const struct verdict *v)
{
    struct buf b = {NULL, 0, 0};
    uint32_t n = (uint32_t)(v->effective - SLACK);
    int svc = v->form & 7;

    switch (svc) {
    case FORM_SMALL:
        buf_text(&b, "cmp sp, r9; ");
        break;
    case FORM_LARGE:
        if (encodes(n)) {
            buf_format(&b, "sub ip, sp, #%u; ", n);
        } else {
            buf_format(&b, "movw ip, #%u; ", n & 0xffff);
            if (n >> 16 != 0) {
                buf_format(&b, "movt ip, #%u; ", n >> 16);
            }
            buf_text(&b, "sub ip, sp, ip; ");
        }
        buf_text(&b, "cmp ip, r9; ");
        break;
    default:
        put_offset(&b, "add", "r9", "r9", n);
        buf_text(&b, "cmp sp, r9; ");
        put_offset(&b, "sub", "r9", "r9", n);
    }
    buf_format(&b, "it lo; svclo #%d; ", svc);
    return b.p;
}

static bool is_landing(struct unit *u, const struct item *i)
{
    if (i->kind != ITEM_LABEL) {
        return i->kind == ITEM_INSN;
    }
    if (isdigit((unsigned char)i->name.at[0])) {
        return true;
    }

    const struct symbol *s = unit_named(u, i->name);

    return s->function == NONE && (s->jumped || s->taken);
}

static void put_entry_check(
        struct emit *e, int function, const struct verdict *v)
{
    int k = e->u->functions[function].label;
    int svc = v->form & 7;

    if (svc != FORM_SMALL && svc != FORM_LARGE && svc != FORM_IP_FREE) {
        return;
    }
    while (!is_landing(e->u, &e->u->items[k])) {
        k = e->u->items[k].next;
    }
    emit_insert(e, e->u->items[k].offset, entry_text(v));
}

static void put_signed_offset(
        struct buf *b, const char *reg, const char *from, long n)
{
    if (n > 0) {
        put_offset(b, "add", reg, from, (uint32_t)n);
    } else if (n < 0) {
        put_offset(b, "sub", reg, from, (uint32_t)-n);
    } else if (reg != from) {
        buf_format(b, "mov %s, %s; ", reg, from);
    }
}

static const char *register_name(int r)
{
    static const char *const names[] = {"r0", "r1", "r2", "r3", "r4", "r5",
            "r6", "r7", "r8", "r9", "r10", "r11", "ip", "sp", "lr"};

    return r != NONE ? names[r] : "";
}

/* The new sp is in memory. r9 is above whatever a frame can be, so that the
 * first of two comparisons keeps the subtraction from wrapping. */
static void put_reload_comparison(struct emit *e, struct buf *b,
        const struct site *s, long spare, const char *t)
{
    struct span memory = e->u->insns[s->insn].operand[1];

    buf_format(b, "ldr %s, %.*s; ", t, (int)memory.n, memory.at);
    if (spare < 0) {
        buf_format(b, "cmp %s, r9; it lo; svclo #4; ", t);
    }
    put_signed_offset(b, t, t, spare);
    buf_format(b, "cmp %s, r9; ", t);
}

/* The comparison itself: lower means trap. `left` of the stack is measured
 * `pushed` bytes below the sp that the check is about. */
static void put_comparison(struct emit *e, struct buf *b, const struct site *s,
        long later, long pushed, const char *t)
{
    const char *size = register_name(s->effect.size);
    long spare = SLACK - later;

    if (s->effect.move == MOVE_RELOAD) {
        put_reload_comparison(e, b, s, spare, t);
        return;
    }
    if (s->effect.move == MOVE_RESTORE) {
        put_signed_offset(b, t, "r9", -spare);
        buf_format(b, "cmp %s, %s; ", size, t);
        return;
    }
    buf_format(b, "sub.w %s, sp, r9; ", t);
    put_signed_offset(b, t, t, spare + pushed);
    if (s->effect.move == MOVE_DROP) {
        buf_format(b, "cmp %s, %s; ", t, size);
        return;
    }
    /* The register holds the new sp: turn it into the size and back. */
    buf_format(b, "sub.w %s, sp, %s; ", size, size);
    put_signed_offset(b, size, size, pushed);
    buf_format(b, "cmp %s, %s; sub.w %s, sp, %s; ", t, size, size, size);
    put_signed_offset(b, size, size, pushed);
}

static int other_register(int a, int b)
{
    int r = 0;

    while (r == a || r == b) {
        r++;
    }
    return r;
}

static void put_variable_check(
        struct emit *e, const struct site *s, const struct verdict *v)
{
    struct buf b = {NULL, 0, 0};
    long later = v->variable - s->depth;
    bool push_t = s->scratch == NONE;
    bool push_flags = s->flags_live && s->flags == NONE;
    int scratch = push_t ? other_register(s->effect.size, NONE) : s->scratch;
    const char *t = register_name(scratch);
    const char *flags = register_name(
            push_flags ? other_register(s->effect.size, scratch) : s->flags);

    if (push_t || push_flags) {
        buf_format(&b, "push {%s%s%s}; ", push_t ? t : "",
                push_t && push_flags ? ", " : "", push_flags ? flags : "");
    }
    if (s->flags_live) {
        buf_format(&b, "mrs %s, apsr; ", flags);
    }
    put_comparison(e, &b, s, later, 4 * (push_t + push_flags), t);
    if (!push_flags && push_t) {
        buf_format(&b, "pop {%s}; ", t); /* the flags stay */
    }
    buf_text(&b, "it lo; svclo #4; ");
    if (s->flags_live) {
        buf_format(&b, "msr APSR_nzcvq, %s; ", flags);
    }
    if (push_flags) {
        buf_format(&b, "pop {%s%s%s}; ", push_t ? t : "", push_t ? ", " : "",
                flags);
    }
    emit_insert(e, e->u->items[e->u->insns[s->insn].item].offset, b.p);
    e->u->insns[s->insn].extra += 56;
}

/* After the addition: a result below the mask means that it carried out. */
static void put_rounding_check(struct emit *e, const struct rounding *r)
{
    const struct insn *i = &e->u->insns[r->insn];
    const struct item *item = &e->u->items[i->item];
    int reg = insn_register(i->operand[0]);
    const char *size = register_name(reg);
    bool push = r->flags_live && r->flags == NONE;
    const char *flags = register_name(push ? (reg == 0 ? 1 : 0) : r->flags);
    struct buf b = {NULL, 0, 0};

    if (push) {
        buf_format(&b, "; push {%s}", flags);
    }
    if (r->flags_live) {
        buf_format(&b, "; mrs %s, apsr", flags);
    }
    buf_format(&b, "; cmp %s, #%u; it lo; ", size, r->mask);
    if (r->same_block) {
        buf_text(&b, "svclo #4");
    } else {
        buf_format(&b, "mvnlo %s, #0", size);
    }
    if (r->flags_live) {
        buf_format(&b, "; msr APSR_nzcvq, %s", flags);
    }
    if (push) {
        buf_format(&b, "; pop {%s}", flags);
    }
    emit_insert(e, (uint32_t)(item->rest.at + item->rest.n - e->u->work), b.p);
    e->u->insns[r->insn].extra += 24;
}

void check_function(struct emit *e, int function, const struct verdict *v)
{
    put_entry_check(e, function, v);
    if ((v->form & 7) >= FORM_UNCHECKED || e->o->mode == MODE_KERNEL) {
        return;
    }
    block_open(e, v);
    for (int k = 0; k < v->nsites; k++) {
        put_variable_check(e, &v->sites[k], v);
    }
    for (int k = 0; k < v->nroundings; k++) {
        put_rounding_check(e, &v->roundings[k]);
    }
    block_close(e);
}
