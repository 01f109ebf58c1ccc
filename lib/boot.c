/* SPDX-License-Identifier: MIT */
/*
 * The count of starts, in memory that start-up leaves alone. The guard's task
 * writes it once, before anything else runs; later it only becomes 0. It counts
 * if its words fit together, else the memory had no power.
 */
#include <alula/boot.h>

#include <alula/time.h>

#define MAGIC 0x4f425a41u

static volatile struct {
    uint32_t magic;
    uint32_t count;
    uint32_t inverse; /* MAGIC ^ ~count */
} starts __attribute__((section(".noinit.alula.boot")));

static volatile bool safe;

/* A reset between the first store and the last one leaves no count. */
static void set(uint32_t count)
{
    starts.magic = 0;
    starts.count = count;
    starts.inverse = MAGIC ^ ~count;
    starts.magic = MAGIC;
}

static bool is_whole(void)
{
    return starts.magic == MAGIC && starts.inverse == (MAGIC ^ ~starts.count);
}

enum al_boot al_boot_mode(void)
{
    return safe ? AL_BOOT_SAFE : AL_BOOT_NORMAL;
}

uint32_t al_boot_count(void)
{
    return is_whole() ? starts.count : 0;
}

void al_boot_is_well(void)
{
    set(0);
}

void __al_boot_guard(struct al_boot_limits *limits)
{
    /* Another life of this task is not another start. */
    if (al_task_self()->generation == 1) {
        set(al_boot_count() + 1);
        safe = al_boot_count() > limits->starts;
    }
    al_sleep(limits->stable_ticks);
    al_boot_is_well();
}
