/* SPDX-License-Identifier: MIT */
/* A library of the user's, with a frame, so that it needs a check. */
#include "helper.h"

int helper_sum(const int *from, int count)
{
    volatile int kept[24];
    int sum = 0;

    for (int i = 0; i < 24; i++) {
        kept[i] = i < count ? from[i] : 0;
    }
    for (int i = 0; i < 24; i++) {
        sum += kept[i];
    }
    return sum;
}
