/* SPDX-License-Identifier: MIT */
/*
 * A task that dies inside the C library leaves nothing locked, and streams and
 * allocator usable.
 *
 * 1. The output function panics at the first, second, ... last byte of a
 *    printf(): after each death another printf() comes out whole.
 * 2. A bad pointer for %s, on the way to the first byte and in the middle.
 * 3. Too little stack: the panic comes before the first byte.
 * 4. puts(), fputs(), fwrite(), fflush() the same; a death in vfprintf() that
 *    a cleanup follows which prints in turn.
 * 5. A task that waits for the stream while its holder dies gets it.
 * 6. free() of a block twice, of no block, of one written past its end; a
 *    death in the compare function of qsort(); abort(), assert(), exit().
 * 7. A death with the C library's own locks held, one of them twice: setenv()
 *    and getenv(), which take it, work on.
 * 8. Blocks of a task that died are counted as left behind, and may be freed
 *    by another.
 * Fails if: the stream's lock is no scope, its depth outlives its holder, or
 * poison is not healed.
 * boards: stm32f405 mps2-an386
 * builds: gcc-Os-small gcc-O0 gcc-O2 gcc-Os clang-O2
 * sources: ../support/console.c ../support/recover.c
 * recovers: overflow bus panic caller | library |
 *     the stream is usable, the library's locks are free; blocks are counted
 *     as left behind | panic_to_restart unwind_scope
 */
#include "recover.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"

static volatile size_t
        fatal_byte; /* the byte at which output panics; 0: none */
static volatile unsigned prints;

static void dies_at(char c)
{
    (void)c;
    if (fatal_byte != 0 && console_length + 1 == fatal_byte) {
        fatal_byte = 0;
        al_panic("no more paper");
    }
}

static bool console_is(const char *text)
{
    size_t n = strlen(text);

    return console_length == n && memcmp(console_text, text, n) == 0;
}

static bool nothing_is_held(void)
{
    struct al_task_info victim;
    struct al_task_info judge;

    al_task_read(&rig_victim, &victim);
    al_task_read(al_task_self(), &judge);
    return victim.mutexes == 0 && victim.prio == RIG_PRIO && judge.mutexes == 0;
}

static void *volatile spare; /* volatile: or malloc() would be left out */

/* After any death: the stream prints, and the heap gives and takes. */
static bool all_is_usable(void)
{
    bool served;

    console_length = 0;
    printf("all %d\n", 42);
    spare = malloc(40);
    served = spare != NULL;
    free(spare);
    return served && console_is("all 42\n") && nothing_is_held();
}

/* Without it the test would wait for ever. */
#define USABLE(...)                \
  do {                             \
    bool usable = all_is_usable(); \
    CHECK(usable, __VA_ARGS__);    \
    if (!usable) {                 \
      test_done();                 \
    }                              \
  } while (0)

static void prints_a_line(void)
{
    printf("one %d two %s\n", 3, "four");
}

static void dies_at_each_byte(void (*body)(void), const char *all)
{
    size_t bytes = strlen(all);

    for (size_t at = 1; at <= bytes; at++) {
        uint32_t died;

        console_length = 0;
        fatal_byte = at;
        died = rig_run(body);
        CHECK(died == 1 && console_length == at - 1 &&
                        memcmp(console_text, all, at - 1) == 0,
                "%c: dies at byte %u of %u", all[0], (unsigned)at,
                (unsigned)bytes);
        USABLE("%c: usable after byte %u", all[0], (unsigned)at);
    }
}

static void puts_line(void)
{
    puts("pu");
}

static void fputs_text(void)
{
    fputs("fp", stdout);
}

static void fwrite_bytes(void)
{
    (void)fwrite("wr", 1, 2, stdout);
}

static void putchar_byte(void)
{
    putchar('c');
}

static const char *volatile bad;

static void prints_bad_first(void)
{
    printf("%s is bad\n", bad);
}

static void prints_bad_later(void)
{
    printf("so bad: %s\n", bad);
}

/* Each call needs less than a printf(): that is where it ends. */
static void prints_deeper(unsigned n)
{
    volatile unsigned room[8];

    room[n % 8] = n;
    printf("%u\n", n);
    prints_deeper(n + 1);
    room[0] = n;
}

static void prints_deep(void)
{
    prints_deeper(0);
}

static void print_farewell(void *arg)
{
    (void)arg;
    printf("bye\n");
}

static void prints_when_dying(void)
{
    AL_DEFER(print_farewell, NULL);
    printf("so bad: %s\n", bad);
}

static char *volatile block;

static void frees_twice(void)
{
    block = malloc(30);
    free(block);
    free(block);
}

static void frees_none(void)
{
    static long long no_block[4];

    free(&no_block[2]);
}

static void overruns(void)
{
    block = malloc(32);
    memset(block + al_heap_size(block), 'x', 4);
    free(block);
}

static int compare_dies(const void *a, const void *b)
{
    (void)b;
    if (*(const char *)a == 'e') {
        al_panic("not comparable");
    }
    return *(const char *)a - *(const char *)b;
}

static void sorts(void)
{
    char letters[] = "hgfedcba";

    qsort(letters, 8, 1, compare_dies);
}

static void aborts(void)
{
    abort();
}

static volatile int zero;

static void asserts(void)
{
    assert(zero == 1);
}

static void exits(void)
{
    exit(3);
}

static void panic_says(
        void (*body)(void), uint32_t cause, const char *text, const char *name)
{
    const char *said;

    CHECK(rig_run(body) == 1, "%s: dies", name);
    said = al_crash_text(&rig_record);
    CHECK(rig_record.cause == cause &&
                    (text == NULL || (said != NULL && strcmp(said, text) == 0)),
            "%s: cause %u", name, (unsigned)rig_record.cause);
    USABLE("%s: usable after it", name);
}

static void heap_says(void (*body)(void), uint32_t n, const char *name)
{
    panic_says(body, AL_CAUSE_CALLER, NULL, name);
    CHECK(rig_record.detail[0] == 4 && rig_record.detail[1] == n, "%s: HEAP.%u",
            name, (unsigned)n);
}

static void leaves_blocks(void)
{
    block = malloc(100);
    block = strdup("left behind");
    al_panic("leaves two");
}

/* A task more urgent than its holder waits for the stream. */
static struct al_sem go = AL_SEM_INIT(0, 1);
static volatile unsigned contender_printed;

static void contend(void)
{
    for (;;) {
        al_sem_take(&go);
        contender_printed += printf("contender\n") == 10;
    }
}
AL_TASK(contender, contend, 7, 2048);

static void wakes_contender(char c)
{
    if (c == '!') {
        (void)al_sem_give(&go); /* runs, and waits for the stream */
        al_panic("with a waiter");
    }
}

static void prints_to_a_waiter(void)
{
    printf("ab!cd\n");
}

/* sys/lock.h's, which the compiler flags of the C library itself declare. */
extern char __lock___libc_recursive_mutex;
void __retarget_lock_acquire_recursive(void *lock);
int __retarget_lock_try_acquire_recursive(void *lock);
void __retarget_lock_release_recursive(void *lock);
void __retarget_lock_init(void **lock);
void __retarget_lock_close(void *lock);

static void *made_lock;

static void dies_with_locks(void)
{
    __retarget_lock_acquire_recursive(&__lock___libc_recursive_mutex);
    __retarget_lock_acquire_recursive(&__lock___libc_recursive_mutex);
    __retarget_lock_acquire_recursive(made_lock);
    al_panic("with two locks");
}

static void tries_locks(void)
{
    int first = __retarget_lock_try_acquire_recursive(made_lock);
    int second = __retarget_lock_try_acquire_recursive(
            &__lock___libc_recursive_mutex);

    AL_ASSERT(first != 0 && second != 0); /* the judge has them */
}

static void locks(void)
{
    __retarget_lock_init(&made_lock);
    panic_says(dies_with_locks, AL_CAUSE_PANIC, "with two locks", "locks");
    CHECK(setenv("WHO", "judge", 1) == 0 && strcmp(getenv("WHO"), "judge") == 0,
            "the environment works on");
    __retarget_lock_acquire_recursive(made_lock);
    __retarget_lock_acquire_recursive(&__lock___libc_recursive_mutex);
    CHECK(rig_run(tries_locks) == 0, "who tries is told");
    __retarget_lock_release_recursive(&__lock___libc_recursive_mutex);
    __retarget_lock_release_recursive(made_lock);
    __retarget_lock_close(made_lock);
    CHECK(nothing_is_held(), "all locks are free");
}

static void judge(void)
{
    struct al_task_info info;
    size_t used;

    console_hook = dies_at;
    dies_at_each_byte(prints_a_line, "one 3 two four\n");
    dies_at_each_byte(puts_line, "pu\n");
    dies_at_each_byte(fputs_text, "fp");
    dies_at_each_byte(fwrite_bytes, "wr");
    dies_at_each_byte(putchar_byte, "c");

    bad = (const char *)0x30000000u;
    console_length = 0;
    panic_says(prints_bad_first, AL_CAUSE_BUS, NULL, "bad %%s first");
    panic_says(prints_bad_later, AL_CAUSE_BUS, NULL, "bad %%s later");
    bad = (const char *)8;
    panic_says(prints_bad_first, AL_CAUSE_NULL, NULL, "near-null %%s");
    panic_says(prints_deep, AL_CAUSE_OVERFLOW, NULL, "no stack for printf");
    console_length = 0;
    CHECK(rig_run(prints_when_dying) == 1 && console_is("so bad: bye\n"),
            "a cleanup prints after a death in printf");
    USABLE("usable after that");

    console_hook = wakes_contender;
    console_length = 0;
    CHECK(rig_run(prints_to_a_waiter) == 1, "dies with a waiter");
    CHECK(contender_printed == 1 && console_is("abcontender\n"),
            "who waited for the stream has it");
    console_hook = NULL;
    USABLE("usable after a waiter");

    heap_says(frees_twice, 2, "free twice");
    heap_says(frees_none, 2, "free of no block");
    panic_says(sorts, AL_CAUSE_PANIC, "not comparable", "death in qsort");
    panic_says(aborts, AL_CAUSE_PANIC, "abort() was called", "abort");
    panic_says(asserts, AL_CAUSE_ASSERT, "zero == 1", "assert");
    panic_says(exits, AL_CAUSE_PANIC, "exit() was called", "exit");

    al_task_read(&rig_victim, &info);
    used = info.heap_bytes;
    CHECK(rig_run(leaves_blocks) == 1, "dies with blocks");
    al_task_read(&rig_victim, &info);
    CHECK(info.heap_bytes == used + 104 + 16 &&
                    rig_record.heap_left == info.heap_bytes,
            "left behind: %u bytes", (unsigned)(info.heap_bytes - used));
    free(block);
    al_task_read(&rig_victim, &info);
    CHECK(info.heap_bytes == used + 104, "freed by another: accounted");

    locks();
    heap_says(overruns, 3, "block written past its end");
    test_done();
}

AL_TASK(judging, judge, 4, 3072);
