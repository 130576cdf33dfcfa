/* SPDX-License-Identifier: MIT */
#include "os/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "os/file.h"
#include "os/wait.h"

/* The program's name: with no folder in it, the first in `folders` that can be run, or else the
 * last, which running will tell of. False: there is no room for it. */
static bool find(const char *name, const char *folders, char path[PATH_MAX]) {
  int used = snprintf(path, PATH_MAX, "%s", name);
  while (folders != NULL && *folders != 0 && strchr(name, '/') == NULL) {
    size_t len = strcspn(folders, ":");
    used = snprintf(path, PATH_MAX, "%.*s/%s", (int)len, folders, name);
    if (access(path, X_OK) == 0) break;
    folders += len + (folders[len] == ':');
  }
  return used < PATH_MAX;
}

/* A descriptor to read `text` from; -1 with errno. Not a pipe, which somebody would have to fill.
 */
static int open_input(const char *text) {
  if (text == NULL) return open("/dev/null", O_RDONLY | O_CLOEXEC);
  int fd = memfd_create("input", MFD_CLOEXEC);
  int why = fd < 0 ? errno : psp_write_all(fd, text, strlen(text));
  if (why == 0) {
    lseek(fd, 0, SEEK_SET);
  } else if (fd >= 0) {
    close(fd);
    fd = -1;
  }
  errno = why;
  return fd;
}

static int spawn(const psp_command *command, int input, int output, pid_t *child) {
  char path[PATH_MAX];
  if (!find(command->argv[0], command->folders, path)) return ENAMETOOLONG;
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attr;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, 0);
  posix_spawn_file_actions_adddup2(&files, output, 1);
  posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_init(&attr);
  sigset_t none, standard;
  sigemptyset(&none);
  sigemptyset(&standard);
  sigaddset(&standard, SIGPIPE);
  sigaddset(&standard, SIGINT);
  sigaddset(&standard, SIGTERM);
  posix_spawnattr_setsigmask(&attr, &none);
  posix_spawnattr_setsigdefault(&attr, &standard);
  posix_spawnattr_setpgroup(&attr, 0);
  posix_spawnattr_setflags(&attr,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  /* The casts: POSIX promises not to change what they point to. */
  int cause = posix_spawnp(child, path, &files, &attr, (char *const *)(uintptr_t)command->argv,
                           (char *const *)(uintptr_t)command->env);
  posix_spawnattr_destroy(&attr);
  posix_spawn_file_actions_destroy(&files);
  return cause;
}

/* Reads until the end of the output. 0, ETIMEDOUT, EFBIG, ENOMEM or errno. */
static int read_output(int fd, int64_t deadline_ns, size_t max, psp_secret *out) {
  for (;;) {
    int64_t left = deadline_ns - psprobe_clock_monotonic();
    if (left <= 0) return ETIMEDOUT;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    int ready = poll(&readable, 1, (int)(left / 1000000) + 1);
    if (ready < 0 && errno != EINTR) return errno;
    if (ready <= 0) continue;
    if (!psp_secret_reserve(out, 4096)) return ENOMEM;
    ssize_t got = read(fd, out->data + out->len, 4096);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    out->data[out->len + (size_t)got] = 0;
    if (got == 0) return 0;
    out->len += (size_t)got;
    if (out->len > max) return EFBIG;
  }
}

/* Waits for the exit; past the deadline it is killed, with all that it started. 0 or ETIMEDOUT. */
static int reap(pid_t child, int64_t deadline_ns, int *status) {
  int result = 0, raw = 0;
  for (;;) {
    pid_t got = waitpid(child, &raw, result == 0 ? WNOHANG : 0);
    if (got == child) break;
    if (got < 0 && errno != EINTR) return errno; /* the program ignores SIGCHLD: no status for us */
    if (got == 0 && psprobe_clock_monotonic() >= deadline_ns) {
      kill(-child, SIGKILL);
      result = ETIMEDOUT;
    } else if (got == 0) {
      /* Its output has ended, so it is as good as over. */
      nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
  }
  *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  return result;
}

static psprobe_code fail_run(const char *program, int cause, psprobe_error *error) {
  psprobe_code code = cause == ENOENT      ? PSPROBE_NOT_FOUND
                      : cause == EACCES    ? PSPROBE_PERMISSION_DENIED
                      : cause == ETIMEDOUT ? PSPROBE_DEADLINE_EXCEEDED
                      : cause == ENOMEM    ? PSPROBE_RESOURCE_EXHAUSTED
                      : cause == EFBIG     ? PSPROBE_RESOURCE_EXHAUSTED
                                           : PSPROBE_INTERNAL;
  const char *why = cause == ETIMEDOUT ? "it did not end in time and was killed"
                    : cause == EFBIG   ? "its output is too large"
                                       : strerror(cause);
  return psp_fail(error, code, "run %s: %s", program, why);
}

psprobe_code psp_command_run(const psp_command *command, psp_secret *out, int *status,
                             psprobe_error *error) {
  int64_t deadline_ns = psprobe_clock_monotonic() + command->timeout_ns;
  const char *name = command->argv[0];
  int pipe_fds[2], input = open_input(command->input);
  if (input < 0) return fail_run(name, errno, error);
  int cause = pipe2(pipe_fds, O_CLOEXEC) != 0 ? errno : 0;
  if (cause != 0) {
    close(input);
    return fail_run(name, cause, error);
  }
  pid_t child;
  cause = spawn(command, input, pipe_fds[1], &child);
  close(input);
  close(pipe_fds[1]);
  if (cause == 0) {
    cause = read_output(pipe_fds[0], deadline_ns, command->max_output, out);
    /* Now, and before it is reaped: by its number its group is found, also when it has ended itself
     * and left somebody behind. */
    if (cause != 0) kill(-child, SIGKILL);
    int late = reap(child, deadline_ns, status);
    if (cause == 0) cause = late;
  }
  close(pipe_fds[0]);
  return cause == 0 ? PSPROBE_OK : fail_run(name, cause, error);
}

/* One word from `p` to `out`, its quotes dropped; false: a quote without end. */
static bool split_word(const char **p, char **out) {
  bool quoted = false;
  for (; **p != 0 && (quoted || **p != ' '); (*p)++) {
    if (**p == '"')
      quoted = !quoted;
    else
      *(*out)++ = **p;
  }
  *(*out)++ = 0;
  return !quoted;
}

char **psp_command_split(const char *command) {
  size_t len = strlen(command);
  size_t most = len / 2 + 2; /* words, and the NULL at the end */
  char **words = malloc(most * sizeof *words + len + most);
  if (words == NULL) return NULL;
  char *out = (char *)(words + most);
  size_t count = 0;
  bool good = true;
  for (;;) {
    while (*command == ' ')
      command++;
    if (*command == 0 || !good) break;
    words[count++] = out;
    good = split_word(&command, &out);
  }
  words[count] = NULL;
  if (good && count > 0 && words[0][0] != 0) return words;
  free(words);
  return NULL;
}
