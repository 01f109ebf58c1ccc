/* SPDX-License-Identifier: MIT */
/*
 * Rings between the console's tasks and the block's interrupt handler.
 *
 * Receiving: the handler fills `rx` until it is full, then stops listening
 * (`held`); the reader resumes it when half of the ring is free, and at the
 * start. `held` is written by the handler while it listens and by the reader
 * while it does not: never by both.
 *
 * Sending: while `tx` is empty and the block has room, the writer hands bytes
 * straight to the block, which is all that ever happens on an emulator whose
 * block is always ready. Otherwise they queue in `tx`, which the handler
 * empties.
 *
 * A semaphore that is given twice before it is taken counts once, and a unit
 * may be left over from an earlier wait: each waiter looks again.
 */
#include "uart.h"

#include <alula/sem.h>
#include <alula/time.h>

#include "block.h"
#include "ring.h"

/* An emulator hands over as many bytes as fit in one go, before any task runs
 * again: a longer ring would make the most urgent task wait longer. */
#define RX_BYTES 16
#define TX_BYTES 64

static uint8_t rx_bytes[RX_BYTES];
static uint8_t tx_bytes[TX_BYTES];

static struct {
    struct ring rx;        /* handler to reader */
    struct ring tx;        /* writer to handler */
    struct al_sem arrived; /* rx was empty before */
    struct al_sem drained; /* tx is half empty, or empty */
    volatile bool held;    /* the handler does not listen */
} uart = {
        .rx = RING_INIT(rx_bytes),
        .tx = RING_INIT(tx_bytes),
        .arrived = AL_SEM_INIT(0, 1),
        .drained = AL_SEM_INIT(0, 1),
};

bool uart_irq_arrived(uint8_t byte)
{
    bool first = ring_used(&uart.rx) == 0;

    /* There is room: the handler stops listening when there is none. */
    (void)ring_put(&uart.rx, byte);
    if (first) {
        (void)al_irq_sem_give(&uart.arrived);
    }
    uart.held = ring_full(&uart.rx);
    return !uart.held;
}

bool uart_irq_next(uint8_t *byte)
{
    uint32_t left;

    if (!ring_get(&uart.tx, byte)) {
        return false;
    }
    left = ring_used(&uart.tx);
    if (left == TX_BYTES / 2 || left == 0) {
        (void)al_irq_sem_give(&uart.drained);
    }
    return true;
}

void al_uart_start(void)
{
    uart_block_start();
    /* In a later life the handler may listen, and then says itself when it does
     * not; nobody else may, as it could fill the ring at any moment. Where it
     * does not, the reader may have died on the way to make it. */
    if (!uart_block_listens()) {
        uart.held = true;
    }
    if (ring_used(&uart.tx) != 0) {
        uart_block_notify();
    }
}

uint8_t al_uart_read(void)
{
    for (;;) {
        uint8_t byte;
        bool got = ring_get(&uart.rx, &byte);

        if (uart.held && ring_used(&uart.rx) <= RX_BYTES / 2) {
            uart.held = false;
            uart_block_listen();
        }
        if (got) {
            return byte;
        }
        al_sem_take(&uart.arrived);
    }
}

void al_uart_write(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t byte = (uint8_t)bytes[i];

        if (ring_used(&uart.tx) == 0 && uart_block_send(byte)) {
            continue;
        }
        while (!ring_put(&uart.tx, byte)) {
            al_sem_take(&uart.drained);
        }
        uart_block_notify();
    }
}

void al_uart_drain(void)
{
    while (ring_used(&uart.tx) != 0) {
        al_sem_take(&uart.drained);
    }
    while (!uart_block_idle()) {
        al_sleep(1);
    }
}
