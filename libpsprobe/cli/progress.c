/* SPDX-License-Identifier: MIT */
/** @file The progress line, shown by a thread of its own so that no work has to think of it. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <psprobe/cli.h>

#include "base/error.h"
#include "os/thread.h"
#include "os/wait.h"

#define TERMINAL_NS 100000000LL   /* ten times a second: smooth, and cheap */
#define PLAIN_NS    30000000000LL /* in a log file: now and then */

struct psprobe_progress {
  FILE *file;
  bool terminal;
  psprobe_progress_line *line;
  void *arg;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t ended;
  bool end;
};

static int terminal_width(FILE *file) {
  struct winsize size = {0};
  if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

/* Bytes of `line` that fill at most `columns`, never half a character. */
static int fit(const char *line, int columns) {
  int bytes = 0;
  for (; line[bytes] != '\0'; bytes++) {
    bool starts = ((unsigned char)line[bytes] & 0xC0) != 0x80;
    if (starts && columns-- == 0) break;
  }
  return bytes;
}

static void show(psprobe_progress *progress) {
  char line[512] = "";
  progress->line(progress->arg, line, sizeof line);
  if (progress->terminal) {
    fputs("\r", progress->file);
    psprobe_cli_print(progress->file, "%.*s", fit(line, terminal_width(progress->file) - 1), line);
    fputs("\x1b[K", progress->file);
  } else {
    psprobe_cli_print(progress->file, "%s\n", line);
  }
  fflush(progress->file);
}

static void *run(void *arg) {
  psprobe_progress *progress = arg;
  int64_t interval = progress->terminal ? TERMINAL_NS : PLAIN_NS;
  pthread_mutex_lock(&progress->lock);
  while (!progress->end) {
    int64_t next_ns = psprobe_clock_monotonic() + interval;
    while (!progress->end && psp_cond_wait_until(&progress->ended, &progress->lock, next_ns)) {
    }
    if (!progress->end) show(progress);
  }
  pthread_mutex_unlock(&progress->lock);
  if (progress->terminal) {
    fputs("\r\x1b[K", progress->file);
    fflush(progress->file);
  }
  return NULL;
}

static void discard(psprobe_progress *progress) {
  pthread_cond_destroy(&progress->ended);
  pthread_mutex_destroy(&progress->lock);
  free(progress);
}

psprobe_code psprobe_progress_new(FILE *file, psprobe_progress_line *line, void *arg,
                                  psprobe_progress **progress, psprobe_error *error) {
  psprobe_progress *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, "show progress");
  *made = (psprobe_progress){
      .file = file, .terminal = isatty(fileno(file)) == 1, .line = line, .arg = arg};
  pthread_mutex_init(&made->lock, NULL);
  psp_cond_init(&made->ended);
  if (!psp_thread_start(&made->thread, "psp-progress", run, made)) {
    discard(made);
    return psp_fail(error, PSPROBE_RESOURCE_EXHAUSTED, "show progress: no thread could be started");
  }
  *progress = made;
  return PSPROBE_OK;
}

void psprobe_progress_free(psprobe_progress *progress) {
  if (progress == NULL) return;
  pthread_mutex_lock(&progress->lock);
  progress->end = true;
  pthread_cond_broadcast(&progress->ended);
  pthread_mutex_unlock(&progress->lock);
  pthread_join(progress->thread, NULL);
  discard(progress);
}
