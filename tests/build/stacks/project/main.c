/* SPDX-License-Identifier: MIT */
/*
 * A task whose deepest way is BODY's, on a stack of STACK bytes, and one that
 * watches: it ends the run, and says whether the first came through or what it
 * died of.
 */
#include <alula/alula.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef STACK
#  define STACK 4096
#endif
#ifndef TIMES
#  define TIMES 5
#endif

static struct al_sem done = AL_SEM_INIT(0, 8);
static volatile int sink;

static void semihost(unsigned operation, const void *argument)
{
    register unsigned r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

#define KEEP __attribute__((noinline, noclone))

/* A frame of at least so many bytes. */
#define TOUCH(bytes)                             \
  volatile char block[bytes];                    \
  block[0] = (char)sink;                         \
  __asm__ volatile("" ::"r"(&block) : "memory"); \
  sink = block[0]

KEEP static void leaf(void)
{
    TOUCH(24);
}

KEEP static void middle(void)
{
    TOUCH(200);
    leaf();
    sink++;
}

KEEP static void deep(void)
{
    TOUCH(120);
    middle();
    sink++;
}

/* Each of these is one case: see run.py. */

KEEP static void body_plain(void)
{
    deep();
    leaf();
}

KEEP static int descend(int n)
{
#ifdef STATED
    AL_STACK_RECURSES(TIMES);
#endif
    TOUCH(40);
    return n > 1 ? descend(n - 1) + 1 : 0;
}

KEEP static void body_recursion(void)
{
    sink = descend(TIMES);
}

KEEP static int even(int n);
KEEP static int odd(int n)
{
#ifdef STATED
    AL_STACK_RECURSES(TIMES);
#endif
    TOUCH(72);
    return n > 0 ? even(n - 1) + 1 : 0;
}

KEEP static int even(int n)
{
    TOUCH(16);
    return n > 0 ? odd(n - 1) + 1 : 0;
}

KEEP static void body_circle(void)
{
    sink = odd(2 * TIMES - 1); /* ends in even */
}

static void (*const table[])(void) = {leaf, middle, deep};
static volatile unsigned chosen = 2;

KEEP static void body_pointer(void)
{
    volatile int before = sink;

#ifdef STATED
    AL_STACK_CALLS(table);
#endif
    table[chosen]();
    sink = before;
}

static void (*volatile held)(void) = middle;

KEEP static void body_function(void)
{
    volatile int before = sink;

#ifdef STATED
    AL_STACK_CALLS(leaf);
    AL_STACK_CALLS(middle);
#endif
    held();
    sink = before;
}

static volatile unsigned size = 96;

KEEP static void body_variable(void)
{
    volatile char array[size];

#ifdef STATED
    AL_STACK_VARIABLE(96);
#endif
    array[0] = 1;
    array[size - 1] = array[0];
}

static void cleanup(void *arg)
{
    (void)arg;
    deep();
}

KEEP static void body_scope(void)
{
    AL_DEFER(cleanup, NULL);
    leaf();
}

KEEP static void body_heap(void)
{
    AL_HEAP_SCOPED(block, 32);
    memset(block, 1, 32);
}

KEEP static void body_kernel(void)
{
    TOUCH(60);
    (void)al_sem_give(&done);
    sink += al_sem_take_until(&done, al_in(2)) == AL_OK;
}

static volatile double number = 3.25;

KEEP static void body_print(void)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%10.4f %s", number, "x");
    sink = text[0];
}

KEEP static void body_console(void)
{
    printf("%d %.3f\n", sink, number);
}

static const int sorted[] = {1, 2, 3, 5, 8, 13, 21};

__attribute__((used)) static int compare(const void *a, const void *b)
{
    TOUCH(80);
    return *(const int *)a - *(const int *)b;
}

KEEP static void body_callback(void)
{
    int key = 8;

#ifdef STATED
    AL_STACK_CALLS(compare);
#endif
    sink = bsearch(&key, sorted, 7, sizeof(int), AL_CALLBACK(compare)) != NULL;
}

KEEP static void body_number(void)
{
    sink = (int)strtod("1.5e3", NULL);
}

KEEP static void body_divide(void)
{
    volatile long long n = 1000000007;

    sink = (int)(n / (n - 3)) + (int)(number / 1.7);
}

static char *(*volatile finds)(const char *, const char *) = strstr;
static long long (*volatile divides)(long long, long long);
long long __aeabi_ldivmod(long long a, long long b);

KEEP static void body_string(void)
{
    AL_STACK_CALLS(strstr);
    sink = finds("alula", "ul") != NULL;
}

KEEP static void body_runtime(void)
{
    divides = __aeabi_ldivmod;
    AL_STACK_CALLS(__aeabi_ldivmod);
    sink = (int)divides(1000000007, 12345);
}

/* vendor.c, an archive that alula-as never saw. */
int vendor_sum(int n);
int vendor_each(int (*fn)(int), int n);

KEEP static void body_vendor(void)
{
    sink = vendor_sum(sink + 9);
}

static int (*volatile sums)(int) = vendor_sum;

KEEP static void body_archive(void)
{
    AL_STACK_CALLS(vendor_sum);
    sink = sums(sink + 9);
}

__attribute__((used)) static int twice(int n)
{
    TOUCH(60);
    return 2 * n;
}

KEEP static void body_back(void)
{
#ifdef BARE
    sink = vendor_each(twice, 3);
#else
    sink = vendor_each(AL_CALLBACK(twice), 3);
#endif
}

#define RUN_(name) body_##name()
#define RUN(name)  RUN_(name)

static void user_run(void)
{
    RUN(BODY);
    semihost(4, "came through\n");
    semihost(0x18, (const void *)0x20026);
}

static const struct al_restart_policy once = {
        .budget = 0, .window = 1, .exhausted = AL_EXHAUSTED_STOP};

AL_TASK_POLICY(user, user_run, 4, STACK, &once);
#ifdef SUFFICES
AL_STACK_RUNTIME(user);
#endif
#ifdef LESS
AL_STACK_USES(strtod, 8);
#endif
#ifdef NOBODY
AL_STACK_RUNTIME(nobody);
#endif

static void watcher_run(void)
{
    struct al_crash_record record;

    al_sleep(50);
    if (al_crash_count() > 0 && al_crash_read(1, &record) == AL_OK) {
        semihost(4, "died of ");
        semihost(4, al_cause_name(record.cause));
        semihost(4, "\n");
    }
    semihost(0x18, (const void *)0x20026);
}
AL_TASK(watcher, watcher_run, 2, 1024);
