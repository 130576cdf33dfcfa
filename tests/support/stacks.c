/* SPDX-License-Identifier: MIT */
/** @file A test that gets SIGALRM prints its threads' backtraces; tests/run.sh sends it to one that
 * hangs. */
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_flag told = ATOMIC_FLAG_INIT, printing = ATOMIC_FLAG_INIT;

/* Not opendir, which allocates: what hangs may hold the allocator's lock. */
static void tell_others(void) {
  struct entry {
    uint64_t inode;
    int64_t next;
    unsigned short size;
    unsigned char type;
    char name[];
  };
  _Alignas(struct entry) char entries[4096];
  int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  long len;
  while (fd >= 0 && (len = syscall(SYS_getdents64, fd, entries, sizeof entries)) > 0)
    for (long at = 0; at < len; at += ((struct entry *)(entries + at))->size) {
      int tid = atoi(((struct entry *)(entries + at))->name);
      if (tid > 0 && tid != gettid()) tgkill(getpid(), tid, SIGALRM);
    }
  if (fd >= 0) close(fd);
}

static void print_stack(int signal) {
  (void)signal;
  bool first = !atomic_flag_test_and_set(&told);
  if (first) tell_others();
  while (atomic_flag_test_and_set(&printing))
    continue;
  char name[32] = "thread ";
  prctl(PR_GET_NAME, name + 7);
  size_t len = 0;
  while (name[len] != '\0')
    len++;
  name[len] = '\n';
  (void)!write(STDERR_FILENO, name, len + 1);
  void *frames[64];
  backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
  atomic_flag_clear(&printing);
  if (!first) return;
  sleep(1); /* the others print, and what the signal woke must not end as if all were well */
  _exit(128 + SIGALRM);
}

__attribute__((constructor)) static void take_alarm(void) {
  void *frame[1];
  backtrace(frame, 1); /* loads what it needs now, not in the handler */
  sigaction(SIGALRM, &(struct sigaction){.sa_handler = print_stack, .sa_flags = SA_RESTART}, NULL);
}
