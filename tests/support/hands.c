/* SPDX-License-Identifier: MIT */
/*
 * See hands.h.
 */
#include "hands.h"

const struct al_restart_policy hand_policy = {.budget = UINT16_MAX};

AL_NORETURN void hand_loop(struct hand *hand)
{
    for (;;) {
        al_sem_take(&hand->go);
        hand->status = hand->job(hand);
        journal_note(hand->letter);
        hand->done = true;
    }
}

bool hand_do(struct hand *hand, al_status (*job)(struct hand *self),
        void *object, al_time deadline)
{
    hand->job = job;
    hand->object = object;
    hand->deadline = deadline;
    hand->done = false;
    (void)al_sem_give(&hand->go);
    return hand->done;
}

al_status hand_take(struct hand *self)
{
    return al_sem_take_until(self->object, self->deadline);
}

al_status hand_give(struct hand *self)
{
    return al_sem_give(self->object);
}

al_status hand_lock(struct hand *self)
{
    return al_mutex_lock_until(self->object, self->deadline);
}

al_status hand_try(struct hand *self)
{
    return al_mutex_try_lock(self->object);
}

al_status hand_unlock(struct hand *self)
{
    al_mutex_unlock(self->object);
    return AL_OK;
}

al_status hand_park(struct hand *self)
{
    return al_task_park(self->deadline);
}

al_status hand_sleep(struct hand *self)
{
    al_sleep_until(self->deadline);
    return AL_OK;
}

al_status hand_join(struct hand *self)
{
    return al_task_join(self->id, self->deadline);
}

al_status hand_nothing(struct hand *self)
{
    (void)self;
    return AL_OK;
}

const char *kernel(void)
{
    const char *wrong = rig_check();

    return wrong != NULL ? wrong : "right";
}

void ticks(unsigned n)
{
    for (; n > 0; n--) {
        rig_pend_tick();
    }
}

static void (*volatile handler_action)(void);
static volatile bool handled;

static void act(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    handler_action();
    handled = true;
}

void in_handler(void (*action)(void), bool locked)
{
    handler_action = action;
    handled = false;
    if (locked) {
        *(volatile uint32_t *)&al_core.locked = 1;
    }
    rig_pend(0, act);
    while (!handled) {
    }
    if (locked) {
        *(volatile uint32_t *)&al_core.locked = 0;
        rig_pend_switch();
    }
}
