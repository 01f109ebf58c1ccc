/* SPDX-License-Identifier: MIT */
/*
 * Checkpoints. A copy counts if its sequence number is not 0 and its checksum is
 * right; of two that do, the newer one. A checkpoint makes the other one none,
 * fills it in, and gives it its number last: at each instruction at least one
 * whole copy is there, once there was one.
 */
#include <alula/state.h>

#include <alula/concurrent.h>
#include <alula/panic.h>

static volatile char *bytes_of(struct al_state_copy *copy)
{
    return (volatile char *)(copy + 1);
}

static uint32_t add(uint32_t sum, uint32_t word)
{
    return (sum >> 7 | sum << 25) + word;
}

static uint32_t checksum(const struct al_state *state,
        struct al_state_copy *copy, uint32_t sequence)
{
    uint32_t sum = add(sequence, arch_build_id()[0]);

    sum = add(sum, arch_build_id()[1]);
    sum = add(sum, (uint32_t)(uintptr_t)copy);
    sum = add(sum, state->bytes);
    for (uint32_t i = 0; i < state->bytes; i++) {
        sum = add(sum, (uint8_t)bytes_of(copy)[i]);
    }
    return sum;
}

static bool is_whole(const struct al_state *state, struct al_state_copy *copy)
{
    return copy->sequence != 0 &&
           copy->checksum == checksum(state, copy, copy->sequence);
}

/* NULL: there is none. */
static struct al_state_copy *newest(const struct al_state *state)
{
    struct al_state_copy *a = state->copies[0];
    struct al_state_copy *b = state->copies[1];

    if (!is_whole(state, a)) {
        return is_whole(state, b) ? b : NULL;
    }
    if (!is_whole(state, b)) {
        return a;
    }
    return (int32_t)(a->sequence - b->sequence) > 0 ? a : b;
}

static struct al_state_copy *other(
        const struct al_state *state, const struct al_state_copy *copy)
{
    return copy == state->copies[0] ? state->copies[1] : state->copies[0];
}

static void set_sequence(struct al_state_copy *copy, uint32_t sequence)
{
    AL_BARRIER();
    *(volatile uint32_t *)&copy->sequence = sequence;
    AL_BARRIER();
}

/* A cleanup of an instance that was replaced while its successor runs. */
static void must_be_the_tasks(void)
{
    if (!arch_in_handler() && al_task_is_replaced()) {
        al_panic("the state is that of the next instance");
    }
}

void *al_task_state_begin(const struct al_state *state)
{
    struct al_state_copy *copy = newest(state);
    volatile char *now = state->now;

    must_be_the_tasks();
    for (uint32_t i = 0; i < state->bytes; i++) {
        now[i] = copy == NULL ? 0 : bytes_of(copy)[i];
    }
    return state->now;
}

void al_task_checkpoint(const struct al_state *state)
{
    struct al_state_copy *last = newest(state);
    struct al_state_copy *copy = other(state, last);
    uint32_t sequence = last == NULL ? 1 : last->sequence + 1;

    must_be_the_tasks();
    sequence += sequence == 0; /* wrapped: 0 is none */
    set_sequence(copy, 0);
    for (uint32_t i = 0; i < state->bytes; i++) {
        bytes_of(copy)[i] = ((const volatile char *)state->now)[i];
    }
    copy->checksum = checksum(state, copy, sequence);
    set_sequence(copy, sequence);
}

void al_task_checkpoint_drop(const struct al_state *state)
{
    struct al_state_copy *last = newest(state);

    set_sequence(other(state, last), 0);
    if (last != NULL) {
        set_sequence(last, 0);
    }
}
