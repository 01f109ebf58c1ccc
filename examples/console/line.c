/* SPDX-License-Identifier: MIT */
#include "line.h"

#define CTRL_C    3
#define CTRL_D    4
#define BACKSPACE 8
#define TAB       9
#define ESCAPE    27
#define DEL       127

static void show(struct line *line, const char *bytes, size_t count)
{
    line->echo = bytes;
    line->echo_count = count;
}

void line_begin(struct line *line)
{
    line->length = 0;
    line->escape = 0;
}

static enum line_event end_line(struct line *line)
{
    show(line, "\n", 1);
    if (line->length > LINE_MAX) {
        return LINE_TOO_LONG;
    }
    line->text[line->length] = '\0';
    return LINE_IS_WHOLE;
}

static void append(struct line *line, char c)
{
    if (line->length >= LINE_MAX) {
        line->length = LINE_MAX + 1;
        return;
    }
    line->text[line->length] = c;
    show(line, &line->text[line->length], 1);
    line->length++;
}

static void take_back(struct line *line)
{
    /* Of a line that is too long, only what fits was kept and shown. */
    if (line->length > LINE_MAX) {
        line->length = LINE_MAX;
    }
    if (line->length > 0) {
        line->length--;
        show(line, "\b \b", 3);
    }
}

/* An escape sequence is ESC, one byte, and if that is [ or O all bytes up to a
 * letter or ~. */
static void take_escape(struct line *line, unsigned char byte)
{
    if (line->escape == 1 && (byte == '[' || byte == 'O')) {
        line->escape = 2;
    } else if (line->escape == 1 || byte >= '@') {
        line->escape = 0;
    }
}

enum line_event line_take(struct line *line, unsigned char byte)
{
    bool after_cr = line->after_cr;

    show(line, "", 0);
    line->after_cr = byte == '\r';
    if (byte == '\r' || (byte == '\n' && !after_cr)) {
        return end_line(line);
    }
    if (byte == CTRL_D) {
        line->ended = true;
        return end_line(line);
    }
    if (byte == CTRL_C) {
        show(line, "^C\n", 3);
        return LINE_DROPPED;
    }
    if (line->escape != 0) {
        take_escape(line, byte);
    } else if (byte == ESCAPE) {
        line->escape = 1;
    } else if (byte == BACKSPACE || byte == DEL) {
        take_back(line);
    } else if (byte == TAB) {
        append(line, ' ');
    } else if (byte >= ' ') {
        append(line, (char)byte);
    }
    return LINE_GROWS;
}
