/* SPDX-License-Identifier: MIT */
/* Switch tables, computed goto, setjmp, loops to the entry, cleanups. */
#include <setjmp.h>

int ext(void *);
int pick(int a)
{
    switch (a) {
    case 0:
        return ext(0);
    case 1:
        return 3;
    case 2: {
        int y[40];
        return ext(y) + 1;
    }
    case 3:
        return a * 77;
    case 4:
        return ext(&a);
    case 5:
        return 9;
    case 6:
        return ext((void *)8) + 2;
    }
    return 1;
}

#define CASE(n)                                                                \
    case n:                                                                    \
        s += ext(&s) * n;                                                      \
        break;
#define TEN(n)                                                                 \
    CASE(n + 0)                                                                \
    CASE(n + 1) CASE(n + 2) CASE(n + 3) CASE(n + 4) CASE(n + 5) CASE(n + 6)    \
    CASE(n + 7) CASE(n + 8) CASE(n + 9)
int far_table(int n)
{
    int s = 0;

    while (n) {
        switch (n) {
            TEN(0) TEN(10) TEN(20) TEN(30)
        default:
            n = 0;
        }
    }
    return s;
}

int computed(int n)
{
    static const void *const to[] = {&&a, &&b, &&c};
    int x[6];

    goto *to[n];
a:
    ext(x);
b:
    n += ext(&n);
    if (n < 3) {
        goto *to[n];
    }
c:
    return ext(0) + n;
}

static jmp_buf back;
int jumps(int n)
{
    volatile int k = n;

    if (setjmp(back)) {
        return ext((void *)&k);
    }
    k++;
    if (ext(0)) {
        longjmp(back, 1);
    }
    return k;
}

int lower(const char *a, const char *b)
{
    char x, y;

    do {
        x = *a++;
        y = *b++;
        if (x == 0) {
            return 1;
        }
    } while (x == y);
    return 0;
}

static void closed(int *p)
{
    ext(p);
}

int cleaned(int n)
{
    int a __attribute__((cleanup(closed))) = n;
    int r = ext(&r);

    {
        int b __attribute__((cleanup(closed))) = r;

        r += ext(0);
    }
    return r + *(int *)(long)a;
}

int cleaned_variable(int n)
{
    int a __attribute__((cleanup(closed))) = n;
    char v[n];

    {
        int b __attribute__((cleanup(closed))) = ext(v);

        ext(&b);
    }
    return ext(&a);
}

int conditional(int a, int b)
{
    if (a == 0) {
        return b;
    }
    if (a < 0) {
        return -ext(&b);
    }
    return a > b ? ext(&a) : b;
}
