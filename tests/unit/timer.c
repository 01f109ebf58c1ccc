/* SPDX-License-Identifier: MIT */
/*
 * Claim: the root of the timer tree is always due first, whatever is entered
 * and removed, and no timer stands deeper than the bits of an address.
 *   1. random entries and removals of 200 timers, many with equal times, some
 *      beyond 2^32, against a plain scan
 *   2. after each step the whole tree: nobody is due before its parent, the
 *      address decides the branch, up and sub agree, nobody is lost
 *   3. timers whose addresses differ in the last bits only, and in the first
 *   4. drained: they come out in the order of their times
 * Fails if: the branch of an entry is taken from another depth than that of a
 * removal, or times are compared in 32 bits.
 * sources: -Itests/unit/host lib/core/timer.c
 */
#include "core/timer.h"

#include "host/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define TIMERS 200
#define STEPS  100000

bool host_in_handler;

static struct al_timer_node pool[TIMERS];
static struct al_timer_node *timers[TIMERS];
static bool inside[TIMERS];
static struct timer_tree tree;

static unsigned walk(const struct al_timer_node *timer,
        const struct al_timer_node *up, unsigned depth)
{
    unsigned below = 0;

    if (timer == NULL) {
        return 0;
    }
    assert_true(depth <= TIMER_STEPS);
    assert_ptr_equal(timer->up, up);
    assert_true(up == NULL || up->when <= timer->when);
    for (unsigned b = 0; b < 2; b++) {
        const struct al_timer_node *sub = timer->sub[b];

        assert_true(sub == NULL || ((uintptr_t)sub >> (depth + 3) & 1) == b);
        below += walk(sub, timer, depth + 1);
    }
    return below + 1;
}

static void compare(void)
{
    unsigned count = 0;
    const struct al_timer_node *first = NULL;

    for (unsigned i = 0; i < TIMERS; i++) {
        if (inside[i]) {
            count++;
            if (first == NULL || timers[i]->when < first->when) {
                first = timers[i];
            }
        }
    }
    assert_int_equal(walk(tree.root, NULL, 0), count);
    if (first == NULL) {
        assert_null(tree.root);
    } else {
        assert_int_equal(tree.root->when, first->when);
    }
}

static al_time some_time(void)
{
    switch (random_below(4)) {
    case 0:
        return random_below(8); /* many equals */
    case 1:
        return 0xfffffff0u + (al_time)random_below(32);
    default:
        return (al_time)random_below(1000) << random_below(40);
    }
}

static void play(unsigned steps)
{
    for (unsigned step = 0; step < steps; step++) {
        unsigned i = random_below(TIMERS);

        if (inside[i]) {
            timer_remove_held(&tree, timers[i]);
            assert_null(timers[i]->up);
        } else {
            timers[i]->when = some_time();
            timer_insert_held(&tree, timers[i]);
        }
        inside[i] = !inside[i];
        if (step % 16 == 0 || step < 2000) {
            compare();
        }
    }
    compare();
}

static void drain(void)
{
    al_time last = 0;

    while (tree.root != NULL) {
        assert_true(tree.root->when >= last);
        last = tree.root->when;
        timer_remove_held(&tree, tree.root);
    }
    for (unsigned i = 0; i < TIMERS; i++) {
        inside[i] = false;
    }
}

static void keeps_the_first_at_the_root(void **state)
{
    (void)state;
    random_start();
    for (unsigned i = 0; i < TIMERS; i++) {
        timers[i] = &pool[i];
    }
    play(STEPS);
    drain();
}

/* Each timer at a place that shares as many low bits with others as it can. */
static void stays_within_the_bits_of_an_address(void **state)
{
    static struct al_timer_node far[1 << 16] __attribute__((aligned(1 << 16)));
    unsigned n = 0;

    (void)state;
    for (unsigned at = 1; at < sizeof(far) / sizeof(far[0]); at *= 2) {
        timers[n++] = &far[at];
    }
    while (n < TIMERS) {
        timers[n] = &far[(n * 64 + 3) % (sizeof(far) / sizeof(far[0]))];
        n++;
    }
    play(STEPS);
    drain();
}

static void enters_in_any_order_of_times(void **state)
{
    (void)state;
    for (int falling = 0; falling < 2; falling++) {
        for (unsigned i = 0; i < TIMERS; i++) {
            timers[i] = &pool[i];
            timers[i]->when = falling ? TIMERS - i : i;
            timer_insert_held(&tree, timers[i]);
            inside[i] = true;
            compare();
        }
        drain();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(keeps_the_first_at_the_root),
            cmocka_unit_test(stays_within_the_bits_of_an_address),
            cmocka_unit_test(enters_in_any_order_of_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
