/* SPDX-License-Identifier: MIT */
/* A raw handler, right or with the mistake that the build names. */
#include <alula/alula.h>

#include <string.h>

/* Clang copies more by a call, without optimisation. */
#if defined(__clang__) && !defined(__OPTIMIZE__)
#  define ITEM_BYTES 16
#else
#  define ITEM_BYTES 64
#endif
struct item {
    char c[ITEM_BYTES];
} item;
AL_CHAN_TYPE(items, struct item, 2);
AL_CHAN_TYPE(words, uint16_t, 2);
struct al_sem sem = AL_SEM_INIT(0, 3);
struct al_event event = AL_EVENT_INIT;
struct al_mailbox mailbox = AL_MAILBOX_INIT;
struct items items = AL_CHAN_INIT(struct item, 2);
struct words words = AL_CHAN_INIT(uint16_t, 2);
struct al_timer timer = AL_TIMER_INIT_SEM(&sem);
struct al_task_id id;
al_time when;
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
#elif defined(every)
    (void)al_irq_raw_event_set(&event, 1);
    (void)al_irq_raw_mailbox_post(&mailbox, &item);
    (void)al_irq_raw_chan_send(&items, item);
    (void)al_irq_raw_chan_send(&words, 7);
    (void)al_irq_raw_timer_start(&timer, 1, 1);
    (void)al_irq_raw_task_wake(id);
    when = al_irq_raw_now();
#elif defined(calls_chan)
    (void)al_irq_chan_send(&words, 7);
#elif defined(calls_timer)
    (void)al_irq_timer_start(&timer, 1, 1);
#elif defined(calls_wake)
    (void)al_irq_task_wake(id);
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
