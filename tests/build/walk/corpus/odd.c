/* SPDX-License-Identifier: MIT */
/* Variadics, inline assembly, frame addresses, pointers to everything. */
#include <stdarg.h>

int ext(void *);
int vext(const char *, va_list);
int variadic(const char *f, ...)
{
    va_list p;
    int r;

    va_start(p, f);
    r = vext(f, p);
    va_end(p);
    return r;
}

int variadic_4(int a, int b, int c, int d, ...)
{
    va_list p;
    int r;

    va_start(p, d);
    r = va_arg(p, int) + (int)va_arg(p, double);
    va_end(p);
    return r + a + b + c;
}

int calls_variadic(int a)
{
    return variadic("%d", a, 3.5, a, a, a, 1LL);
}

int assembly(int a)
{
    int r;

    __asm volatile("rbit %0, %1" : "=r"(r) : "r"(a) : "cc");
    return r + ext(&a);
}

int many_live(int *p)
{
    int a = p[0], b = p[1], c = p[2], d = p[3], e = p[4], f = p[5], g = p[6],
        h = p[7], i = p[8], j = p[9], k = p[10];

    for (int n = ext(p); n; n--) {
        a += b ^ c;
        b += c ^ d;
        c += d ^ e;
        d += e ^ f;
        e += f ^ g;
        f += g ^ h;
        g += h ^ i;
        h += i ^ j;
        i += j ^ k;
        j += k ^ a;
        k += a ^ b;
    }
    return ext(p) + a + b + c + d + e + f + g + h + i + j + k;
}

void *frame_address(void)
{
    return __builtin_frame_address(0);
}

void *return_address(int n)
{
    return ext(&n) ? __builtin_return_address(0) : 0;
}

typedef int callback(int);
static int doubled(int n)
{
    return 2 * n + ext(&n);
}

callback *hand_out(void)
{
    return doubled;
}

int calls_back(callback *c)
{
    return c(3) + 1;
}

volatile double va, vb;
void doubles(void)
{
    double a = va, b = vb;

    va = a * b + a / b - (double)ext(&a);
}

void empty(void)
{
}

int leaf(int a)
{
    return a + 1;
}
