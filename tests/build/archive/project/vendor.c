/* SPDX-License-Identifier: MIT */
/* Plays a vendor's library: compiled without Alula, its flags or its tables. */
#include "vendor.h"

unsigned vendor_entered;

unsigned vendor_sum(const unsigned *from, unsigned count)
{
    volatile unsigned kept[60];
    unsigned sum = 0;

    vendor_entered++;
    for (unsigned i = 0; i < 60; i++) {
        kept[i] = i < count ? from[i] : 0;
    }
    for (unsigned i = 0; i < 60; i++) {
        sum += kept[i];
    }
    return sum;
}

unsigned vendor_each(unsigned (*fn)(unsigned), unsigned count)
{
    volatile unsigned sum = 0;

    for (unsigned i = 0; i < count; i++) {
        sum += fn(i);
    }
    return sum;
}
