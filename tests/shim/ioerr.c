/*
 * Fails or hangs the nth write(), fdatasync() or fsync() on files whose path contains a given text.
 * Preloaded into a child process by the log's crash tests.
 *
 *   IOERR_OP    write | fdatasync | fsync
 *   IOERR_PATH  part of the path
 *   IOERR_NTH   the first call is 1
 *   IOERR_WITH  EIO | ENOSPC | HANG
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int calls;

/* Whether this call is the one; if so errno is set. */
static int strike(const char *op, int fd)
{
    const char *wanted = getenv("IOERR_OP");
    const char *part = getenv("IOERR_PATH");
    const char *nth = getenv("IOERR_NTH");
    const char *with = getenv("IOERR_WITH");
    char link[64], path[4096];
    ssize_t length;

    if (!wanted || !part || !nth || !with || strcmp(wanted, op) != 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    if (!strstr(path, part) || __sync_add_and_fetch(&calls, 1) != atoi(nth))
        return 0;
    if (strcmp(with, "HANG") == 0)
        for (;;)
            pause();
    errno = strcmp(with, "ENOSPC") == 0 ? ENOSPC : EIO;
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (!real)
        real = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    return strike("write", fd) ? -1 : real(fd, bytes, count);
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return strike("fdatasync", fd) ? -1 : real(fd);
}

int fsync(int fd)
{
    static int (*real)(int);
    if (!real)
        real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    return strike("fsync", fd) ? -1 : real(fd);
}
