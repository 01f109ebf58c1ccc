/* SPDX-License-Identifier: MIT */
/*
 * Claim: the console's line editor makes of typed bytes what line.h says.
 *   1. CR, LF and CR LF each end one line
 *   2. backspace, DEL, Ctrl-C, tab, escape sequences, control characters
 *   3. the longest line is taken, a longer one refused as a whole
 *   4. byte 4 ends the input, with what was typed before it
 *   5. random bytes never leave the line's bounds
 * Fails if: an LF after a CR counts, or append() accepts one character more.
 * sources: examples/console/line.c
 */
#include "examples/console/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char shown[400];

/* Types `bytes` until the line is no longer growing; returns what is left. */
static const char *type(
        struct line *line, const char *bytes, enum line_event *event)
{
    *event = LINE_GROWS;
    shown[0] = '\0';
    line_begin(line);
    while (*bytes != '\0' && *event == LINE_GROWS) {
        *event = line_take(line, (unsigned char)*bytes);
        strncat(shown, line->echo, line->echo_count);
        bytes++;
    }
    return bytes;
}

static void expect(const char *bytes, enum line_event event, const char *text,
        const char *echo)
{
    struct line line = {0};
    enum line_event got;

    assert_string_equal(type(&line, bytes, &got), "");
    assert_int_equal(got, event);
    assert_string_equal(shown, echo);
    if (event == LINE_IS_WHOLE) {
        assert_string_equal(line.text, text);
    }
}

static void ends_lines(void **state)
{
    struct line line = {0};
    const char *left = "a\rb\nc\r\nd\r\re\n\nf\n";
    const char *want[] = {"a", "b", "c", "d", "", "e", "", "f"};
    enum line_event event;

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        left = type(&line, left, &event);
        assert_int_equal(event, LINE_IS_WHOLE);
        assert_string_equal(line.text, want[i]);
    }
    assert_string_equal(left, "");
}

static void edits(void **state)
{
    (void)state;
    expect("ps\n", LINE_IS_WHOLE, "ps", "ps\n");
    expect("px\bs\n", LINE_IS_WHOLE, "ps", "px\b \bs\n");
    expect("\b\x7fps\x7f\x7f\x7fup\n", LINE_IS_WHOLE, "up", "ps\b \b\b \bup\n");
    expect("vla\t1\n", LINE_IS_WHOLE, "vla 1", "vla 1\n");
    expect("a\x1b[A\x1bOP\x1b[15~\x1bxb\n", LINE_IS_WHOLE, "ab", "ab\n");
    expect("a\x01\x07\x1fz\n", LINE_IS_WHOLE, "az", "az\n");
    expect("gar\x03", LINE_DROPPED, "", "gar^C\n");
    expect("caf\xc3\xa9\n", LINE_IS_WHOLE, "caf\xc3\xa9", "caf\xc3\xa9\n");
}

static void bounds_a_line(void **state)
{
    struct line line = {0};
    enum line_event event;
    char longest[LINE_MAX + 1];
    char typed[LINE_MAX + 8];

    (void)state;
    memset(longest, 'x', LINE_MAX);
    longest[LINE_MAX] = '\0';

    snprintf(typed, sizeof typed, "%s\n", longest);
    expect(typed, LINE_IS_WHOLE, longest, typed);
    snprintf(typed, sizeof typed, "%sy\n", longest);
    type(&line, typed, &event);
    assert_int_equal(event, LINE_TOO_LONG);
    /* Taking back makes it short enough again. */
    snprintf(typed, sizeof typed, "%syy\b\r", longest);
    type(&line, typed, &event);
    assert_int_equal(event, LINE_IS_WHOLE);
    assert_int_equal(strlen(line.text), LINE_MAX - 1);
}

static void ends_the_input(void **state)
{
    struct line line = {0};
    enum line_event event;

    (void)state;
    type(&line, "ps\n", &event);
    assert_false(line.ended);
    type(&line, "\x04", &event);
    assert_true(line.ended);
    assert_int_equal(event, LINE_IS_WHOLE);
    assert_string_equal(line.text, "");
    line.ended = false;
    type(&line, "heap\x04", &event);
    assert_true(line.ended);
    assert_string_equal(line.text, "heap");
}

static void keeps_its_bounds(void **state)
{
    struct line *line = calloc(1, sizeof *line);

    (void)state;
    srand(1);
    line_begin(line);
    for (int i = 0; i < 300000; i++) {
        /* Few line ends, so that lines do get too long. */
        unsigned char byte = (unsigned char)(rand() % 256);

        if (byte < 32 && rand() % 16 != 0) {
            byte = 'x';
        }
        if (line_take(line, byte) != LINE_GROWS) {
            line_begin(line);
        }
        assert_true(line->length <= LINE_MAX + 1);
    }
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(ends_lines),
            cmocka_unit_test(edits),
            cmocka_unit_test(bounds_a_line),
            cmocka_unit_test(ends_the_input),
            cmocka_unit_test(keeps_its_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
