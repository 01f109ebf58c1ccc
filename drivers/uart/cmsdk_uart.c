/* SPDX-License-Identifier: MIT */
/*
 * UART0 of the MPS2 boards: the APB UART of Arm's Cortex-M System Design Kit
 * (ARM DDI 0479, section 4.3). Receiving and sending have an interrupt line
 * each.
 *
 * An interrupt is latched in INTSTATUS when a byte arrives while enabled, not
 * while one waits. So reception stays enabled in the block, and its line is
 * disabled in the interrupt controller while the ring is full: whatever is
 * latched meanwhile comes through when the line is enabled again. The latch is
 * cleared before DATA is read, hence never for a byte that comes after.
 */
#include <alula/irq.h>

#include <board.h>

#include "block.h"

#define UART0_RX_IRQ 0u
#define UART0_TX_IRQ 1u

struct cmsdk_uart {
    uint32_t DATA;
    uint32_t STATE;
    uint32_t CTRL;
    uint32_t INTSTATUS; /* write 1 to clear */
    uint32_t BAUDDIV;
};

#define UART0 ((volatile struct cmsdk_uart *)0x40004000u)

/* Lines 0 to 31 that are enabled (ARM DDI 0403E, section B3.4.4). */
#define NVIC_ISER0 ((const volatile uint32_t *)0xe000e100u)

/* Software trigger interrupt register (ARM DDI 0403E, section B3.4.9). */
#define STIR ((volatile uint32_t *)0xe000ef00u)

#define STATE_TXFULL (1u << 0)
#define STATE_RXFULL (1u << 1)

#define CTRL_TX_EN    (1u << 0)
#define CTRL_RX_EN    (1u << 1)
#define CTRL_TX_INTEN (1u << 2)
#define CTRL_RX_INTEN (1u << 3)

#define INT_TX (1u << 0)
#define INT_RX (1u << 1)

AL_IRQ(UARTRX0_Handler)
{
    bool room = true;

    /* Ends: each turn takes one place of a ring that the reader, a task,
     * cannot empty meanwhile. */
    while (room && (UART0->STATE & STATE_RXFULL) != 0) {
        UART0->INTSTATUS = INT_RX;
        room = uart_irq_arrived((uint8_t)UART0->DATA);
    }
    if (!room) {
        al_irq_disable(UART0_RX_IRQ);
    }
}

/* Comes for each byte that left, and when uart_block_notify() asks for it. */
AL_IRQ(UARTTX0_Handler)
{
    uint8_t byte;

    UART0->INTSTATUS = INT_TX;
    while ((UART0->STATE & STATE_TXFULL) == 0 && uart_irq_next(&byte)) {
        UART0->DATA = byte;
    }
}

void uart_block_start(void)
{
    UART0->BAUDDIV = BOARD_CONSOLE_BAUD_DIVISOR;
    UART0->CTRL = CTRL_TX_EN | CTRL_RX_EN | CTRL_TX_INTEN | CTRL_RX_INTEN;
    al_irq_enable(UART0_TX_IRQ, AL_PRIO_IRQ(0));
}

bool uart_block_listens(void)
{
    return (*NVIC_ISER0 >> UART0_RX_IRQ & 1u) != 0;
}

void uart_block_listen(void)
{
    al_irq_enable(UART0_RX_IRQ, AL_PRIO_IRQ(0));
}

bool uart_block_send(uint8_t byte)
{
    if ((UART0->STATE & STATE_TXFULL) != 0) {
        return false;
    }
    UART0->DATA = byte;
    return true;
}

/* By software, as the byte before may have left already, and its interrupt have
 * found nothing to send. */
void uart_block_notify(void)
{
    *STIR = UART0_TX_IRQ;
}

bool uart_block_idle(void)
{
    return (UART0->STATE & STATE_TXFULL) == 0;
}
