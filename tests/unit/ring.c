/* SPDX-License-Identifier: MIT */
/*
 * Claim: a ring hands over every byte once, in order, up to its size, over the
 * wrap of its indices, with an interrupt between any two operations.
 *   1. fill it, see the refusal, drain it, see the refusal
 *   2. the same with indices that wrap at 2^32
 *   3. random puts and gets against a plain array
 * Fails if: full is tested with >= in ring_put's guard, or an index is masked
 * when it is stored.
 */
#include "lib/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void fills_and_drains(uint32_t from)
{
    uint8_t bytes[8];
    struct ring ring = RING_INIT(bytes);
    uint8_t byte = 0xee;

    ring.head = from;
    ring.tail = from;
    assert_false(ring_get(&ring, &byte));
    assert_int_equal(byte, 0xee);
    for (unsigned i = 0; i < 8; i++) {
        assert_false(ring_full(&ring));
        assert_int_equal(ring_used(&ring), i);
        assert_true(ring_put(&ring, (uint8_t)(i + 1)));
    }
    assert_true(ring_full(&ring));
    assert_false(ring_put(&ring, 99));
    for (unsigned i = 0; i < 8; i++) {
        assert_true(ring_get(&ring, &byte));
        assert_int_equal(byte, i + 1);
    }
    assert_false(ring_get(&ring, &byte));
    assert_int_equal(ring_used(&ring), 0);
}

static void hands_over_up_to_its_size(void **state)
{
    (void)state;
    fills_and_drains(0);
    fills_and_drains(5);
}

static void survives_the_wrap_of_its_indices(void **state)
{
    (void)state;
    for (uint32_t before = 0; before <= 9; before++) {
        fills_and_drains(0u - before);
    }
}

static void keeps_the_order_of_random_traffic(void **state)
{
    uint8_t bytes[16];
    struct ring ring = RING_INIT(bytes);
    uint32_t put = 0;
    uint32_t got = 0;

    (void)state;
    srand(1);
    ring.head = ring.tail = 0u - 1000u;
    for (int step = 0; step < 100000; step++) {
        uint8_t byte = 0;

        assert_int_equal(ring_used(&ring), put - got);
        if (rand() % 2 != 0) {
            bool room = put - got < sizeof bytes;

            assert_int_equal(ring_put(&ring, (uint8_t)(put * 7)), room);
            put += room;
        } else {
            bool any = put != got;

            assert_int_equal(ring_get(&ring, &byte), any);
            assert_true(!any || byte == (uint8_t)(got * 7));
            got += any;
        }
    }
    assert_true(got > 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(hands_over_up_to_its_size),
            cmocka_unit_test(survives_the_wrap_of_its_indices),
            cmocka_unit_test(keeps_the_order_of_random_traffic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
