/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A number in uleb128, of which all bytes but the last have bit 7: of tables that
 * compilers write.
 */

#include <stdint.h>

__attribute__((noinline)) static uint32_t number(const uint8_t **at)
{
    uint32_t value = 0;
    uint32_t shift = 0;
    uint32_t byte;

    do {
        byte = *(*at)++;
        value |= (byte & 0x7f) << shift;
        shift += 7;
    } while (byte >= 0x80);
    return value;
}
