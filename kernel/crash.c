/* SPDX-License-Identifier: MIT */
/*
 * The crash ring, in memory that start-up does not clear. Records are named by
 * their sequence number, which also gives their place. Several tasks may be
 * dying at once, each with its own record: the number is taken by
 * load-linked and store-conditional, the rest is the dying task's alone.
 *
 * Not here: sending records anywhere. That is an application's task.
 */
#include "crash.h"

#include "arch.h"
#include "softlock.h"
#include "time.h"

#include <alula/config.h>

#define RING_MAGIC 0x52534c41u /* "ALSR" */

AL_STATIC_ASSERT(sizeof(struct al_crash_record) == 232,
        "the layout of a crash record is a contract: raise its version");
AL_STATIC_ASSERT(AL_CFG_CRASH_RECORDS >= 2,
        "AL_CFG_CRASH_RECORDS must be at least 2: two tasks may die at once");

static struct crash_ring {
    uint32_t magic;   /* RING_MAGIC when the rest is valid */
    uint32_t deaths;  /* sequence number of the newest record; atomic */
    uint32_t inverse; /* ~deaths: a word that memory does not hold by chance */
    struct al_crash_record records[AL_CFG_CRASH_RECORDS];
} ring __attribute__((section(".noinit.alula.crash")));

#define RING_DEATHS offsetof(struct crash_ring, deaths)

void crash_boot(void)
{
    if (ring.magic == RING_MAGIC && ring.inverse == ~ring.deaths) {
        return;
    }
    ring.magic = RING_MAGIC;
    ring.deaths = 0;
    ring.inverse = ~0u; /* no record is read that is not counted */
}

uint32_t al_crash_count(void)
{
    return *(volatile uint32_t *)&ring.deaths;
}

static struct al_crash_record *place_of(uint32_t sequence)
{
    struct al_crash_record *place =
            &ring.records[(sequence - 1) % AL_CFG_CRASH_RECORDS];

    __asm__("" : "+r"(place)); /* better known than computed each time */
    return place;
}

/* Up to 12 characters, and what follows them: of the image, or zeros. */
static void copy_name(char *to, const char *from)
{
    uint32_t *words = (uint32_t *)(void *)to;

    if (arch_copy_constant(words, from)) {
        return;
    }
    words[0] = 0;
    words[1] = 0;
    words[2] = 0;
    for (char *end = to + 12; to < end && *from != '\0'; to++) {
        *to = *from++;
    }
}

struct al_crash_record *crash_open(const struct al_task *task)
{
    al_time now = time_now();
    struct al_crash_record *record;
    const uint32_t *build_id = arch_build_id();
    uint32_t sequence;

    do {
        sequence = arch_load_linked_at(&ring, RING_DEATHS) + 1;
    } while (!arch_store_if_at(&ring, RING_DEATHS, sequence));
    /* Another task may die in between: the last one to look is right. */
    do {
        ring.inverse = ~al_crash_count();
    } while (*(volatile uint32_t *)&ring.inverse != ~al_crash_count());

    record = place_of(sequence);
    record->magic = 0;
    AL_BARRIER();
    record->version = AL_CRASH_VERSION;
    record->size = sizeof(*record);
    record->sequence = sequence;
    record->build_id[0] = build_id[0];
    record->build_id[1] = build_id[1];
    arch_copy_four(&record->cause, &task->cause);
    copy_name(record->task, task->def->name);
    record->generation = task->generation;
    record->tick[0] = (uint32_t)now;
    record->tick[1] = (uint32_t)(now >> 32);
    record->scopes_undone = 0;
    record->nested = 0;
    arch_death_describe(&task->death, record);
    record->pcs[0] = record->pc;
    record->pc_count = 1;
    return record;
}

const char *al_crash_text(const struct al_crash_record *record)
{
    const uint32_t *build_id = arch_build_id();

    if (record->build_id[0] != build_id[0] ||
            record->build_id[1] != build_id[1]) {
        return NULL;
    }
    return (const char *)(uintptr_t)record->text;
}

/* So many of its program counters the checksum covers: whole fours. */
static uint32_t pcs_covered(const struct al_crash_record *record)
{
    uint32_t most = AL_CRASH_NEWEST + AL_CRASH_OLDEST;
    uint32_t count = record->pc_count < most ? record->pc_count : most;

    return (count + 3) & ~3u;
}

/* Four words at a time from the second one on; the first program counter is the
 * 25th. */
static uint32_t checksum(const struct al_crash_record *record)
{
    const uint32_t *word = &record->magic + 1;
    const uint32_t *end = record->pcs + pcs_covered(record);
    uint32_t sum = 0;

    for (; word != end; word += ARCH_SUM_WORDS) {
        sum = arch_sum(sum, word);
    }
    return sum;
}

void crash_close(struct al_crash_record *record)
{
    record->checksum = checksum(record);
    AL_BARRIER();
    record->magic = AL_CRASH_MAGIC;
}

/* A loop of our own: the kernel calls no library. */
static void copy_words(uint32_t *to, const uint32_t *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        to[i] = ((const volatile uint32_t *)from)[i];
    }
}

void crash_copy(struct al_crash_record *to, const struct al_crash_record *from)
{
    copy_words((uint32_t *)(void *)to, (const uint32_t *)(const void *)from,
            sizeof(*to) / 4);
}

/* No task reads it half done, and takes its place before. A handler may: its
 * record, with words of this one, is dropped. */
void crash_complete(const struct al_crash_record *record)
{
    struct al_crash_record *shown = place_of(record->sequence);

    softlock_take();
    if (shown->sequence == record->sequence) {
        shown->heap_left = record->heap_left;
        shown->nested = record->nested;
        shown->pc_count = record->pc_count;
        copy_words(shown->pcs, record->pcs, pcs_covered(record));
        shown->checksum = record->checksum;
        AL_BARRIER();
        if (*(volatile uint32_t *)&shown->sequence != record->sequence) {
            shown->magic = 0;
        }
    }
    softlock_leave();
}

al_status al_crash_read(uint32_t sequence, struct al_crash_record *record)
{
    uint32_t newest = al_crash_count();

    if (sequence == 0 || sequence > newest ||
            newest - sequence >= AL_CFG_CRASH_RECORDS) {
        return AL_E_GONE;
    }
    crash_copy(record, place_of(sequence));
    if (record->magic != AL_CRASH_MAGIC ||
            record->version != AL_CRASH_VERSION ||
            record->size != sizeof(*record) || record->sequence != sequence ||
            record->checksum != checksum(record)) {
        return AL_E_GONE;
    }
    return AL_OK;
}
