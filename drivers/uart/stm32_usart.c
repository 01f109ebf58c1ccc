/* SPDX-License-Identifier: MIT */
/*
 * USART1 of the STM32F405, on PA9 and PA10 (ST RM0090, section 30).
 *
 * The handler and tasks both change CR1, so both do it by single bits through
 * the bit-band alias, where the bus keeps read, change and write together
 * (ST PM0214, section 2.2.5).
 *
 * QEMU 7.2's model, as measured: it holds input back until DR is read; it
 * never raises an interrupt for TXE, which is always set; and clearing RXNEIE
 * does not lower an interrupt that RXNE has raised, only reading DR does. So
 * the handler clears RXNEIE before it reads: a byte that comes right after the
 * read that filled the ring would else call the handler for ever.
 */
#include <alula/irq.h>

#include <board.h>

#include "block.h"

#define USART1_IRQ 37u

struct usart {
    uint32_t SR;
    uint32_t DR;
    uint32_t BRR;
    uint32_t CR1;
};

#define USART1 ((volatile struct usart *)0x40011000u)

#define SR_RXNE (1u << 5)
#define SR_TC   (1u << 6)
#define SR_TXE  (1u << 7)

/* The word that stands for one bit of CR1. */
#define CR1_BIT(bit) \
  ((volatile uint32_t *)(0x42000000u + 0x1100Cu * 32u + (bit)*4u))
#define RE     CR1_BIT(2u)
#define TE     CR1_BIT(3u)
#define RXNEIE CR1_BIT(5u)
#define TXEIE  CR1_BIT(7u)
#define UE     CR1_BIT(13u)

#define RCC_AHB1ENR ((volatile uint32_t *)0x40023830u)
#define RCC_APB2ENR ((volatile uint32_t *)0x40023844u)
#define GPIOA_MODER ((volatile uint32_t *)0x40020000u)
#define GPIOA_AFRH  ((volatile uint32_t *)0x40020024u)

AL_IRQ(USART1_IRQHandler)
{
    uint8_t byte;

    if (*RXNEIE != 0) {
        bool room = true;

        *RXNEIE = 0;
        /* Ends: each turn takes one place of a ring that the reader, a task,
         * cannot empty meanwhile. */
        while (room && (USART1->SR & SR_RXNE) != 0) {
            room = uart_irq_arrived((uint8_t)USART1->DR);
        }
        *RXNEIE = room;
    }
    if (*TXEIE != 0 && (USART1->SR & SR_TXE) != 0) {
        if (uart_irq_next(&byte)) {
            USART1->DR = byte;
        } else {
            *TXEIE = 0;
        }
    }
}

void uart_block_start(void)
{
    *RCC_AHB1ENR |= 1u;
    *RCC_APB2ENR |= 1u << 4;
    /* PA9 and PA10: alternate function 7. */
    *GPIOA_MODER = (*GPIOA_MODER & ~(0xfu << 18)) | 0xau << 18;
    *GPIOA_AFRH = (*GPIOA_AFRH & ~(0xffu << 4)) | 0x77u << 4;

    USART1->BRR = BOARD_CONSOLE_BAUD_DIVISOR;
    /* Not RXNEIE: cleared here while an interrupt comes, it would have the
     * emulator call the handler for ever. */
    *UE = 1;
    *TE = 1;
    *RE = 1;
    al_irq_enable(USART1_IRQ, AL_PRIO_IRQ(0));
}

bool uart_block_listens(void)
{
    return *RXNEIE != 0;
}

void uart_block_listen(void)
{
    *RXNEIE = 1;
}

bool uart_block_send(uint8_t byte)
{
    if ((USART1->SR & SR_TXE) == 0) {
        return false;
    }
    USART1->DR = byte;
    return true;
}

void uart_block_notify(void)
{
    *TXEIE = 1;
}

bool uart_block_idle(void)
{
    return (USART1->SR & SR_TC) != 0;
}
