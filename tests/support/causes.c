/* SPDX-License-Identifier: MIT */
/*
 * Each mistake is made through volatile objects: a compiler that sees through
 * one may do anything instead, most often nothing.
 */
#include "causes.h"

#define NOINLINE __attribute__((noinline))

static volatile uint32_t zero;
static volatile uint32_t one = 1;
static volatile uint32_t sink;
static uint32_t *volatile nowhere = (uint32_t *)0x30000000u;
static uint32_t *volatile null_pointer;
static struct al_mutex never_locked = AL_MUTEX_INIT;

static NOINLINE uint32_t deep(uint32_t depth)
{
    volatile uint32_t local[12];

    local[depth % 12] = depth;
    return depth == 0 ? 0 : deep(depth - 1) + local[depth % 12];
}

void cause_overflow(void)
{
    sink = deep(100000 + zero);
}

static void needs_more(void *arg)
{
    volatile uint32_t local[40] = {(uint32_t)(uintptr_t)arg};

    sink = local[zero];
}

/* With 60 bytes left a scope is closed, by a function that needs 160: it comes
 * to its end. */
static void cause_cleanup(void)
{
    uintptr_t sp;

    __asm__ volatile("mov %0, sp" : "=r"(sp)::"memory");
    volatile char *room = __builtin_alloca(sp - rig_victim.limit - 60);
    AL_DEFER(needs_more, NULL);
    room[0] = 1;
}

static void cause_vla(void)
{
    volatile char block[4096 + zero];

    block[0] = 1;
    block[4095 + zero] = block[0];
}

static void cause_vla_huge(void)
{
    volatile char block[0xffffffffu - zero];

    block[0] = 1;
    block[4095 + zero] = block[0];
}

void cause_null(void)
{
    sink = *null_pointer;
}

/* Code is write-protected. */
static void cause_code(void)
{
    *(volatile uint32_t *)((uintptr_t)cause_null & ~(uintptr_t)3) = one;
}

static void cause_bus(void)
{
    *nowhere = one;
}

static void cause_undef(void)
{
    __asm__ volatile("udf #0");
}

static void cause_trap(void)
{
    __builtin_trap();
}

static void cause_div0(void)
{
    sink = one / zero;
}

static void cause_align(void)
{
    static const uint32_t words[3];
    uintptr_t odd = (uintptr_t)words + 1;

    __asm__ volatile("ldm %0, {r2, r3}" ::"r"(odd) : "r2", "r3", "memory");
}

static void cause_out_of_bounds(void)
{
    static volatile uint32_t table[8];
    uint32_t index = 10 + one;

    table[index] = one + table[0];
}

static void cause_assert(void)
{
    AL_ASSERT(one == 2);
}

void cause_panic(void)
{
    al_panic("test");
}

static void cause_wrong_call(void)
{
    al_mutex_unlock(&never_locked);
    AL_BARRIER(); /* not a jump: the backtrace shall name this function */
}

static void cause_null_mutex(void)
{
    rig_lock((struct al_mutex *)null_pointer);
}

static void cause_jump(void)
{
    void (*volatile wild)(void) = (void (*)(void))0x30000001u;

    wild();
}

static void cause_svc(void)
{
    __asm__ volatile("svc #9");
}

static void cause_smashed_sp(void)
{
    rig_call_at(0x30000000u, cause_overflow);
}

#define DACCVIOL  0x82u /* with MMARVALID */
#define PRECISERR 0x8200u
#define STKERR    0x9200u /* with PRECISERR and BFARVALID */
#define UNDEF     0x10000u
#define UNALIGNED 0x1000000u
#define DIVBYZERO 0x2000000u

const struct cause causes[] = {
        {"overflow", cause_overflow, AL_CAUSE_OVERFLOW, 0, false},
        {"overflow in a cleanup", cause_cleanup, AL_CAUSE_OVERFLOW, 0, false},
        {"vla", cause_vla, AL_CAUSE_VLA, 0, true},
        {"vla huge", cause_vla_huge, AL_CAUSE_VLA, 0, true},
        {"null", cause_null, AL_CAUSE_NULL, DACCVIOL, true},
        {"code", cause_code, AL_CAUSE_ACCESS, DACCVIOL, true},
        {"bus", cause_bus, AL_CAUSE_BUS, PRECISERR, true},
        {"undef", cause_undef, AL_CAUSE_UNDEF, UNDEF, true},
        {"trap", cause_trap, AL_CAUSE_UNDEF, UNDEF, true},
        {"div0", cause_div0, AL_CAUSE_DIV0, DIVBYZERO, true},
        {"align", cause_align, AL_CAUSE_ALIGN, UNALIGNED, true},
        {"oob", cause_out_of_bounds, AL_CAUSE_OOB, 0, false},
        {"assert", cause_assert, AL_CAUSE_ASSERT, 0, true},
        {"panic", cause_panic, AL_CAUSE_PANIC, 0, true},
        {"wrong call", cause_wrong_call, AL_CAUSE_CALLER, 0, false},
        {"null mutex", cause_null_mutex, AL_CAUSE_NULL, DACCVIOL, false},
        {"jump", cause_jump, AL_CAUSE_BUS, 0x100, false},
        {"svc", cause_svc, AL_CAUSE_FAULT, 0, true},
        {"smashed sp", cause_smashed_sp, AL_CAUSE_STACK, STKERR, false},
};

const uint32_t causes_count = sizeof(causes) / sizeof(causes[0]);
