/* SPDX-License-Identifier: MIT */
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <psprobe/timing.h>

#include "base/error.h"
#include "base/text.h"
#include "os/limit.h"

/* Our environment with `extra` in front of what it replaces. One block; NULL without memory. */
static char **environment(const char *const *extra) {
  size_t ours = 0, more = 0, n = 0;
  while (environ[ours] != NULL)
    ours++;
  while (extra != NULL && extra[more] != NULL)
    more++;
  char **all = calloc(ours + more + 1, sizeof *all);
  if (all == NULL) return NULL;
  for (size_t i = 0; i < more; i++)
    all[n++] = (char *)extra[i];
  for (size_t i = 0; i < ours; i++) {
    size_t name = strcspn(environ[i], "=") + 1;
    bool replaced = false;
    for (size_t k = 0; k < more; k++)
      replaced |= strncmp(extra[k], environ[i], name) == 0;
    if (!replaced) all[n++] = environ[i];
  }
  return all;
}

/* In the child, between fork and exec: async-signal-safe calls only. */
static _Noreturn void become(const char *const *argv, char **env, const int output[2], int report,
                             pid_t parent) {
  sigset_t none;
  sigemptyset(&none);
  for (int number = 1; number < NSIG; number++)
    signal(number, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  psp_limit_files_restore();
  setpgid(0, 0);
  int nowhere = open("/dev/null", O_RDONLY);
  bool ok = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && nowhere >= 0 && dup2(nowhere, 0) == 0 &&
            dup2(output[0], 1) == 1 && (output[1] < 0 || dup2(output[1], 2) == 2);
#ifdef SYS_close_range
  /* Sockets and files of ours that are open without close-on-exec (libcurl's, the program's own).
   */
  syscall(SYS_close_range, 3u, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */);
#endif
  /* We may have died before PDEATHSIG was set. */
  if (ok && getppid() == parent) execvpe(argv[0], (char *const *)argv, env);
  int why = errno;
  ssize_t told = write(report, &why, sizeof why);
  _exit(told == sizeof why ? 127 : 126);
}

/* Forks; `output` is for its standard output and error (-1: ours); `*why` receives the errno of an
 * exec that failed, 0 otherwise. */
static pid_t spawn(const char *const *argv, char **env, const int output[2], int *why) {
  int report[2];
  *why = 0;
  if (pipe2(report, O_CLOEXEC) != 0) {
    *why = errno;
    return -1;
  }
  pid_t parent = getpid();
  pid_t pid = fork();
  if (pid == 0) become(argv, env, output, report[1], parent);
  if (pid < 0) *why = errno;
  close(report[1]);
  ssize_t got = 0;
  if (pid > 0) do {
      got = read(report[0], why, sizeof *why);
    } while (got < 0 && errno == EINTR);
  close(report[0]);
  if (pid > 0 && got == sizeof *why) {
    waitpid(pid, NULL, 0);
    return -1;
  }
  *why = pid < 0 ? *why : 0;
  return pid;
}

psprobe_code psp_process_start(psp_process *process, const char *const *argv,
                               const char *const *extra_env, bool errors_too,
                               psprobe_error *error) {
  int output[2], why = 0;
  *process = (psp_process){.output = -1};
  char **env = environment(extra_env);
  if (env == NULL) return psp_fail_memory(error, argv[0]);
  if (pipe2(output, O_CLOEXEC) != 0) {
    free(env);
    return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "start %s: %s", argv[0], strerror(errno));
  }
  const int ends[2] = {output[1], errors_too ? output[1] : -1};
  pid_t pid = spawn(argv, env, ends, &why);
  free(env);
  close(output[1]);
  if (pid < 0) {
    close(output[0]);
    psprobe_code code = why == ENOENT   ? PSPROBE_NOT_FOUND
                        : why == EACCES ? PSPROBE_PERMISSION_DENIED
                                        : PSPROBE_RESOURCE_EXHAUSTED;
    return psp_fail(error, code, "start %s: %s", argv[0], strerror(why));
  }
  fcntl(output[0], F_SETFL, O_NONBLOCK);
  process->pid = pid;
  process->output = output[0];
  return PSPROBE_OK;
}

psprobe_code psp_process_wait_line(psp_process *process, const char *prefix, int64_t until_ns,
                                   char *line, size_t size, psprobe_error *error) {
  size_t len = 0;
  for (;;) {
    char c;
    ssize_t got = read(process->output, &c, 1);
    if (got == 1 && c != '\n') {
      if (len + 1 < size) line[len++] = c;
      continue;
    }
    if (got == 1) {
      line[len] = '\0';
      len = 0;
      if (psp_text_starts(line, prefix)) return PSPROBE_OK;
      continue;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
      return psp_fail(error, PSPROBE_UNAVAILABLE, "the program ended before it printed '%s…'",
                      prefix);
    int64_t left = until_ns - psprobe_clock_monotonic();
    struct pollfd ready = {.fd = process->output, .events = POLLIN};
    if (left <= 0 || poll(&ready, 1, (int)(left / 1000000) + 1) == 0)
      return psp_fail(error, PSPROBE_DEADLINE_EXCEEDED, "the program did not print '%s…' in time",
                      prefix);
  }
}

static void reaped(psp_process *process, int status) {
  process->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  process->pid = 0;
  if (process->output >= 0) close(process->output);
  process->output = -1;
}

int psp_process_handle(const psp_process *process) {
  return (int)syscall(SYS_pidfd_open, process->pid, 0);
}

int psp_process_ended(psp_process *process) {
  int status;
  if (process->pid > 0 && waitpid(process->pid, &status, WNOHANG) == process->pid)
    reaped(process, status);
  return process->pid == 0;
}

/* Waits for its end until `until_ns`. */
static bool wait_end(psp_process *process, int64_t until_ns) {
  int handle = psp_process_handle(process);
  while (!psp_process_ended(process)) {
    int64_t left = until_ns - psprobe_clock_monotonic();
    if (left <= 0) break;
    int ms = (int)(left / 1000000) + 1;
    struct pollfd ready = {.fd = handle, .events = POLLIN};
    /* Without pidfds (a kernel before 5.3) we look every 5 ms. */
    poll(&ready, handle >= 0, handle >= 0 ? ms : 5);
  }
  if (handle >= 0) close(handle);
  return process->pid == 0;
}

int psp_process_stop(psp_process *process, int64_t patience_ns) {
  if (process->pid == 0) return process->status;
  kill(process->pid, SIGTERM);
  if (!wait_end(process, psprobe_clock_monotonic() + patience_ns)) {
    int status;
    kill(process->pid, SIGKILL);
    while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) {
    }
    reaped(process, status);
  }
  return process->status;
}
