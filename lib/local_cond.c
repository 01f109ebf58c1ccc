/* SPDX-License-Identifier: MIT */
/* The end of AL_COND_LOCAL. One that was destroyed before is left alone. */
#include <alula/own.h>

#include <alula/cond.h>

void __al_own_destroy_cond(void *memory)
{
    struct al_cond *cond = (struct al_cond *)memory;

    if (cond->tag == AL_TAG(AL_KIND_COND)) {
        al_cond_destroy(cond);
    }
}
