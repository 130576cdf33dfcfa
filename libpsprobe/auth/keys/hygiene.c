/* SPDX-License-Identifier: MIT */
#include "auth/keys/hygiene.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/printable.h"
#include "base/shown.h"

#define MAX_FILE ((size_t)256 * 1024)

/* What stands in the place of a file's name; NULL: one may. */
static const char *what_instead(const char *text) {
  const char *kind = psp_secret_kind(text);
  if (kind != NULL && strstr(kind, "encoded") != NULL && access(text, F_OK) == 0) return NULL;
  if (kind == NULL && strstr(text, "://") != NULL) kind = "a URL";
  if (kind == NULL && !psp_printable(text, strlen(text)))
    kind = "a line break or another character that cannot be seen";
  return kind;
}

psprobe_code psp_key_path_check(const char *path, psprobe_error *error) {
  const char *what = what_instead(path);
  if (what == NULL) return PSPROBE_OK;
  return psp_fail(
      error, PSPROBE_INVALID_ARGUMENT,
      "it holds %s, not a file's name: put a key into a file of mode 0600 and name that", what);
}

static psprobe_code fail_open(const char *path, int cause, psprobe_error *error) {
  psprobe_code code = cause == ENOENT || cause == ENOTDIR ? PSPROBE_NOT_FOUND
                      : cause == EACCES                   ? PSPROBE_PERMISSION_DENIED
                                                          : PSPROBE_INVALID_ARGUMENT;
  return psp_fail(error, code, "credentials file %s: %s", path, strerror(cause));
}

static psprobe_code read_all(int fd, const char *path, psp_secret *text, psprobe_error *error) {
  for (;;) {
    if (!psp_secret_reserve(text, 8192)) return psp_fail_memory(error, "credentials file");
    ssize_t got = read(fd, text->data + text->len, 8192);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_open(path, errno, error);
    if (got == 0) break;
    text->len += (size_t)got;
    if (text->len > MAX_FILE)
      return psp_fail(error, PSPROBE_INVALID_ARGUMENT,
                      "credentials file %s: larger than 256 KiB, so it is none", path);
  }
  if (text->len == 0)
    return psp_fail(error, PSPROBE_INVALID_ARGUMENT, "credentials file %s: it is empty", path);
  text->data[text->len] = 0;
  return PSPROBE_OK;
}

psprobe_code psp_key_file_read(const char *path, psp_secret *text, psp_key_seen *seen,
                               psprobe_error *error) {
  /* O_NONBLOCK: a FIFO in its place must not hang us. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return fail_open(path, errno, error);
  struct stat found = {0};
  psprobe_code code = PSPROBE_OK;
  if (fstat(fd, &found) != 0)
    code = fail_open(path, errno, error);
  else if (!S_ISREG(found.st_mode))
    code = psp_fail(error, PSPROBE_INVALID_ARGUMENT, "credentials file %s: it is %s, not a file",
                    path, S_ISDIR(found.st_mode) ? "a directory" : "a device or pipe");
  if (code == PSPROBE_OK) code = read_all(fd, path, text, error);
  *seen = (psp_key_seen){.mode = found.st_mode & 07777, .names = found.st_nlink};
  close(fd);
  return code;
}

psprobe_code psp_hygiene_check(const char *path, const psp_key_seen *seen, psprobe_error *error) {
  if ((seen->mode & 077) != 0)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "credentials file %s holds a secret and is open to other users (mode %04o): "
                    "chmod 600 it; better, use none: gcloud auth application-default login "
                    "--impersonate-service-account=ACCOUNT (--allow-unsafe-key overrides)",
                    path, (unsigned)seen->mode);
  if (seen->names > 1)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "credentials file %s holds a secret and has %ju names (hard links), of which "
                    "another may lie in a git work tree or where others can read it: cp -p it to a "
                    "file of its own (--allow-unsafe-key overrides)",
                    path, (uintmax_t)seen->names);
  char tree[300];
  switch (psp_git_check(path, tree, sizeof tree)) {
    case PSP_GIT_EXPOSED:
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "credentials file %s holds a secret and lies in the git work tree %s, where "
                      "git does not ignore it: move it out, or add it to .gitignore (git rm "
                      "--cached it, if it is tracked, and make a new key) (--allow-unsafe-key "
                      "overrides)",
                      path, tree);
    case PSP_GIT_UNKNOWN:
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "credentials file %s holds a secret and lies in the git work tree %s, and "
                      "git could not be asked whether it ignores it: move it out "
                      "(--allow-unsafe-key overrides)",
                      path, tree);
    default:
      return PSPROBE_OK;
  }
}
