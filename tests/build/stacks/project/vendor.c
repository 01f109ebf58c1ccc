/* SPDX-License-Identifier: MIT */
/* A vendor's archive: compiled without Alula's flags, without unwind tables. */
int vendor_sum(int n);
int vendor_each(int (*fn)(int), int n);

__attribute__((noinline)) static int part(volatile int *from, int n)
{
    volatile int copy[12];

    for (int i = 0; i < n && i < 12; i++) {
        copy[i] = from[i];
    }
    return copy[0] + copy[n - 1];
}

int vendor_sum(int n)
{
    volatile int values[20];

    for (int i = 0; i < 20; i++) {
        values[i] = n + i;
    }
    return part(values, n % 12 + 1) + part(values + 4, 3);
}

int vendor_each(int (*fn)(int), int n)
{
    volatile int sum = 0;

    for (int i = 0; i < n; i++) {
        sum += fn(i);
    }
    return sum;
}
