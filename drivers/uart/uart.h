/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The board's console UART, 8 data bits, no parity, 1 stop bit.
 *
 * One task reads; writers take turns (a mutex of theirs). While the receive
 * ring is full the driver stops taking bytes from the hardware: an emulator,
 * or a sender that heeds RTS, then waits, and no byte is lost. A sender that
 * heeds nothing overruns the hardware's one-byte register (LIMITS.md).
 *
 * Not here: several ports, other formats, deadlines.
 */

#include <alula/types.h>

/**
 * Set up the hardware. Bytes that reached it before are lost; what the receive
 * ring holds is kept.
 *
 * @context   the reading task, before any other function here; again after a
 *            restart of it
 */
void al_uart_start(void);

/**
 * Take the oldest byte that has arrived; wait while there is none.
 *
 * @context   the reading task; may switch, waits
 * @unwind    the byte is lost only with the task that took it
 */
uint8_t al_uart_read(void);

/**
 * Send `count` bytes; wait while the transmit ring is full.
 *
 * @param[in] bytes
 * @param[in] count
 * @context   task, one at a time; may switch, waits
 * @unwind    what was in the ring is still sent
 */
void al_uart_write(const char *bytes, size_t count);

/**
 * Wait until all that was written has left the hardware.
 *
 * @context   task, one at a time with the writers; may switch, waits
 */
void al_uart_drain(void);
