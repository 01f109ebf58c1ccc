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

#define CASE(n)       \
  case n:             \
    s += ext(&s) * n; \
    break
#define FIVE(n) \
  CASE(n);      \
  CASE(n + 1);  \
  CASE(n + 2);  \
  CASE(n + 3);  \
  CASE(n + 4)
int far_table(int n)
{
    int s = 0;

    while (n) {
        switch (n) {
            FIVE(0);
            FIVE(5);
            FIVE(10);
            FIVE(15);
            FIVE(20);
            FIVE(25);
            FIVE(30);
            FIVE(35);
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

/* Where the compiler may save registers late, this begins with its loop. */
int begins_with_loop(const char *p)
{
    int x;

    do {
        x = *p++;
    } while (x == ' ');
    if (x == 0) {
        return 1;
    }
    return ext((void *)(long)x) + 1;
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
