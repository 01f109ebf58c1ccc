/* SPDX-License-Identifier: MIT */
/*
 * The frames that stack checks are about, from the table of those above the
 * slack. alula-as names al_frame_support in each object that has such a frame;
 * an image without one links entry.S's arch_frame_of() instead.
 *
 * Never optimised in the link (cmake/kernel): the objects that name it may come
 * out of that.
 */
#include "image.h"
#include "unwind.h"

/* No code and no data: its name is what links this file. */
extern const char al_frame_support[];
__attribute__((section(".alula.support"))) const char al_frame_support[0];

uint32_t arch_frame_of(uint32_t pc)
{
    const struct frame_entry *low = __al_frames_start;
    uint32_t count = (uint32_t)(__al_frames_end - __al_frames_start);

    while (count > 1) {
        uint32_t half = count / 2;

        if (low[half].function <= pc) {
            low += half;
        }
        count -= half;
    }
    if (count == 0 || low->function > pc) {
        return 0;
    }
    return (low->sizes >> 12) * 4;
}
