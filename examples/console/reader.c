/* SPDX-License-Identifier: MIT */
/*
 * The task that reads the port. It edits lines and hands them over; it never
 * runs a command, so none kills it but `kill reader`, and what is typed meanwhile waits
 * in the driver's ring. A line is echoed as it is read, not as it arrives, so
 * that what was typed ahead appears behind its own prompt.
 */
#include <alula/alula.h>

#include <board.h>
#include <uart/uart.h>

#include "command.h"
#include "line.h"
#include "outcome.h"
#include "port.h"
#include "report.h"
#include "restarts.h"

static struct line line;

static enum line_event read_line(void)
{
    enum line_event event;

    line_begin(&line);
    do {
        event = line_take(&line, al_uart_read());
        if (line.echo_count > 0) {
            port_write(line.echo, line.echo_count);
        }
    } while (event == LINE_GROWS);
    return event;
}

/* Waits for the command before to end, and tells what it died of if it did. */
static void settle(void)
{
    command_await();
    report_new_crashes();
    outcome_tell();
}

/* Starts here, and starts again here when it was killed, which is while a
 * command runs. */
static void reader_run(void)
{
    al_uart_start();
    report_begin();
    settle();
    while (!line.ended) {
        say("> ");
        switch (read_line()) {
        case LINE_IS_WHOLE:
            command_submit(line.text);
            settle();
            break;
        case LINE_TOO_LONG:
            say("too long: a line has at most %u characters\n", LINE_MAX);
            break;
        case LINE_GROWS:
        case LINE_DROPPED:
            break;
        }
    }
    port_end(0);
}

AL_TASK_POLICY(reader, reader_run, 10, 1536, &as_often_as_it_takes);
