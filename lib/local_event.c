/* SPDX-License-Identifier: MIT */
/* The end of AL_EVENT_LOCAL. One that was destroyed before is left alone. */
#include <alula/own.h>

#include <alula/event.h>

void __al_own_destroy_event(void *memory)
{
    struct al_event *event = (struct al_event *)memory;

    if (event->post.tag == AL_TAG(AL_KIND_EVENT)) {
        al_event_destroy(event);
    }
}
