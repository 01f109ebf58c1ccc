/* SPDX-License-Identifier: MIT */
/*
 * qsort() and bsearch() as checked code. The C library's qsort() calls itself,
 * to a depth that depends on the data; and in both a callback without
 * AL_CALLBACK would be checked against garbage, and a death below it have no
 * way out. Heap sort: in place, n log n steps at most, not stable.
 */
#include <alula/callback.h>

#include <stdint.h>
#include <stdlib.h>

typedef int compare(const void *, const void *);

struct sorted {
    char *base;
    size_t bytes; /* of one item */
    compare *order;
};

static char *item(const struct sorted *s, size_t i)
{
    return s->base + i * s->bytes;
}

static void swap(const struct sorted *s, size_t i, size_t j)
{
    char *a = item(s, i);
    char *b = item(s, j);

    for (size_t n = 0; n < s->bytes; n++) {
        char c = a[n];

        a[n] = b[n];
        b[n] = c;
    }
}

/* Let item i sink among the first `count` until no child is larger. */
static void sink(const struct sorted *s, size_t i, size_t count)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= count) {
            return;
        }
        if (child + 1 < count &&
                s->order(item(s, child), item(s, child + 1)) < 0) {
            child++;
        }
        if (s->order(item(s, i), item(s, child)) >= 0) {
            return;
        }
        swap(s, i, child);
        i = child;
    }
}

__attribute__((used)) static void sort(
        void *base, size_t count, size_t bytes, compare *order)
{
    struct sorted s = {base, bytes, order};

    for (size_t i = count / 2; i > 0; i--) {
        sink(&s, i - 1, count);
    }
    for (size_t last = count; last > 1; last--) {
        swap(&s, 0, last - 1);
        sink(&s, 0, last - 1);
    }
}

AL_LIBRARY_ENTRY(__wrap_qsort, sort)

/* No veneer: it would stand between the caller and the argument on the stack.
 * No function of the C library calls this one. */
void *__wrap_bsearch(const void *key, const void *base, size_t count,
        size_t bytes, compare *order);

void *__wrap_bsearch(const void *key, const void *base, size_t count,
        size_t bytes, compare *order)
{
    const char *low = (const char *)base;

    while (count != 0) {
        const char *middle = low + count / 2 * bytes;
        int sign = order(key, middle);

        if (sign == 0) {
            return (void *)(uintptr_t)middle;
        }
        if (sign > 0) {
            low = middle + bytes;
            count--;
        }
        count /= 2;
    }
    return NULL;
}
