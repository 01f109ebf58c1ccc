/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What uart.c asks of a hardware block, and what a block's interrupt handler
 * asks of uart.c. One .c per block supplies the uart_block_... functions; an
 * image links one of them.
 */

#include <alula/types.h>

/* Set up the block. The handler hands over no byte and sends none; in a task's
 * later life it goes on as it did. */
void uart_block_start(void);

/* Does the handler hand over bytes? */
bool uart_block_listens(void);

/* Have the handler hand over bytes, until uart_irq_arrived() says no. */
void uart_block_listen(void);

/* Send `byte` if the block can take it at once. Task. */
bool uart_block_send(uint8_t byte);

/* Have the handler ask uart_irq_next() for bytes, now and until it says no. */
void uart_block_notify(void);

/* True when the last byte has left the block. */
bool uart_block_idle(void);

/**
 * Hand over a byte that arrived.
 *
 * @context   irq
 * @return    false: there is no room for another; take none until
 *            uart_block_listen()
 */
bool uart_irq_arrived(uint8_t byte);

/**
 * Fetch the next byte to send.
 *
 * @context   irq
 * @return    false: there is none; ask no more until uart_block_notify()
 */
bool uart_irq_next(uint8_t *byte);
