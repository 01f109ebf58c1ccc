/* SPDX-License-Identifier: MIT */
/* alloca and variable-length arrays, in the shapes that compilers give them. */
int ext(void *);
int ext8(int, int, int, int, int, int, int, void *);

int alloca_once(unsigned n)
{
    return ext(__builtin_alloca(n));
}

int alloca_twice(unsigned n, unsigned m)
{
    void *a = __builtin_alloca(n);
    int r = ext(a);

    return r + ext(__builtin_alloca(m)) + ext(a);
}

int alloca_loop(unsigned n)
{
    int s = 0;

    for (unsigned i = 0; i < n; i++) {
        s += ext(__builtin_alloca(i));
    }
    return s;
}

int vla(int n)
{
    int v[n];

    return ext(v);
}

int vla_bytes(unsigned n)
{
    char v[n];

    return ext(v) + v[0];
}

int vla_loop(int n)
{
    int s = 0;

    for (int i = 0; i < n; i++) {
        int v[i + 1];

        s += ext(v);
    }
    return s;
}

int vla_nested(int n, int m)
{
    int s = 0;

    for (int i = 0; i < n; i++) {
        short v[i + 3];

        for (int k = 0; k < m; k++) {
            long long w[k + i];

            s += ext(w) + ext(v);
        }
    }
    return s;
}

int vla_args(int n)
{
    char v[n];

    return ext8(1, 2, 3, 4, 5, 6, 7, v) + ext8(n, n, n, n, n, n, n, v);
}

int vla_deep_args(int n)
{
    char v[n];
    char fixed[300];

    return ext8(1, 2, 3, 4, 5, 6, 7, v) + ext(fixed);
}

int vla_two(int n, int m)
{
    char a[n];
    char b[m];
    int r = ext(a);

    return r + ext(b);
}

int vla_matrix(int n, int m)
{
    int a[n][m];

    return ext(a) + a[n - 1][m - 1];
}

int alloca_maybe(unsigned n)
{
    char small[16];
    void *p = n > sizeof small ? __builtin_alloca(n) : small;

    return ext(p);
}

int alloca_constant(void)
{
    return ext(__builtin_alloca(100)) + ext(__builtin_alloca(5000));
}

int alloca_aligned(unsigned n)
{
    return ext(__builtin_alloca_with_align(n, 512));
}

int vla_saved(int n, int *keep)
{
    int r = 0;

    {
        char a[n];

        r += ext(a);
        if (r == 3) {
            goto out;
        }
    }
    {
        char b[n + *keep];

        r += ext(b);
    }
out:
    return r + ext(keep);
}

int vla_pressure(int n, int a, int b, int c, int d, int e, int f, int g)
{
    int s = 0;

    for (int i = 0; i < n; i++) {
        char v[i * a + 1];

        s += ext(v) + a * b + c * d + e * f + g * i;
        s ^= a + b * c - d + e * f - g;
    }
    return s + a + b + c + d + e + f + g;
}

int vla_leaf(unsigned n)
{
    volatile char v[n + 1];

    v[n] = 3;
    return v[n];
}
