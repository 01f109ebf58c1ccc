/* SPDX-License-Identifier: MIT */
/*
 * The C library's standard streams: stdin, stdout and stderr are the board's
 * console, through the UART driver's rings.
 *
 * One call of printf(), puts(), fputs() or fwrite() comes out in one piece,
 * whoever else prints. A task that dies in the middle leaves the stream free
 * for the next; what it had written so far goes out. One task reads.
 *
 * Not here: buffering by line (the driver's ring is the buffer), "\r" before
 * "\n", files.
 */
#include <alula/callback.h>

#include <stdarg.h>
#include <stdio.h>
#include <uart/uart.h>

#include "lock.h"

static struct {
    struct __lock lock; /* who prints */
    bool started;       /* the UART; under the lock */
} console = {.lock = AL_LIBC_LOCK_INIT};

static void console_lock(void)
{
    al_libc_lock(&console.lock);
    if (!console.started) {
        al_uart_start();
        console.started = true;
    }
}

__attribute__((used)) static int console_put(char c, FILE *stream)
{
    (void)stream;
    console_lock();
    al_uart_write(&c, 1);
    al_libc_unlock(&console.lock);
    return (unsigned char)c;
}

__attribute__((used)) static int console_get(FILE *stream)
{
    (void)stream;
    console_lock();
    al_libc_unlock(&console.lock);
    return al_uart_read();
}

__attribute__((used)) static int console_flush(FILE *stream)
{
    (void)stream;
    console_lock();
    al_uart_drain();
    al_libc_unlock(&console.lock);
    return 0;
}

int al_libc_put(char c, FILE *stream);
int al_libc_get(FILE *stream);
int al_libc_flush(FILE *stream);

AL_LIBRARY_ENTRY(al_libc_put, console_put)
AL_LIBRARY_ENTRY(al_libc_get, console_get)
AL_LIBRARY_ENTRY(al_libc_flush, console_flush)

static FILE input =
        FDEV_SETUP_STREAM(NULL, al_libc_get, NULL, _FDEV_SETUP_READ);
static FILE output =
        FDEV_SETUP_STREAM(al_libc_put, NULL, al_libc_flush, _FDEV_SETUP_WRITE);

FILE *const stdin = &input;
FILE *const stdout = &output;
FILE *const stderr = &output;

/* Strings are streams, too, and need no lock. */
static bool lock_if_console(const FILE *stream)
{
    if (stream != &output) {
        return false;
    }
    console_lock();
    return true;
}

static int unlock_if(bool locked, int result)
{
    if (locked) {
        al_libc_unlock(&console.lock);
    }
    return result;
}

int __real_vfprintf(FILE *stream, const char *format, va_list args);
int __real_puts(const char *text);
int __real_fputs(const char *text, FILE *stream);
size_t __real_fwrite(
        const void *from, size_t bytes, size_t count, FILE *stream);

__attribute__((used)) static int print(
        FILE *stream, const char *format, va_list args)
{
    bool locked = lock_if_console(stream);

    return unlock_if(locked, __real_vfprintf(stream, format, args));
}

__attribute__((used)) static int put_line(const char *text)
{
    bool locked = lock_if_console(stdout);

    return unlock_if(locked, __real_puts(text));
}

__attribute__((used)) static int put_text(const char *text, FILE *stream)
{
    bool locked = lock_if_console(stream);

    return unlock_if(locked, __real_fputs(text, stream));
}

__attribute__((used)) static size_t put_bytes(
        const void *from, size_t bytes, size_t count, FILE *stream)
{
    bool locked = lock_if_console(stream);
    size_t put = __real_fwrite(from, bytes, count, stream);

    (void)unlock_if(locked, 0);
    return put;
}

AL_LIBRARY_ENTRY(__wrap_vfprintf, print)
AL_LIBRARY_ENTRY(__wrap_puts, put_line)
AL_LIBRARY_ENTRY(__wrap_fputs, put_text)
AL_LIBRARY_ENTRY(__wrap_fwrite, put_bytes)
