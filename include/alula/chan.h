/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Typed channels: bounded queues of items of one type, from any number of
 * tasks and interrupt handlers to any number of them, first in, first out.
 *
 *   AL_CHAN(readings, struct reading, 16);
 *
 *   status = al_chan_send(&readings, reading);     waits while it is full
 *   status = al_chan_recv(&readings, &reading);    waits while it is empty
 *   status = al_irq_chan_send(&readings, reading); in a handler
 *
 * An item of another type than the channel's does not compile, but for the
 * conversion of one integer to another. Items are copied; at most
 * AL_CHAN_ITEM_MAX bytes each, those of 4 bytes and less are quickest.
 *
 * An item is in the channel, whole, from one instruction to the next: nobody
 * ever waits for a sender, or a receiver, that was interrupted in the middle. A
 * handler puts its item in, or takes one, whatever goes on, so it knows the
 * outcome at once; only waking a task needs the kernel lock, and if that is
 * taken its holder does it before it lets go. Waiting tasks are served most
 * urgent first, in order of arrival among equals.
 *
 * A closed channel takes nothing more; what is in it can still be received. A
 * task that says which end of a channel it works at is missed there when it
 * dies: AL_CHAN_SENDER_SCOPED.
 */

#include <alula/scope.h>
#include <alula/status.h>
#include <alula/time.h>
#include <alula/types.h>
#include <alula/wait.h>

#include <arch/port.h>

AL_EXTERN_C_BEGIN

#define AL_CHAN_ITEM_MAX 64u /* bytes */

/* Most items that a channel may hold; a power of two. */
#define AL_CHAN_CAPACITY_MAX 0x10000u

/* The two ends: indices of what each has. */
#define AL_CHAN_SENDER   0
#define AL_CHAN_RECEIVER 1

/*
 * Fields belong to the kernel; AL_CHAN defines one, and the slots right behind
 * it. All zeros is no channel: using it is found out. An index is counted in
 * twos; bit 0 of its word says that a task may go on without the kernel lock.
 */
struct al_chan {
    uint32_t head;       /* atomic; of the next item to receive */
    uint32_t tail;       /* atomic; of the next item to send */
    uint32_t mask;       /* twice (capacity - 1); const */
    struct al_post post; /* an interrupt asks the holder to serve who waits */
    struct al_waitq waiters[2]; /* for room, for an item; under the lock */
    uint16_t restarts[2];       /* an end is still to hear of; under the lock */
    uint8_t words;              /* of an item; const */
    uint8_t closed;             /* 1: takes nothing more; under the lock */
};

/* Words that an item of a type takes. */
#define AL_CHAN_WORDS(type) ((sizeof(type) + 3) / 4)

/**
 * Define the type `struct tag` of a channel; for AL_CHAN_INIT and
 * al_chan_init(), and for headers.
 *
 * @param tag       a new name
 * @param type      of the items; copied byte by byte
 * @param capacity  items that it holds; a power of two
 */
#define AL_CHAN_TYPE(tag, type, capacity)                                  \
  struct tag {                                                             \
    union {                                                                \
      struct al_chan chan;                                                 \
      __typeof__(type) *item; /* never used: says the type */              \
    } al;                                                                  \
    uint32_t slots[(capacity)*AL_CHAN_WORDS(type)];                        \
  };                                                                       \
  AL_STATIC_ASSERT((capacity) > 0 && ((capacity) & ((capacity)-1)) == 0 && \
                           (capacity) <= AL_CHAN_CAPACITY_MAX,             \
          "a channel's capacity is a power of two, at most 65536");        \
  AL_STATIC_ASSERT(sizeof(type) <= AL_CHAN_ITEM_MAX,                       \
          "an item of a channel has at most 64 bytes: send its address")

/* The initial value of a channel's type. */
#define AL_CHAN_INIT(type, capacity)                                          \
  {                                                                           \
    {{1, 1, 2 * ((capacity)-1), AL_POST_INIT(AL_KIND_CHAN),                   \
            {AL_WAITQ_INIT, AL_WAITQ_INIT}, {0, 0}, AL_CHAN_WORDS(type), 0}}, \
    {                                                                         \
      0                                                                       \
    }                                                                         \
  }

/**
 * Define a channel.
 *
 * @param name      the variable; its type is struct <name>_chan
 * @param type      of the items
 * @param capacity  items that it holds; a power of two
 */
#define AL_CHAN(name, type, capacity)        \
  AL_CHAN_TYPE(name##_chan, type, capacity); \
  struct name##_chan name = AL_CHAN_INIT(type, capacity)

#define AL_CHAN_OPEN 1u /* bit 0 of an index: see kernel/chan.c */
#define AL_CHAN_NEXT 2u /* from one index to the next */

/* ---- what the macros below call; the kernel's side of them ---- */

/*
 * Put an item in, in a handler or with the kernel lock held: false if it is
 * full. Inline, for raw handlers; lib/core/ring.c says how and why.
 */
AL_INLINE bool al_chan_put(struct al_chan *chan, const uint32_t *item)
{
    const volatile uint32_t *words = item;
    const volatile uint32_t *last = &chan->tail;

    for (;;) {
        uint32_t tail = *last;
        uint32_t head = *(const volatile uint32_t *)&chan->head;
        uint32_t *slot = (uint32_t *)(void *)(chan + 1) +
                         (tail & chan->mask) / AL_CHAN_NEXT * chan->words;
        uint32_t staged = 0;

        if ((tail | AL_CHAN_OPEN) - (head | AL_CHAN_OPEN) > chan->mask) {
            if (*last == tail) {
                return false; /* full at an index that is still the last one */
            }
            continue;
        }
        while (staged < chan->words) {
            uint32_t word = words[staged];

            (void)arch_load_linked(&slot[staged]);
            if (*last != tail || !arch_store_if(&slot[staged], word)) {
                break;
            }
            staged++;
        }
        /* No other task can have staged since: only who published changed the
         * slot. */
        if (staged == chan->words && arch_load_linked(&chan->tail) == tail &&
                arch_store_if(&chan->tail, tail + AL_CHAN_NEXT)) {
            return true;
        }
    }
}

void al_chan_make(struct al_chan *chan, uint32_t words, uint32_t capacity);
al_status al_chan_send_word(struct al_chan *chan, uint32_t value);
al_status al_chan_send_word_until(
        struct al_chan *chan, uint32_t value, al_time deadline);
al_status al_chan_send_words(
        struct al_chan *chan, const uint32_t *item, al_time deadline);
/* The status, and above it the value. */
uint64_t al_chan_recv_word(struct al_chan *chan);
uint64_t al_chan_recv_word_until(struct al_chan *chan, al_time deadline);
al_status al_chan_recv_words(
        struct al_chan *chan, uint32_t *item, al_time deadline);
al_status al_irq_chan_send_words(struct al_chan *chan, const uint32_t *item);
al_status al_irq_chan_recv_words(struct al_chan *chan, uint32_t *item);
void al_chan_end(struct al_chan *chan);
void al_chan_shut(struct al_chan *chan);
uint32_t al_chan_items(const struct al_chan *chan);
/* Called when the scope of a peer ends; `chan` is its channel. */
void al_chan_sender_left(void *chan);
void al_chan_receiver_left(void *chan);

AL_EXTERN_C_END

/* ---- what they make of an item ---- */

#define AL_CHAN_ITEM_(c) __typeof__(*(c)->al.item)
#define AL_CHAN_OF_(c)   (&(c)->al.chan)

/* As it is passed on: an array is a pointer, a constant's value is a value. */
#define AL_CHAN_VALUE_(value) __typeof__(((void)0, (value)))

#ifdef __cplusplus
template <class T> struct al_chan_plain {
    typedef T type;
    static constexpr bool integer = false;
};
template <class T> struct al_chan_plain<const T> : al_chan_plain<T> {
};
template <class T> struct al_chan_plain<T &> : al_chan_plain<T> {
};
#  define AL_CHAN_INTEGER_(t)               \
    template <> struct al_chan_plain<t> {   \
      typedef t type;                       \
      static constexpr bool integer = true; \
    }
AL_CHAN_INTEGER_(bool);
AL_CHAN_INTEGER_(char);
AL_CHAN_INTEGER_(signed char);
AL_CHAN_INTEGER_(unsigned char);
AL_CHAN_INTEGER_(short);
AL_CHAN_INTEGER_(unsigned short);
AL_CHAN_INTEGER_(int);
AL_CHAN_INTEGER_(unsigned);
AL_CHAN_INTEGER_(long);
AL_CHAN_INTEGER_(unsigned long);
AL_CHAN_INTEGER_(long long);
AL_CHAN_INTEGER_(unsigned long long);
template <class T, class V> constexpr bool al_chan_fits()
{
    typedef al_chan_plain<T> item;
    typedef al_chan_plain<V> value;

    return __is_trivially_copyable(T) &&
           (__is_same(typename item::type, typename value::type) ||
                   (item::integer && value::integer));
}
#  define AL_CHAN_FITS_(c, value) \
    (al_chan_fits<AL_CHAN_ITEM_(c), AL_CHAN_VALUE_(value)>())
#else
/* 1 is the class of all integers, in GCC and in Clang. */
#  define AL_CHAN_FITS_(c, value)                                             \
    (__builtin_types_compatible_p(AL_CHAN_ITEM_(c), AL_CHAN_VALUE_(value)) || \
            (__builtin_classify_type(*(c)->al.item) == 1 &&                   \
                    __builtin_classify_type((value)) == 1))
#endif

/* A copy of the item in whole words; `words` names it in the block. */
#define AL_CHAN_PACK_(c, value, words)                             \
  AL_STATIC_ASSERT(AL_CHAN_FITS_(c, value),                        \
          "this value is not of the type of the channel's items"); \
  AL_CHAN_ITEM_(c) words##item_ = (value);                         \
  uint32_t words[AL_CHAN_WORDS(AL_CHAN_ITEM_(c))];                 \
  words[AL_CHAN_WORDS(AL_CHAN_ITEM_(c)) - 1] = 0;                  \
  __builtin_memcpy(words, &words##item_, sizeof(words##item_))

#define AL_CHAN_IS_WORD_(c) (sizeof(AL_CHAN_ITEM_(c)) <= sizeof(uint32_t))

/* A pointer that an item may be stored to. */
#ifdef __cplusplus
#  define AL_CHAN_TAKES_(c, to) __is_same(AL_CHAN_ITEM_(c), __typeof__(*(to)))
#else
#  define AL_CHAN_TAKES_(c, to) \
    __builtin_types_compatible_p(AL_CHAN_ITEM_(c), __typeof__(*(to)))
#endif

#define AL_CHAN_SEND_(c, value, word_call, words_call) \
  (__extension__({                                     \
  struct al_chan *al_chan_ = AL_CHAN_OF_(c);           \
  AL_CHAN_PACK_(c, value, al_words_);                  \
  AL_CHAN_IS_WORD_(c) ? (word_call) : (words_call);    \
  }))

/* `statement` leaves al_status_ and, in al_words_, the item. */
#define AL_CHAN_RECV_(c, to, statement)                                 \
  (__extension__({                                                      \
  struct al_chan *al_chan_ = AL_CHAN_OF_(c);                            \
  AL_CHAN_ITEM_(c) *al_to_ = (to);                                      \
  uint32_t al_words_[AL_CHAN_WORDS(AL_CHAN_ITEM_(c))];                  \
  al_status al_status_;                                                 \
  AL_STATIC_ASSERT(AL_CHAN_TAKES_(c, to),                               \
          "this address is not that of an item of the channel's type"); \
  statement;                                                            \
  if (al_status_ == AL_OK) {                                            \
    __builtin_memcpy(al_to_, al_words_, sizeof(*al_to_));               \
  }                                                                     \
  al_status_;                                                           \
  }))

#define AL_CHAN_TAKE_(c, word_call, words_call) \
  if (AL_CHAN_IS_WORD_(c)) {                    \
    uint64_t al_pair_ = (word_call);            \
                                                \
    al_words_[0] = (uint32_t)(al_pair_ >> 32);  \
    al_status_ = (al_status)(uint32_t)al_pair_; \
  } else {                                      \
    al_status_ = (words_call);                  \
  }

/* What a try says that would have waited. */
static inline al_status al_chan_tried(al_status status, al_status instead)
{
    return status == AL_E_TIMEOUT ? instead : status;
}

/* ---- the interface ---- */

/**
 * Make a channel at run time, in a variable of a type of AL_CHAN_TYPE that is
 * no channel.
 *
 * @param[out] c  must outlive its users
 * @context   any
 * @panics    CHAN.3  the type is not one of AL_CHAN_TYPE
 */
#define al_chan_init(c)                                                   \
  al_chan_make(AL_CHAN_OF_(c), (uint32_t)AL_CHAN_WORDS(AL_CHAN_ITEM_(c)), \
          (uint32_t)(sizeof((c)->slots) / sizeof(uint32_t) /              \
                     AL_CHAN_WORDS(AL_CHAN_ITEM_(c))))

/**
 * End a channel. Tasks that wait for it get AL_E_DESTROYED, what was in it is
 * gone; no interrupt may use it any more (one that does is told).
 *
 * @context   task; may switch
 * @panics    CHAN.1  called from an interrupt handler
 * @panics    CHAN.2  no channel: destroyed, or never initialised
 * @cost      a step per task that waits, other tasks may run in between
 */
#define al_chan_destroy(c) al_chan_end(AL_CHAN_OF_(c))

/**
 * Close a channel: it takes nothing more. Tasks that wait to send get
 * AL_E_CLOSED; so do those that wait to receive, and others when they have
 * received what is in it. Closing it again does nothing.
 *
 * @context   task; may switch
 * @panics    CHAN.1  called from an interrupt handler
 * @panics    CHAN.2  no channel: destroyed, or never initialised
 * @cost      a step per task that waits, other tasks may run in between
 */
#define al_chan_close(c) al_chan_shut(AL_CHAN_OF_(c))

/**
 * Put an item into the channel; wait while it is full.
 *
 * @param[in,out] c  address of the channel; evaluated once
 * @param[in] value  the item, of the channel's type; evaluated once
 * @context   task; may switch, waits
 * @return    AL_OK                it is in, or was handed over
 * @return    AL_E_CLOSED          closed, before or while the caller waited
 * @return    AL_E_PEER_RESTARTED  a task at the receiving end died since; told
 *                                 once for each death, nothing was sent
 * @return    AL_E_DESTROYED       destroyed while the caller waited
 * @panics    CHAN.1  in an interrupt handler, where it is not simple
 * @panics    CHAN.2  no channel: destroyed, or never initialised
 * @unwind    an item that is in stays; one that waits is not sent
 * @cost      constant (docs/numbers.md#queue_send); blocking: one bounded step
 *            per distinct priority among those who wait
 */
#define al_chan_send(c, value)                                       \
  AL_CHAN_SEND_(c, value, al_chan_send_word(al_chan_, al_words_[0]), \
          al_chan_send_words(al_chan_, al_words_, AL_FOREVER))

/**
 * The same, until a deadline.
 *
 * @param[in] deadline  see time.h
 * @return    AL_E_TIMEOUT  there was no room before the deadline; nothing sent
 * @cost      as al_chan_send(), and at most 32 steps through the timer tree
 */
#define al_chan_send_until(c, value, deadline)                         \
  AL_CHAN_SEND_(c, value,                                              \
          al_chan_send_word_until(al_chan_, al_words_[0], (deadline)), \
          al_chan_send_words(al_chan_, al_words_, (deadline)))

/**
 * The same without waiting.
 *
 * @return    AL_E_FULL  there is no room, or it is owed to tasks that wait
 */
#define al_chan_try_send(c, value) \
  al_chan_tried(al_chan_send_until(c, value, AL_POLL), AL_E_FULL)

/**
 * Take the oldest item out of the channel; wait while there is none.
 *
 * @param[in,out] c  address of the channel; evaluated once
 * @param[out] to    address of a variable of the channel's type; written if
 *                   AL_OK is returned
 * @context   task; may switch, waits
 * @return    AL_OK                received
 * @return    AL_E_CLOSED          closed, and nothing is left in it
 * @return    AL_E_PEER_RESTARTED  a task at the sending end died since; told
 *                                 once for each death, before further items
 * @return    AL_E_DESTROYED       destroyed while the caller waited
 * @panics    CHAN.1  in an interrupt handler, where it is not simple
 * @panics    CHAN.2  no channel: destroyed, or never initialised
 * @unwind    an item that was received is gone from the channel
 * @cost      constant (docs/numbers.md#queue_recv); blocking: one bounded step
 *            per distinct priority among those who wait
 */
#define al_chan_recv(c, to)                             \
  AL_CHAN_RECV_(c, to,                                  \
          AL_CHAN_TAKE_(c, al_chan_recv_word(al_chan_), \
                  al_chan_recv_words(al_chan_, al_words_, AL_FOREVER)))

/**
 * The same, until a deadline.
 *
 * @param[in] deadline  see time.h
 * @return    AL_E_TIMEOUT  nothing came before the deadline
 * @cost      as al_chan_recv(), and at most 32 steps through the timer tree
 */
#define al_chan_recv_until(c, to, deadline)                               \
  AL_CHAN_RECV_(c, to,                                                    \
          AL_CHAN_TAKE_(c, al_chan_recv_word_until(al_chan_, (deadline)), \
                  al_chan_recv_words(al_chan_, al_words_, (deadline))))

/**
 * The same without waiting.
 *
 * @return    AL_E_EMPTY  there is nothing, or it is owed to tasks that wait
 */
#define al_chan_try_recv(c, to) \
  al_chan_tried(al_chan_recv_until(c, to, AL_POLL), AL_E_EMPTY)

/**
 * Put an item into the channel, in an interrupt handler of any priority at any
 * moment.
 *
 * @param[in,out] c
 * @param[in] value  the item, of the channel's type
 * @context   irq
 * @return    AL_OK           it is in; a task that waits for it is woken, at the
 *                            latest when the kernel lock is let go of
 * @return    AL_E_FULL       as many items as its capacity are in it
 * @return    AL_E_CLOSED     closed
 * @return    AL_E_DESTROYED  destroyed, or never initialised
 * @cost      constant, but for one repeat for each handler that comes between
 */
#define al_irq_chan_send(c, value)                                     \
  AL_CHAN_SEND_(c, value, al_irq_chan_send_words(al_chan_, al_words_), \
          al_irq_chan_send_words(al_chan_, al_words_))

/**
 * Take the oldest item out of the channel, in an interrupt handler of any
 * priority at any moment. It does not hear of restarts.
 *
 * @param[in,out] c
 * @param[out] to    address of a variable of the channel's type
 * @context   irq
 * @return    AL_OK           received; a task that waits for the room goes on
 * @return    AL_E_EMPTY      there is none
 * @return    AL_E_CLOSED     closed, and nothing is left in it
 * @return    AL_E_DESTROYED  destroyed, or never initialised
 * @cost      constant, but for one repeat for each handler that comes between
 */
#define al_irq_chan_recv(c, to) \
  AL_CHAN_RECV_(c, to, al_status_ = al_irq_chan_recv_words(al_chan_, al_words_))

/**
 * Read how many items are in the channel.
 *
 * @context   any
 * @return    0 .. capacity
 */
#define al_chan_count(c) al_chan_items(AL_CHAN_OF_(c))

/**
 * Say that the calling task is a peer of the channel, at the sending or at the
 * receiving end, until the enclosing block is left. If it dies in it, whatever
 * kills it, the other end hears of it: AL_E_PEER_RESTARTED goes to the most
 * urgent task that waits there, or to the next one that comes, before any
 * further item; once for each death. It is a declaration, the first of the
 * task's entry as a rule, so that each start says it again.
 *
 * What the task had sent, or not received, stays in the channel.
 *
 * @context   task
 * @unwind    it is what tells the other end; before the restart, and also when
 *            there is none because the task's policy gives it up
 * @cost      as AL_DEFER
 */
#define AL_CHAN_SENDER_SCOPED(c) AL_DEFER(al_chan_sender_left, AL_CHAN_OF_(c))
#define AL_CHAN_RECEIVER_SCOPED(c) \
  AL_DEFER(al_chan_receiver_left, AL_CHAN_OF_(c))
