/* SPDX-License-Identifier: MIT */
/*
 * Claim: what al_crash_read() returns is a whole record of that number, or
 * nothing: not one that was overwritten, never was, is damaged in any word, or
 * is being written.
 *
 *  1. numbers 0, beyond the newest, and before the oldest kept are gone
 *  2. the last AL_CFG_CRASH_RECORDS are there, each with its number
 *  3. one record, each of its words damaged by a bit in turn: gone, but for
 *     program counters that it does not count
 *  4. two tasks die at once, the one in the middle of the other's recovery: two
 *     records, the order of their numbers that of their deaths
 *  5. the record of the one that is not done is gone until it is
 *  6. a record of another build has no text
 *
 * Fails if: magic, version, size, sequence or checksum is not looked at.
 * builds: gcc-O2 clang-O2
 * options: AL_CFG_CRASH_RECORDS=5
 * sources: ../support/recover.c
 */
#include "recover.h"

#define KEPT 5u

extern uint32_t __al_bss_high[];
extern uint32_t __al_ram_high[];

static struct al_sem other_go = AL_SEM_INIT(0, 1);
static struct al_crash_record other_record;
static volatile al_status seen_inside;
static volatile al_status seen_other;

static void dies(void)
{
    al_panic("test");
}

static void other_main(void)
{
    al_sem_take(&other_go);
    al_panic("other");
}

AL_TASK(other, other_main, RIG_PRIO + 1, 1024);

/* A cleanup of the victim's, while its own record is still open. */
static void other_dies(void *arg)
{
    struct al_crash_record record;
    uint32_t own = al_crash_count();

    (void)arg;
    (void)al_sem_give(&other_go);
    seen_inside = al_crash_read(own, &record);
    seen_other = al_crash_read(own + 1, &other_record);
}

static void both_die(void)
{
    AL_DEFER(other_dies, NULL);
    al_panic("test");
}

static struct al_crash_record *find_in_ring(uint32_t sequence)
{
    for (uint32_t *p = __al_bss_high; p + 58 < __al_ram_high; p++) {
        struct al_crash_record *record = (struct al_crash_record *)(void *)p;

        if (record->magic == AL_CRASH_MAGIC &&
                record->size == sizeof(*record) &&
                record->sequence == sequence &&
                p != (uint32_t *)(void *)&rig_record) {
            return record;
        }
    }
    return NULL;
}

static void damage_each_word(uint32_t sequence)
{
    struct al_crash_record copy;
    uint32_t *words = (uint32_t *)(void *)find_in_ring(sequence);
    uint32_t counted;
    uint32_t believed = 0;
    uint32_t refused = 0;

    CHECK(words != NULL, "the record is found");
    counted = (uint32_t)(offsetof(struct al_crash_record, pcs) / 4 +
                         ((rig_record.pc_count + 3) & ~3u));
    for (uint32_t i = 0; i < sizeof(copy) / 4; i++) {
        for (uint32_t bit = 0; bit < 32; bit += 11) {
            bool counts = i < counted || i == sizeof(copy) / 4 - 1;
            bool gone;

            words[i] ^= 1u << bit;
            gone = al_crash_read(sequence, &copy) == AL_E_GONE;
            words[i] ^= 1u << bit;
            believed += counts && !gone;
            refused += !counts && gone;
        }
    }
    CHECK(believed == 0, "%d damages believed", (int)believed);
    CHECK(refused == 0, "%d words that do not count", (int)refused);
    CHECK(al_crash_read(sequence, &copy) == AL_OK, "repaired");
}

static void judge_main(void)
{
    struct al_crash_record record;
    uint32_t newest;
    uint32_t there = 0;

    CHECK(al_crash_count() == 0, "nothing died");
    CHECK(al_crash_read(0, &record) == AL_E_GONE, "number 0 of none");
    CHECK(al_crash_read(1, &record) == AL_E_GONE, "number 1 of none");
    for (uint32_t i = 0; i < KEPT + 3; i++) {
        (void)rig_run(dies);
    }
    newest = al_crash_count();
    CHECK(newest == KEPT + 3, "%d deaths", (int)newest);
    CHECK(al_crash_read(0, &record) == AL_E_GONE, "number 0");
    CHECK(al_crash_read(newest + 1, &record) == AL_E_GONE, "beyond the newest");
    CHECK(al_crash_read(~0u, &record) == AL_E_GONE, "the last number");
    for (uint32_t i = 1; i <= newest; i++) {
        if (al_crash_read(i, &record) == AL_OK && record.sequence == i) {
            there |= 1u << i;
        }
    }
    CHECK(there == ((1u << KEPT) - 1) << (newest - KEPT + 1), "kept: %x",
            (unsigned)there);
    damage_each_word(newest);

    CHECK(rig_run(both_die) == 2, "two deaths");
    CHECK(seen_inside == AL_E_GONE, "a record that is open is gone");
    CHECK(seen_other == AL_OK &&
                    __builtin_strcmp(other_record.task, "other") == 0,
            "the other's is there");
    CHECK(al_crash_read(newest + 1, &record) == AL_OK &&
                    __builtin_strcmp(record.task, "rig_victim") == 0,
            "the first death has the first number");
    CHECK(al_crash_text(&record) != NULL, "text of this build");
    record.build_id[1] ^= 1;
    CHECK(al_crash_text(&record) == NULL, "no text of another build");
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
