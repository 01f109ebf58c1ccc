/* SPDX-License-Identifier: MIT */
/*
 * The ends that no task comes back from: reset, and the kernel stop.
 */
#include "recover.h"

#include "arch.h"
#include "crash.h"
#include "sched.h"
#include "time.h"

#include <alula/panic.h>

AL_NORETURN void al_reset(void)
{
    arch_reset();
}

AL_NORETURN void recover_kernel_stop(enum panic_site site)
{
    struct al_task *self = al_core.current;

    arch_never_walked();
    if (self != NULL) {
        struct al_crash_record *record = crash_open(self);

        if (site != PANIC_DEATH) {
            record->cause = AL_CAUSE_KERNEL;
            record->detail[0] = (uint32_t)site >> 4;
            record->detail[1] = (uint32_t)site & 15;
        }
        record->heap_left = self->heap_bytes;
        crash_close(record);
    }
    board_stop();
}
