/* SPDX-License-Identifier: MIT */
/** @file Where a program's texts go: a terminal as it is, or a file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <psprobe/cli.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/text.h"

/** A width that is told by the environment, as some terminals and people do. */
static int width_from_environment(void) {
  int64_t columns = 0;
  const char *text = getenv("COLUMNS");
  return text != NULL && psp_parse_int64(text, 1, 10000, &columns) ? (int)columns : 0;
}

psprobe_text_options psprobe_cli_text_options(FILE *file, bool ascii) {
  psprobe_text_options options = {.ascii = ascii};
  struct winsize size = {0};
  bool terminal = isatty(fileno(file)) == 1;
  if (terminal && ioctl(fileno(file), TIOCGWINSZ, &size) == 0) options.width = size.ws_col;
  if (options.width == 0) options.width = width_from_environment();
  /* Into a file or a pipe the table stays a table. */
  if (options.width == 0) options.width = terminal ? 80 : 160;
  /* https://no-color.org: set and not empty means no colour. */
  const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
  bool wanted = no_color == NULL || no_color[0] == '\0';
  options.color = terminal && wanted && term != NULL && strcmp(term, "dumb") != 0;
  return options;
}

/* All of it, or why not. */
static int write_all(const char *path, const char *text, size_t len) {
  FILE *file = fopen(path, "wb");
  if (file == NULL) return errno;
  int why = fwrite(text, 1, len, file) == len ? 0 : errno;
  if (fclose(file) != 0 && why == 0) why = errno;
  return why;
}

/* Whoever has the old file open keeps it whole, and nobody sees half of the new one. */
static int replace(const char *path, const char *text, size_t len) {
  psp_buf part = {0};
  psp_buf_printf(&part, "%s.part", path);
  if (part.failed) return ENOMEM;
  int why = write_all(part.data, text, len);
  if (why == 0 && rename(part.data, path) != 0) why = errno;
  if (why != 0) unlink(part.data);
  psp_buf_free(&part);
  return why;
}

psprobe_code psprobe_cli_write_file(const char *path, const char *text, size_t len,
                                    psprobe_error *error) {
  struct stat there;
  /* A pipe or a device is written to: another file in its place is never what is meant. */
  bool special = stat(path, &there) == 0 && !S_ISREG(there.st_mode);
  char *target = special ? NULL : realpath(path, NULL); /* a link stays one; NULL: a new file */
  int why = special ? write_all(path, text, len) : replace(target ? target : path, text, len);
  free(target);
  if (why == 0) return PSPROBE_OK;
  return psp_fail(error,
                  why == EACCES || why == EROFS ? PSPROBE_PERMISSION_DENIED : PSPROBE_UNAVAILABLE,
                  "write %s: %s", path, strerror(why));
}
