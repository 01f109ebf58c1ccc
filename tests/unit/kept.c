/* SPDX-License-Identifier: MIT */
/*
 * Claim: what the console keeps over a reset is believed only when it is whole.
 *   1. memory of all zeros, of all ones, and of random words holds nothing
 *   2. what was written is read, also when all of it is zeros
 *   3. with any one bit changed it holds nothing, and zeros are read
 *   4. the same when a reset came after each word that is written
 * Fails if: the checksum is not looked at, or does not reach the last word.
 */
#include "examples/console/kept.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct kept zeros;
static const struct kept some = {1, 20, 300, 0, 4, 0, 50000};

static void memory_of_no_meaning(void **state)
{
    struct kept kept = some;

    (void)state;
    memset(&store, 0, sizeof store);
    assert_false(kept_read(&kept));
    assert_memory_equal(&kept, &zeros, sizeof kept);
    memset(&store, 0xff, sizeof store);
    assert_false(kept_read(&kept));
    srand(7);
    for (int turn = 0; turn < 100000; turn++) {
        for (unsigned i = 0; i < WORDS; i++) {
            store.words[i] = (uint32_t)rand();
        }
        store.checksum = (uint32_t)rand();
        assert_false(kept_read(&kept));
    }
}

static void what_was_written(void **state)
{
    struct kept kept;

    (void)state;
    kept_write(&some);
    assert_true(kept_read(&kept));
    assert_memory_equal(&kept, &some, sizeof kept);
    kept_write(&zeros);
    assert_true(kept_read(&kept));
    assert_memory_equal(&kept, &zeros, sizeof kept);
}

static void any_bit(void **state)
{
    struct kept kept;

    (void)state;
    kept_write(&some);
    for (size_t bit = 0; bit < sizeof store * 8; bit++) {
        unsigned char *byte = (unsigned char *)&store + bit / 8;

        *byte ^= (unsigned char)(1u << bit % 8);
        assert_false(kept_read(&kept));
        assert_memory_equal(&kept, &zeros, sizeof kept);
        *byte ^= (unsigned char)(1u << bit % 8);
    }
    assert_true(kept_read(&kept));
}

static void a_write_cut_short(void **state)
{
    static const struct kept other = {9, 8, 7, 6, 5, 4, 3};
    struct kept kept;

    (void)state;
    for (unsigned words = 0; words < WORDS; words++) {
        kept_write(&some);
        store.checksum = 0;
        memcpy(&store.kept, &other, words * sizeof(uint32_t));
        assert_false(kept_read(&kept));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(memory_of_no_meaning),
            cmocka_unit_test(what_was_written),
            cmocka_unit_test(any_bit),
            cmocka_unit_test(a_write_cut_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
