/* SPDX-License-Identifier: MIT */
#include "emit.h"

#include <stdlib.h>
#include <string.h>

enum {
    ARGS_UNKNOWN = 0xfff
};

void emit_insert(struct emit *e, uint32_t offset, char *text)
{
    struct insert *i = VEC_ADD(e->inserts, e->ninserts, e->inserts_room);

    *i = (struct insert){offset, 0, e->ninserts, text};
}

void emit_replace(struct emit *e, struct span old, char *text)
{
    struct insert *i = VEC_ADD(e->inserts, e->ninserts, e->inserts_room);

    *i = (struct insert){(uint32_t)(old.at - e->u->work), (uint32_t)old.n,
            e->ninserts, text};
}

char *emit_section_name(const struct emit *e, struct span name)
{
    static const char code[] = ".text.";
    size_t n = sizeof code - 1;

    if (e->o->mode == MODE_KERNEL && span_begins(name, code)) {
        return mem_text(
                "%sal_kernel.%.*s", code, (int)(name.n - n), name.at + n);
    }
    return mem_text("%.*s", (int)name.n, name.at);
}

/* A section of ours that goes with the function's: --gc-sections and COMDAT
 * groups drop both together. */
void emit_section(
        struct emit *e, const char *name, const char *flags, int section)
{
    const struct section *s = &e->u->sections[section];
    bool group = memchr(s->flags.at, 'G', s->flags.n) != NULL;
    struct span tail = s->tail;

    span_part(&tail); /* the type */
    tail = span_trim(tail);
    buf_format(&e->records, "\t.section\t%s,\"%s%s\",%%progbits,%s", name,
            flags, group ? "G" : "", emit_section_name(e, s->name));
    if (group) {
        buf_format(&e->records, ",%.*s", (int)tail.n, tail.at);
    }
    buf_text(&e->records, "\n\t.p2align 2\n");
}

static unsigned args_words(const struct verdict *v)
{
    long words = (v->args + 3) / 4;

    return v->args < 0 || words > ARGS_UNKNOWN ? ARGS_UNKNOWN : (unsigned)words;
}

void emit_record(struct emit *e, int function, const struct verdict *v)
{
    const struct function *f = &e->u->functions[function];
    unsigned args = args_words(v);
    int check = v->form & 7;
    int label = e->nlabels++;

    /* Behind the colon: .thumb_func speaks of the next label. */
    const struct item *entry = &e->u->items[f->label];

    emit_insert(e, entry->offset + (uint32_t)entry->name.n + 1,
            mem_text(" .Lal_f%d:", label));
    emit_section(e, ".alula.fn", "o", f->section);
    buf_format(&e->records, "\t.word .Lal_f%d, %d, %d, %u\n", label, v->own,
            v->effective, (unsigned)v->form | args << 8);
    if (check < FORM_INTERNAL && (v->effective > 64 || args != 0)) {
        emit_section(e, ".alula.frames", "ao", f->section);
        buf_format(&e->records,
                "\t.reloc ., R_ARM_NONE, al_frame_support\n"
                "\t.word .Lal_f%d, %u\n",
                label, (unsigned)(v->effective + 3) / 4 << 12 | args);
    }
}

static int by_offset(const void *a, const void *b)
{
    const struct insert *x = a;
    const struct insert *y = b;

    if (x->offset != y->offset) {
        return x->offset < y->offset ? -1 : 1;
    }
    if ((x->drop != 0) != (y->drop != 0)) {
        return x->drop != 0 ? 1 : -1; /* what replaces stands last */
    }
    return x->order - y->order;
}

void emit_all(struct emit *e, struct buf *out)
{
    const struct buf *text = &e->u->text;
    size_t at = 0;

    if (e->ninserts > 0) {
        qsort(e->inserts, (size_t)e->ninserts, sizeof e->inserts[0], by_offset);
    }
    for (int k = 0; k < e->ninserts; k++) {
        const struct insert *i = &e->inserts[k];

        buf_put(out, text->p + at, i->offset - at);
        buf_text(out, i->text);
        at = i->offset + i->drop;
    }
    buf_put(out, text->p + at, text->n - at);
    if (e->records.n > 0) {
        if (text->n > 0 && text->p[text->n - 1] != '\n') {
            buf_text(out, "\n");
        }
        buf_put(out, e->records.p, e->records.n);
    }
}
