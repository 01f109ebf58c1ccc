/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the linker script (link.ld.in's symbols) tells of the image. Each is an
 * address; where it is a number, the address is the number.
 */

#include <stdint.h>

/* Frames above the slack, sorted by address; see tools/alula-as/README.md. */
struct frame_entry {
    uint32_t function; /* address, bit 0 clear */
    uint32_t sizes;    /* frame / 4 << 12 | stack arguments / 4 */
};

/* The processor's exception index, sorted by address (ARM IHI 0038, 6). */
struct index_entry {
    uint32_t function; /* prel31 */
    uint32_t content;  /* inline instructions, prel31 of a table, or 1 */
};

extern const struct frame_entry __al_frames_start[];
extern const struct frame_entry __al_frames_end[];
extern const struct index_entry __al_unwind_low[];

/* For each 2^UNWIND_BITS bytes of code (offsets.h) the number of an entry, from
 * the first one on, that begins before them or with them: a search begins there
 * (alula-index). */
extern const uint16_t __al_unwind_places[];

/* Where calls of cleanups come back to, bit 0 clear, sorted. */
extern const uint32_t __al_closes_start[];
extern const uint32_t __al_closes_end[];

extern char __al_text_low[];
extern char __al_text_high[];
extern char __al_kernel_low[];
extern char __al_kernel_high[];
extern char __al_kernel_low[];
extern char __al_kernel_high[];
extern char __al_ram_low[];
extern char __al_ram_high[];
extern char __al_irq_stack_low[];
extern char __al_irq_stack_top[];
extern char __al_heap_low[];
extern char __al_heap_high[];

extern const char __al_tdata_low[];
extern const char __al_tdata_high[];
/* Weak: its address may be 0, which compilers then believe. */
extern char __al_tls_bytes[] __attribute__((weak));
extern char __al_irq_tls[];

extern uint32_t __al_data_from[];
extern uint32_t __al_data_low[];
extern uint32_t __al_data_high[];
extern uint32_t __al_bss_low[];
extern uint32_t __al_bss_high[];

/* May there be an instruction at `at`? Bit 0 does not matter. */
static inline int image_has_code(uint32_t at)
{
    return at >= (uint32_t)__al_text_low && at < (uint32_t)__al_text_high;
}
