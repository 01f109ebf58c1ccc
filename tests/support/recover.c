/* SPDX-License-Identifier: MIT */
/*
 * The rig of recover.h: two semaphores between the judge and the victim.
 */
#include "recover.h"

#define LOG_BYTES      64
#define FUNCTION_BYTES 400u

struct al_crash_record rig_record;
volatile uint32_t rig_starts;
volatile uint32_t rig_returns;

static struct al_sem go = AL_SEM_INIT(0, 1);
static struct al_sem idle = AL_SEM_INIT(0, 1);
static void (*volatile next_body)(void);
static char log_text[LOG_BYTES];
static volatile uint32_t log_length;

void rig_note(char what)
{
    uint32_t at = log_length;

    if (at < LOG_BYTES - 1) {
        log_text[at] = what;
        log_text[at + 1] = '\0';
        log_length = at + 1;
    }
}

void rig_mark(void *character)
{
    rig_note((char)(uintptr_t)character);
}

const char *rig_log(void)
{
    return log_text;
}

bool rig_log_is(const char *expected)
{
    const char *seen = log_text;

    while (*expected != '\0' && *seen == *expected) {
        seen++;
        expected++;
    }
    return *seen == *expected;
}

size_t rig_heap_used(void)
{
    struct al_heap_info info;

    al_heap_read(&info);
    return info.used_bytes;
}

bool rig_within(uint32_t pc, const void *fn)
{
    uint32_t low = (uint32_t)(uintptr_t)fn & ~1u;

    return (pc & ~1u) >= low && (pc & ~1u) - low < FUNCTION_BYTES;
}

__asm__(".pushsection .text.rig_call_at,\"ax\",%progbits\n"
        ".global rig_call_at\n"
        ".type rig_call_at, %function\n"
        ".thumb_func\n"
        "rig_call_at:\n"
        "@alula: unchecked 0\n"
        ".fnstart\n"
        ".cantunwind\n"
        "mov sp, r0\n"
        "bx r1\n"
        ".fnend\n"
        ".size rig_call_at, . - rig_call_at\n"
        ".popsection\n");

/* What rig_precompiled() keeps: on the stack it would need a stated bound. */
uint32_t rig_kept[3];

__asm__(".pushsection .text.rig_precompiled,\"ax\",%progbits\n"
        ".global rig_precompiled\n"
        ".type rig_precompiled, %function\n"
        ".thumb_func\n"
        "rig_precompiled:\n"
        ".fnstart\n"
        ".cantunwind\n"
        "@alula: unchecked 0\n"
        "ldr ip, =rig_kept\n"
        "str lr, [ip]\n"
        "str r9, [ip, #4]\n"
        "str r3, [ip, #8]\n"
        "mov r9, r2\n"
        "mov ip, r0\n"
        "mov r0, r1\n"
        "blx ip\n"
        "ldr r3, =rig_kept\n"
        "ldr r1, [r3, #8]\n"
        "str r9, [r1]\n"
        "ldr r9, [r3, #4]\n"
        "ldr pc, [r3]\n"
        ".ltorg\n"
        ".fnend\n"
        ".size rig_precompiled, . - rig_precompiled\n"
        ".popsection\n");

static void victim_main(void)
{
    rig_starts++;
    for (;;) {
        (void)al_sem_give(&idle);
        al_sem_take(&go);
        next_body();
        rig_returns++;
    }
}

static const struct al_restart_policy without_limit = {.budget = UINT16_MAX};

AL_TASK_POLICY(rig_victim, victim_main, RIG_PRIO, RIG_STACK, &without_limit);

uint32_t rig_run(void (*body)(void))
{
    uint32_t before = al_crash_count();
    uint32_t deaths;

    al_sem_take(&idle);
    log_length = 0;
    log_text[0] = '\0';
    next_body = body;
    (void)al_sem_give(&go); /* the victim is more urgent: it runs at once, */
    al_sem_take(&idle);     /* dies, and waits again */
    (void)al_sem_give(&idle);
    deaths = al_crash_count() - before;
    if (deaths != 0 && al_crash_read(before + deaths, &rig_record) != AL_OK) {
        rig_record = (struct al_crash_record){0};
    }
    return deaths;
}
