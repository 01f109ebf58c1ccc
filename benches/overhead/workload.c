/* SPDX-License-Identifier: MIT */
/*
 * What lwIP is asked to do: checksums, chains of packet buffers, and a transfer
 * by TCP over its loopback interface. The content is fixed; each part gives a
 * digest of what came out, which must not depend on the image.
 *
 * Counted by CMSDK timer 0 under QEMU's `-icount shift=7`: it counts every
 * 40 ns, an instruction lasts 128 ns. Output and end by semihosting. Nothing
 * here interrupts.
 */
#include "workload.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lwip/inet_chksum.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"

#define TIMER_CTRL   (*(volatile uint32_t *)0x40000000u)
#define TIMER_VALUE  (*(volatile uint32_t *)0x40000004u)
#define TIMER_RELOAD (*(volatile uint32_t *)0x40000008u)

#define SYS_WRITE0        4
#define SYS_EXIT          24
#define STOPPED_EXIT      0x20026u /* ADP_Stopped_ApplicationExit */
#define STOPPED_RUN_ERROR 0x20023u

#define PORT      7000
#define TRANSFER  (256u * 1024u)
#define BLOCK     1000u
#define PERIOD    8192u
#define CHECKSUMS 40
#define CHAINS    300

static uint32_t digest;
static uint32_t now_ms;

static uint32_t semihost(uint32_t call, uintptr_t argument)
{
    register uint32_t r0 __asm__("r0") = call;
    register uintptr_t r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void say(const char *text)
{
    semihost(SYS_WRITE0, (uintptr_t)text);
}

static void say_number(uint32_t number)
{
    char text[12];
    char *at = text + sizeof(text) - 1;

    *at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    say(" ");
    say(at);
}

static _Noreturn void end(uint32_t reason)
{
    for (;;) {
        semihost(SYS_EXIT, reason);
    }
}

_Noreturn void workload_failed(const char *what)
{
    say("workload: ");
    say(what);
    say("\n");
    end(STOPPED_RUN_ERROR);
}

uint32_t workload_random(void)
{
    static uint32_t state = 1;

    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

u32_t sys_now(void)
{
    return now_ms;
}

/* What is sent and copied: no two blocks alike within PERIOD bytes. */
static uint8_t content[PERIOD + 2 * BLOCK];

static void make_content(void)
{
    for (uint32_t i = 0; i < sizeof(content); i++) {
        uint32_t at = i % PERIOD;

        content[i] = (uint8_t)(at * 7 + (at >> 8) * 31);
    }
}

static void add(uint32_t value)
{
    digest = (digest ^ value) * 16777619u;
}

static void must(bool good, const char *what)
{
    if (!good) {
        workload_failed(what);
    }
}

/* RFC 1071's checksum, at each alignment and many lengths. */
static void checksums(void)
{
    for (unsigned i = 0; i < CHECKSUMS; i++) {
        for (unsigned offset = 0; offset < 4; offset++) {
            unsigned length = 20 + i * 1480 / CHECKSUMS;

            add(inet_chksum(content + offset, (u16_t)length));
        }
    }
}

static struct pbuf *chain(uint32_t seed, unsigned parts)
{
    struct pbuf *whole = NULL;

    for (unsigned i = 0; i < parts; i++) {
        u16_t length = (u16_t)(20 + (seed * 37 + i * 101) % 560);
        struct pbuf *part = pbuf_alloc(i % 2 == 0 ? PBUF_TRANSPORT : PBUF_RAW,
                length, i % 3 == 0 ? PBUF_RAM : PBUF_POOL);

        must(part != NULL, "no packet buffer");
        must(pbuf_take(part, content + seed, length) == ERR_OK, "pbuf_take");
        if (whole == NULL) {
            whole = part;
        } else {
            pbuf_cat(whole, part);
        }
    }
    return whole;
}

static void chains(void)
{
    static uint8_t copy[2400];

    for (uint32_t i = 0; i < CHAINS; i++) {
        struct pbuf *p = chain(i, 1 + i % 5);
        u16_t total = p->tot_len;

        must(pbuf_copy_partial(p, copy, total, 0) == total, "pbuf_copy");
        must(pbuf_memcmp(p, (u16_t)(total - 16), copy + total - 16, 16) == 0,
                "pbuf_memcmp");
        add(inet_chksum_pbuf(p));
        must(pbuf_add_header(p, 8) == 0 && pbuf_remove_header(p, 18) == 0,
                "pbuf header");
        pbuf_realloc(p, (u16_t)(total - 15));
        p = pbuf_coalesce(p, PBUF_RAW);
        must(p->next == NULL && p->tot_len == total - 15, "pbuf_coalesce");
        add(pbuf_get_at(p, (u16_t)(p->tot_len / 2)));
        must(pbuf_free(p) == 1, "pbuf_free");
    }
}

static uint32_t sent;
static uint32_t received;
static bool closed;

static err_t on_receive(
        void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    (void)arg;
    must(err == ERR_OK, "receive");
    if (p == NULL) {
        must(tcp_close(pcb) == ERR_OK, "close by the peer");
        closed = true;
        return ERR_OK;
    }
    for (struct pbuf *part = p; part != NULL; part = part->next) {
        must(part->len <= BLOCK * 2 &&
                        memcmp(part->payload, content + received % PERIOD,
                                part->len) == 0,
                "content");
        received += part->len;
    }
    add(received);
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    must(err == ERR_OK, "accept");
    tcp_recv(pcb, on_receive);
    return ERR_OK;
}

static void send_more(struct tcp_pcb *pcb)
{
    while (sent < TRANSFER) {
        u16_t length =
                (u16_t)(TRANSFER - sent < BLOCK ? TRANSFER - sent : BLOCK);

        if (tcp_write(pcb, content + sent % PERIOD, length,
                    TCP_WRITE_FLAG_COPY) != ERR_OK) {
            break;
        }
        sent += length;
    }
    (void)tcp_output(pcb);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t length)
{
    (void)arg;
    (void)length;
    send_more(pcb);
    if (sent == TRANSFER && tcp_sndbuf(pcb) == TCP_SND_BUF) {
        must(tcp_close(pcb) == ERR_OK, "close");
    }
    return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    (void)arg;
    must(err == ERR_OK, "connect");
    tcp_sent(pcb, on_sent);
    send_more(pcb);
    return ERR_OK;
}

static void transfer(void)
{
    struct tcp_pcb *server = tcp_new();
    struct tcp_pcb *client = tcp_new();
    ip_addr_t loopback;

    IP_ADDR4(&loopback, 127, 0, 0, 1);
    must(tcp_bind(server, IP_ADDR_ANY, PORT) == ERR_OK, "bind");
    server = tcp_listen(server);
    must(server != NULL, "listen");
    tcp_accept(server, on_accept);
    must(tcp_connect(client, &loopback, PORT, on_connected) == ERR_OK,
            "connect");
    for (unsigned rounds = 0; !closed; rounds++) {
        must(rounds < 10 * TRANSFER / BLOCK, "the transfer does not end");
        netif_poll_all();
        now_ms++;
        sys_check_timeouts();
    }
    must(received == TRANSFER, "bytes are missing");
    add(received);
}

static void run(const char *name, void (*part)(void))
{
    uint32_t start = TIMER_VALUE;
    uint32_t ticks;

    digest = 2166136261u;
    part();
    ticks = start - TIMER_VALUE;
    say("overhead ");
    say(name);
    /* 128 ns an instruction, 40 ns a tick. */
    say_number((uint32_t)((uint64_t)ticks * 40 / 128));
    say_number(digest);
    say("\n");
}

_Noreturn void workload(void)
{
    TIMER_RELOAD = 0xffffffff;
    TIMER_VALUE = 0xffffffff;
    TIMER_CTRL = 1;
    make_content();
    lwip_init();
    run("checksums", checksums);
    run("pbufs", chains);
    run("tcp", transfer);
    say("# done 3\n");
    end(STOPPED_EXIT);
}
