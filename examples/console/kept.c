/* SPDX-License-Identifier: MIT */
#include "kept.h"

#define MAGIC 0x7065656bu
#define WORDS (sizeof(struct kept) / sizeof(uint32_t))

/* The checksum is written last: a reset in the middle leaves a wrong one. */
static struct {
    union {
        struct kept kept;
        uint32_t words[WORDS];
    };
    uint32_t checksum;
} store __attribute__((section(".noinit.console")));

/* Of all zeros, too, it is another word than zero. */
static uint32_t checksum(void)
{
    uint32_t sum = MAGIC;

    for (unsigned i = 0; i < WORDS; i++) {
        sum = (sum >> 7 | sum << 25) + store.words[i];
    }
    return sum;
}

bool kept_read(struct kept *kept)
{
    bool valid = store.checksum == checksum();

    *kept = valid ? store.kept : (struct kept){0};
    return valid;
}

void kept_write(const struct kept *kept)
{
    store.checksum = 0;
    AL_BARRIER();
    store.kept = *kept;
    AL_BARRIER();
    store.checksum = checksum();
    AL_BARRIER();
}
