/* SPDX-License-Identifier: MIT */
/* Nested functions (GCC): ip holds the static chain at their entry. */
int ext(void *);

int outer(int n)
{
    int total = n;
    int inner(int k)
    {
        char b[200];

        total += ext(b) + k;
        return total;
    }
    int small(int k)
    {
        total += ext(&k);
        return total;
    }
    int variable(int k)
    {
        char b[k];

        total += ext(b);
        return total;
    }

    return inner(n) + small(n + 1) + inner(total) + variable(n);
}
