/* SPDX-License-Identifier: MIT */
/* A raw handler, right or with the mistake that the build names. */
#include <alula/alula.h>

#include <string.h>

struct al_sem sem = AL_SEM_INIT(0, 3);
struct bytes {
    char c[200];
} from, to;
void (*volatile pointer)(void);

__attribute__((noinline)) void helper(void)
{
    __asm__ volatile("");
}

AL_IRQ_RAW(TIM2_IRQHandler)
{
#if defined(framed)
    volatile uint32_t status[40];

    for (unsigned i = 0; i < 40; i++) {
        status[i] = (uint32_t)al_irq_raw_sem_give(&sem);
    }
#elif defined(asserts)
    AL_ASSERT(al_irq_raw_sem_give(&sem) == AL_OK);
#elif defined(calls_kernel)
    (void)al_irq_sem_give(&sem);
#elif defined(calls_own)
    helper();
    pointer = helper;
#elif defined(calls_pointer)
    pointer();
#elif defined(calls_library)
    memcpy(&to, &from, sizeof(to));
#elif defined(jumps)
    helper();
#elif defined(variable)
    volatile char room[al_sem_count(&sem) + 1];

    room[0] = 1;
#endif
}

#if defined(deep)
AL_IRQ(TIM5_IRQHandler)
{
    volatile char room[1500];

    for (unsigned i = 0; i < sizeof(room); i++) {
        room[i] = 1;
    }
    helper();
}
#elif defined(plain)
void TIM5_IRQHandler(void);
void TIM5_IRQHandler(void)
{
    volatile char room[8];

    room[0] = 1;
    helper();
}
#endif

/* Two of one body stay two. */
AL_IRQ_RAW(TIM3_IRQHandler)
{
}

AL_IRQ_RAW(TIM4_IRQHandler)
{
}

static void once(void)
{
}
AL_TASK(task, once, 2, 512);
