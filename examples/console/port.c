/* SPDX-License-Identifier: MIT */
#include "port.h"

#include <board.h>
#include <fmt.h>
#include <uart/uart.h>

struct al_mutex port_lock = AL_MUTEX_INIT;

void port_write(const char *bytes, size_t count)
{
    al_status status;

    AL_LOCK_SCOPED(&port_lock, status);
    if (status == AL_E_POISONED) {
        /* Somebody died in the middle of a line. The rings are whole at any
         * instruction: nothing else to repair. */
        al_mutex_heal(&port_lock);
    }
    al_uart_write(bytes, count);
}

void say(const char *format, ...)
{
    char text[PORT_SAY_MAX + 1];
    va_list args;
    size_t count;

    va_start(args, format);
    count = fmt_vprint(text, sizeof text, format, args);
    va_end(args);
    port_write(text, count);
}

void port_drain(void)
{
    al_uart_drain();
}

AL_NORETURN void port_end(int status)
{
    port_drain();
    board_exit(status);
}
