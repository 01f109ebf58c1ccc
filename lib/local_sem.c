/* SPDX-License-Identifier: MIT */
/* The end of AL_SEM_LOCAL. One that was destroyed before is left alone. */
#include <alula/own.h>

#include <alula/sem.h>

void __al_own_destroy_sem(void *memory)
{
    struct al_sem *sem = (struct al_sem *)memory;

    if (sem->post.tag == AL_TAG(AL_KIND_SEM)) {
        al_sem_destroy(sem);
    }
}
