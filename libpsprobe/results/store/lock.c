/* SPDX-License-Identifier: MIT */
#include "results/store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "os/clock.h"

#define RETRY_NS 10000000

struct psp_file_lock {
  psp_file_lock *next;
  int fd;
  dev_t device;
  ino_t inode;
  pid_t process; /* who took it: a child that was forked inherits the list */
};

/* POSIX locks are the process's, so what it holds is known to all of it. */
static struct {
  pthread_mutex_t mutex;
  psp_file_lock *first;
} held = {.mutex = PTHREAD_MUTEX_INITIALIZER};

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

bool psp_open_beside(const char *path) {
  char folder[PATH_MAX];
  if (realpath(path, folder) == NULL) return false;
  char *slash = strrchr(folder, '/');
  slash[slash == folder ? 1 : 0] = '\0';
  return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
}

/* Also when it is the folder that is not there, and when it is the file alone that is kept from us.
 */
static psprobe_code fail_open(const char *path, int cause, psprobe_error *error) {
  const char *slash = strrchr(path, '/');
  if (cause == EACCES && psp_open_beside(path))
    return psp_fail(error, PSPROBE_PERMISSION_DENIED,
                    "%s may not be written to by this user: choose another file", path);
  if (cause != ENOENT || slash == NULL || slash == path) return psp_open_fail(path, cause, error);
  return psp_fail(error, PSPROBE_NOT_FOUND, "cannot open %s: there is no folder %.*s", path,
                  (int)(slash - path), path);
}

/* The lock of what `path` leads to, when it is this process's. With the mutex held. */
static const psp_file_lock *find_held(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0) return NULL;
  const psp_file_lock *lock = held.first;
  while (lock != NULL && (lock->inode != info.st_ino || lock->device != info.st_dev))
    lock = lock->next;
  return lock;
}

bool psp_file_lock_is_held(const char *path) {
  pthread_mutex_lock(&held.mutex);
  bool is = find_held(path) != NULL;
  pthread_mutex_unlock(&held.mutex);
  return is;
}

/* A shared lock for a moment, which a prober that begins waits for. */
static psp_writer look(const char *path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  psp_writer writer = PSP_WRITER_UNKNOWN;
  if (fd < 0) return writer;
  if (flock(fd, LOCK_SH | LOCK_NB) == 0)
    writer = PSP_WRITER_GONE;
  else if (errno == EWOULDBLOCK)
    writer = PSP_WRITER_RUNNING;
  close(fd);
  return writer;
}

/* Who has it at two looks writes: one who has read a file has its lock for a moment too. */
psp_writer psp_file_lock_look(const char *path) {
  psp_writer writer = PSP_WRITER_RUNNING;
  for (int looks = 0; looks < 2 && writer == PSP_WRITER_RUNNING; looks++) {
    if (looks > 0) psprobe_sleep_until(psprobe_clock_monotonic() + RETRY_NS);
    pthread_mutex_lock(&held.mutex);
    const bool ours = find_held(path) != NULL;
    if (!ours) writer = look(path);
    pthread_mutex_unlock(&held.mutex);
    if (ours) break;
  }
  return writer;
}

bool psp_file_lock_leads(const psp_file_lock *lock, const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && info.st_ino == lock->inode && info.st_dev == lock->device;
}

/* Who has the flock, as the kernel lists it ("1: FLOCK  ADVISORY  WRITE 4711 fe:00:131 0 EOF");
 * 0: nobody that can be named, as in another container. */
static long holder_of(int fd) {
  char line[200], kind[16];
  long holder = 0;
  struct stat info;
  FILE *locks = fstat(fd, &info) == 0 ? fopen("/proc/locks", "re") : NULL;
  while (locks != NULL && holder == 0 && fgets(line, sizeof line, locks) != NULL) {
    unsigned long long inode = 0;
    long process = 0;
    if (sscanf(line, "%*s %15s %*s WRITE %ld %*x:%*x:%llu", kind, &process, &inode) == 3 &&
        strcmp(kind, "FLOCK") == 0 && inode == info.st_ino)
      holder = process;
  }
  if (locks != NULL) fclose(locks);
  return holder > 0 ? holder : 0;
}

static psprobe_code refuse(const char *path, long process, psprobe_error *error) {
  if (process > 0)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "%s is being written by another prober (process %ld)", path, process);
  return psp_fail(error, PSPROBE_FAILED_PRECONDITION, "%s is being written by another prober",
                  path);
}

/* A file system that has no locks lets two probers write one file. */
static psprobe_code fail_lock(const char *path, int cause, psprobe_error *error) {
  char text[128];
  return psp_fail(
      error, PSPROBE_FAILED_PRECONDITION,
      "cannot lock %s (%s): its file system has no locks, and two probers could write to "
      "it; choose a file on another one",
      path, strerror_r(cause, text, sizeof text)); /* the GNU form */
}

/* Keeps what fd has locked. @return false: no memory */
static bool keep(int fd, psp_file_lock **lock) {
  struct stat info;
  psp_file_lock *made = calloc(1, sizeof *made);
  if (made == NULL || fstat(fd, &info) != 0) {
    free(made);
    return false;
  }
  *made = (psp_file_lock){.next = held.first,
                          .fd = fd,
                          .device = info.st_dev,
                          .inode = info.st_ino,
                          .process = getpid()};
  *lock = held.first = made;
  return true;
}

/* One try, with the mutex held. `again`: another has it, or took the name away meanwhile. */
static psprobe_code take(const char *path, bool make, psp_file_lock **lock, bool *again,
                         psprobe_error *error) {
  const psp_file_lock *ours = find_held(path);
  *again = true;
  if (ours != NULL) return refuse(path, ours->process, error);
  *again = false;
  int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | (make ? O_CREAT : 0), 0644);
  if (fd < 0) return fail_open(path, errno, error);
  psprobe_code code = PSPROBE_OK;
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    *again = errno == EWOULDBLOCK;
    code = *again ? refuse(path, holder_of(fd), error) : fail_lock(path, errno, error);
  } else if (!keep(fd, lock)) {
    code = psp_fail_memory(error, "lock of the results file");
  }
  if (code != PSPROBE_OK) close(fd);
  return code;
}

psprobe_code psp_file_lock_take(const char *path, bool make, int64_t patience_ns,
                                psp_file_lock **lock, psprobe_error *error) {
  int64_t until = psprobe_clock_monotonic() + patience_ns;
  for (;;) {
    psp_file_lock *taken = NULL;
    bool again = false;
    pthread_mutex_lock(&held.mutex);
    psprobe_code code = take(path, make, &taken, &again, error);
    pthread_mutex_unlock(&held.mutex);
    if (code == PSPROBE_OK && psp_file_lock_leads(taken, path)) {
      *lock = taken;
      return PSPROBE_OK;
    }
    psp_file_lock_release(taken); /* the name was given to another file between our two calls */
    if (code != PSPROBE_OK && (!again || psprobe_clock_monotonic() >= until)) return code;
    if (code != PSPROBE_OK) psprobe_sleep_until(psprobe_clock_monotonic() + RETRY_NS);
  }
}

void psp_file_lock_release(psp_file_lock *lock) {
  if (lock == NULL) return;
  pthread_mutex_lock(&held.mutex);
  psp_file_lock **at = &held.first;
  while (*at != lock)
    at = &(*at)->next;
  *at = lock->next;
  close(lock->fd);
  pthread_mutex_unlock(&held.mutex);
  free(lock);
}
