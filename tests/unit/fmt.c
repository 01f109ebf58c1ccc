/* SPDX-License-Identifier: MIT */
/*
 * Claim: fmt_print writes what its header says, never past the buffer, and
 * agrees with the host's printf wherever both know the conversion.
 *   1. each conversion, with widths, beside snprintf
 *   2. what only fmt defines: NULL, unknown conversions
 *   3. every buffer size from 1 on: cut, ended, nothing written behind
 * Fails if: the bound in put() is off by one, or a sign counts not in a width.
 * sources: lib/fmt.c
 */
#include "fmt.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The same format and arguments through both; both must agree. */
#define SAME(...)                                                        \
  do {                                                                   \
    char want[80];                                                       \
    char have[80];                                                       \
    int length = snprintf(want, sizeof want, __VA_ARGS__);               \
    assert_int_equal(fmt_print(have, sizeof have, __VA_ARGS__), length); \
    assert_string_equal(have, want);                                     \
  } while (0)

static void agrees_with_printf(void **state)
{
    (void)state;
    SAME("plain");
    SAME("%s", "");
    SAME("[%s] [%9s] [%-9s] [%2s]", "text", "text", "text", "text");
    SAME("[%c] [%3c] [%-3c]", 'x', 'y', 'z');
    SAME("%u %u %u", 0u, 7u, UINT32_MAX);
    SAME("[%5u] [%-5u] [%05u] [%2u]", 42u, 42u, 42u, 4242u);
    SAME("%d %d %d %d", 0, -1, INT32_MAX, INT32_MIN);
    SAME("[%6d] [%-6d] [%06d]", -42, -42, -42);
    SAME("%x %x [%8x] [%08x] [%-8x]", 0u, 0xdeadbeefu, 0xabcu, 0xabcu, 0xabcu);
    SAME("%llu %llu", 0ull, ~0ull);
    SAME("%llx %016llx", ~0ull, 1ull << 33);
    SAME("%lld %lld", (long long)INT64_MIN, (long long)INT64_MAX);
    SAME("%u%% of %s", 50u, "all");
    SAME("[%60s]", "wide");
}

static void agrees_on_random_numbers(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < 20000; i++) {
        unsigned long long value = (unsigned long long)rand() << 40 ^
                                   (unsigned long long)rand() << 20 ^
                                   (unsigned)rand();

        value >>= rand() % 64;
        SAME("%llu|%lld|%llx", value, (long long)value, value);
        SAME("%u|%d|%x", (unsigned)value, (int)value, (unsigned)value);
    }
}

static void defines_the_rest(void **state)
{
    /* Not literals: the compiler would refuse what printf does not define. */
    const char *volatile null = NULL;
    const char *odd = "%q %5 100%";
    char out[40];

    (void)state;
    assert_int_equal(fmt_print(out, sizeof out, "%s|%8s", null, null), 15);
    assert_string_equal(out, "(null)|  (null)");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    assert_int_equal(fmt_print(out, sizeof out, odd), strlen(odd));
#pragma GCC diagnostic pop
    assert_string_equal(out, odd);
}

static void stays_inside_its_buffer(void **state)
{
    (void)state;
    for (size_t size = 1; size < 40; size++) {
        char out[48];
        char want[48];
        size_t used;

        memset(out, 0x5a, sizeof out);
        used = fmt_print(
                out, size, "%s %08x %-6d|%5u", "word", 0xbeefu, -3, 9u);
        snprintf(want, size, "%s %08x %-6d|%5u", "word", 0xbeefu, -3, 9u);
        assert_string_equal(out, want);
        assert_int_equal(used, strlen(out));
        for (size_t i = size; i < sizeof out; i++) {
            assert_int_equal(out[i], 0x5a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(agrees_with_printf),
            cmocka_unit_test(agrees_on_random_numbers),
            cmocka_unit_test(defines_the_rest),
            cmocka_unit_test(stays_inside_its_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
