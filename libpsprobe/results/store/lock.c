/* SPDX-License-Identifier: MIT */
#include "results/store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <psprobe/timing.h>

#include "base/error.h"

#define RETRY_NS 10000000

static bool name_of(const char *path, char name[PATH_MAX]) {
  int len = snprintf(name, PATH_MAX, "%s-lock", path);
  return len > 0 && len < PATH_MAX;
}

psprobe_code psp_open_fail(const char *path, int cause, psprobe_error *error) {
  char text[128];
  const char *name = strerror_r(cause, text, sizeof text); /* the GNU form */
  psprobe_code code = PSPROBE_INTERNAL;
  const char *hint = "";
  if (cause == EACCES || cause == EPERM || cause == EROFS) {
    code = PSPROBE_PERMISSION_DENIED;
    hint = "; choose a place that this user may write to";
  } else if (cause == ENOENT || cause == ENOTDIR) {
    code = PSPROBE_NOT_FOUND;
  } else if (cause == ENOSPC || cause == EDQUOT || cause == EMFILE || cause == ENFILE) {
    code = PSPROBE_RESOURCE_EXHAUSTED;
  } else if (cause == ENAMETOOLONG || cause == ELOOP || cause == EISDIR) {
    code = PSPROBE_INVALID_ARGUMENT;
  }
  return psp_fail(error, code, "cannot open %s: %s%s", path, name, hint);
}

/* Whether the file that we locked is still the one of that name: its last holder removes it. */
static bool still_there(int fd, const char *name) {
  struct stat ours, there;
  return fstat(fd, &ours) == 0 && stat(name, &there) == 0 && ours.st_ino == there.st_ino &&
         ours.st_dev == there.st_dev;
}

static psprobe_code held(int fd, const char *path, psprobe_error *error) {
  char text[32] = "";
  ssize_t len = pread(fd, text, sizeof text - 1, 0);
  long holder = len > 0 ? strtol(text, NULL, 10) : 0;
  if (holder > 0)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "%s is being written by another prober (process %ld)", path, holder);
  return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "%s is being written by another prober",
                  path);
}

psprobe_code psp_lock_take(const char *path, int64_t patience_ns, int *lock, psprobe_error *error) {
  char name[PATH_MAX];
  if (!name_of(path, name)) return psp_open_fail(path, ENAMETOOLONG, error);
  int64_t until = psprobe_clock_monotonic() + patience_ns;
  for (;;) {
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return psp_open_fail(name, errno, error);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      int cause = errno;
      bool wait = cause == EWOULDBLOCK && psprobe_clock_monotonic() < until;
      psprobe_code code = wait                   ? PSPROBE_OK
                          : cause == EWOULDBLOCK ? held(fd, path, error)
                                                 : psp_open_fail(name, cause, error);
      close(fd);
      if (!wait) return code;
      psprobe_sleep_until(psprobe_clock_monotonic() + RETRY_NS);
      continue;
    }
    if (still_there(fd, name)) {
      /* For the message of whoever is refused; the lock holds without it. */
      if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) errno = 0;
      *lock = fd;
      return PSPROBE_OK;
    }
    close(fd); /* its last holder took it away between our two calls */
  }
}

void psp_lock_release(const char *path, int lock) {
  char name[PATH_MAX];
  if (lock < 0) return;
  if (name_of(path, name)) unlink(name); /* before the lock goes, so that nobody has it yet */
  close(lock);
}
