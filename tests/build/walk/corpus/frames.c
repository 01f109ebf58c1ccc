/* SPDX-License-Identifier: MIT */
/* Frames of many sizes, arguments on the stack, structures by value. */
int ext(void *);
struct big {
    int v[20];
};
struct big give(struct big a, struct big *b, int c);

#define FRAME(n)       \
  int frame_##n(void)  \
  {                    \
    char b[n];         \
    return ext(b) + 1; \
  }                    \
  struct big

FRAME(1);
FRAME(4);
FRAME(40);
FRAME(52);
FRAME(56);
FRAME(60);
FRAME(64);
FRAME(68);
FRAME(96);
FRAME(504);
FRAME(508);
FRAME(512);
FRAME(1020);
FRAME(1024);
FRAME(1028);
FRAME(4088);
FRAME(4092);
FRAME(4096);
FRAME(4100);
FRAME(5000);
FRAME(6004);
FRAME(32768);
FRAME(65528);
FRAME(65536);
FRAME(100004);

int many(int a, int b, int c, int d, int e, int f, int g, int h)
{
    int x[5] = {e, f, g, h, a};

    return ext(x) + b + c + d;
}

int calls_many(int a)
{
    return many(a, 1, 2, 3, 4, 5, 6, 7) + many(a, a, a, a, a, a, a, a) + 1;
}

int sibling(int a, int b, int c, int d, int e, int f, int g, int h)
{
    return many(h, g, f, e, d, c, b, a);
}

int to_pointer(int (*f)(int, int), int a)
{
    return f(a, 3);
}

struct big by_value(struct big a, struct big b)
{
    struct big c = give(a, &b, 3);

    c.v[3] += ext(&a);
    return give(c, &c, b.v[2]);
}

int split(int a, int b, struct big c)
{
    return ext(&c) + a + b + c.v[1];
}

float hard(float a, float b, double c)
{
    float x = a * b + (float)ext(0) + a;

    return x * (float)c + b;
}

float keep_vfp(float a, float b)
{
    float s = 0;

    for (int i = 0; i < 4; i++) {
        s += a * (float)ext(&s) + b;
    }
    return s;
}

long long wide(long long a, long long b)
{
    long long c = a * b + ext(&a);

    return c / (b | 1);
}

int deep(int n)
{
    int x[3] = {n, n, n};

    return n ? deep(n - 1) + ext(x) : 0;
}

int aligned(void)
{
    char b[100] __attribute__((aligned(64)));

    return ext(b);
}

int cold(int *p)
{
    if (__builtin_expect(p == 0, 0)) {
        int why[30];

        ext(why);
        __builtin_trap();
    }
    return *p;
}

__attribute__((noreturn)) void stop(int);
int dies(int n)
{
    char b[24];

    if (n > 4) {
        ext(b);
        stop(n);
    }
    if (n < -4) {
        stop(ext(b));
    }
    return ext(&n) + n;
}
