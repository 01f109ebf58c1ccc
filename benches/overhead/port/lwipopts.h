/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * lwIP with all that its core and IPv4 can do, driven by one loop (NO_SYS), so
 * that as much of it as can be is compiled and measured.
 */

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0

#define MEM_ALIGNMENT    4
#define MEM_SIZE         (64 * 1024)
#define PBUF_POOL_SIZE   64
#define MEMP_NUM_TCP_SEG 64

#define LWIP_IPV4             1
#define LWIP_IPV6             0
#define LWIP_ARP              1
#define LWIP_ICMP             1
#define LWIP_RAW              1
#define LWIP_UDP              1
#define LWIP_UDPLITE          1
#define LWIP_TCP              1
#define LWIP_DHCP             1
#define LWIP_AUTOIP           1
#define LWIP_DHCP_AUTOIP_COOP 1
#define LWIP_IGMP             1
#define LWIP_DNS              1
#define LWIP_ALTCP            1
#define IP_FORWARD            1
#define IP_FRAG               1
#define IP_REASSEMBLY         1
#define LWIP_STATS            1
#define LWIP_STATS_DISPLAY    0

#define LWIP_HAVE_LOOPIF               1
#define LWIP_NETIF_LOOPBACK            1
#define LWIP_NETIF_STATUS_CALLBACK     1
#define LWIP_NETIF_LINK_CALLBACK       1
#define LWIP_NETIF_REMOVE_CALLBACK     1
#define LWIP_NETIF_HOSTNAME            1
#define LWIP_NETIF_EXT_STATUS_CALLBACK 1

#define TCP_MSS             1460
#define TCP_WND             (8 * TCP_MSS)
#define TCP_SND_BUF         (8 * TCP_MSS)
#define TCP_QUEUE_OOSEQ     1
#define LWIP_TCP_SACK_OUT   1
#define LWIP_TCP_TIMESTAMPS 1
#define LWIP_WND_SCALE      1
#define TCP_RCV_SCALE       1
#define TCP_LISTEN_BACKLOG  1
#define LWIP_CALLBACK_API   1
