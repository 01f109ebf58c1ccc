/* SPDX-License-Identifier: MIT */
/* The end of AL_MAILBOX_LOCAL. One that was destroyed before is left alone. */
#include <alula/own.h>

#include <alula/mailbox.h>

void __al_own_destroy_mailbox(void *memory)
{
    struct al_mailbox *mailbox = (struct al_mailbox *)memory;

    if (mailbox->post.tag == AL_TAG(AL_KIND_MAILBOX)) {
        al_mailbox_destroy(mailbox);
    }
}
