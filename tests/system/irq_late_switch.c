/* SPDX-License-Identifier: MIT */
/*
 * Claim: a switch exception that comes while the kernel lock is taken is not
 * forgotten: it leaves a post, and who lets go of the lock asks again.
 *   1. a task takes the lock, turns the ready ring, and asks for the switch:
 *      none comes, a post is in the inbox
 *   2. asked for twice, there is one post
 *   3. it lets go by any kernel operation that uses the lock: the switch comes
 *      before the next instruction, and the inbox is empty
 *   4. a switch exception without a reason changes nothing
 * Fails if: PendSV returns at once when it finds the lock taken.
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "test.h"

static volatile unsigned other_ran;

static void other_main(void)
{
    for (;;) {
        other_ran++;
        al_yield();
    }
}

AL_TASK(other, other_main, 5, 1024);

static void use_heap(void)
{
    al_heap_free(al_heap_alloc(8));
}

static void read_heap(void)
{
    struct al_heap_info info;

    al_heap_read(&info);
}

static void late(const char *name, void (*let_go)(void))
{
    unsigned before = other_ran;
    const char *wrong;

    *(volatile uint32_t *)&al_core.locked = 1;
    al_core.ready[AL_PRIO_LEVELS - 1 - 5] = &other;
    rig_pend_switch();
    CHECK(other_ran == before && al_core.inbox != NULL &&
                    al_core.inbox->tag == AL_KIND_NONE,
            "%s: in the lock, a post", name);
    rig_pend_switch();
    CHECK(other_ran == before && al_core.inbox != NULL &&
                    al_core.inbox->next == NULL,
            "%s: one of it", name);
    let_go();
    CHECK(other_ran == before + 1, "%s: the switch came", name);
    wrong = rig_check();
    CHECK(wrong == NULL, "%s: kernel: %s", name,
            wrong != NULL ? wrong : "right");
}

static void judge_main(void)
{
    unsigned before;

    rig_start();
    al_yield();
    late("allocate and free", use_heap);
    late("read the heap", read_heap);
    before = other_ran;
    rig_pend_switch();
    CHECK(other_ran == before && rig_check() == NULL, "without a reason");
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
