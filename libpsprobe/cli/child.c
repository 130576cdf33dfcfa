/* SPDX-License-Identifier: MIT */
/** @file Programs that a program of ours starts: local's processes, made public. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <psprobe/process.h>
#include <psprobe/timing.h>

#include "base/error.h"
#include "os/process.h"

struct psprobe_child {
  psp_process process;
};

psprobe_code psprobe_child_new(const char *const *argv, const char *const *extra_env,
                               psprobe_child **child, psprobe_error *error) {
  psprobe_child *made = calloc(1, sizeof *made);
  if (made == NULL) return psp_fail_memory(error, argv[0]);
  psprobe_code code = psp_process_start(&made->process, argv, extra_env, false, error);
  if (code == PSPROBE_OK)
    *child = made;
  else
    free(made);
  return code;
}

psprobe_code psprobe_child_wait_line(psprobe_child *child, const char *prefix, int64_t timeout_ns,
                                     char *line, size_t size, psprobe_error *error) {
  return psp_process_wait_line(&child->process, prefix, psprobe_clock_monotonic() + timeout_ns,
                               line, size, error);
}

int psprobe_child_stop(psprobe_child *child, int64_t patience_ns) {
  return psp_process_stop(&child->process, patience_ns);
}

void psprobe_child_free(psprobe_child *child) {
  if (child == NULL) return;
  psp_process_stop(&child->process, 5000000000LL);
  free(child);
}

psprobe_code psprobe_program_path(const char *name, char *path, size_t size, psprobe_error *error) {
  char self[4096];
  ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
  if (len <= 0)
    return psp_fail(error, PSPROBE_NOT_FOUND, "find %s: /proc/self/exe cannot be read", name);
  self[len] = '\0';
  *strrchr(self, '/') = '\0';
  /* Built, it is beside us under its own name; installed, as psprobe-NAME. */
  static const char *const prefixes[] = {"psprobe-", ""};
  for (size_t i = 0; i < 2; i++) {
    int n = snprintf(path, size, "%s/%s%s", self, prefixes[i], name);
    if (n > 0 && (size_t)n < size && access(path, X_OK) == 0) return PSPROBE_OK;
  }
  return psp_fail(error, PSPROBE_NOT_FOUND, "find %s: it is not in %s", name, self);
}

/* As this program was called, so the other can be. */
const char *psprobe_program_command(const char *name, char *command, size_t size) {
  const char *called = program_invocation_name, *slash = strrchr(called, '/');
  size_t folder = slash != NULL ? (size_t)(slash + 1 - called) : 0;
  if (strncmp(called + folder, "psprobe-", 8) == 0)
    snprintf(command, size, "psprobe-%s", name);
  else
    snprintf(command, size, "%.*s%s", (int)folder, called, name);
  return command;
}
