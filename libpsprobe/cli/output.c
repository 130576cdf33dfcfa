/* SPDX-License-Identifier: MIT */
/** @file Where a program's texts go: a terminal as it is, or a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <psprobe/cli.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/printable.h"
#include "base/text.h"
#include "os/file.h"

#define PRINTED_MAX 8192

/* A width that is told by the environment, as some terminals and people do. */
static int width_from_environment(void) {
  int64_t columns = 0;
  const char *text = getenv("COLUMNS");
  return text != NULL && psp_parse_int64(text, 1, 10000, &columns) ? (int)columns : 0;
}

/* The locale's characters were set to others than UTF-8; what is not set says nothing. */
static bool no_utf8(void) {
  static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
  const char *locale = NULL;
  for (size_t i = 0; i < 3 && (locale == NULL || locale[0] == '\0'); i++)
    locale = getenv(names[i]);
  if (locale == NULL || locale[0] == '\0') return false;
  return strcasestr(locale, "utf-8") == NULL && strcasestr(locale, "utf8") == NULL;
}

void psprobe_cli_print(FILE *file, const char *format, ...) {
  char text[PRINTED_MAX], shown[PRINTED_MAX];
  va_list arguments;
  va_start(arguments, format);
  if (vsnprintf(text, sizeof text, format, arguments) < 0) text[0] = '\0';
  va_end(arguments);
  psp_printable_lines(shown, sizeof shown, text);
  fputs(shown, file);
}

psprobe_text_options psprobe_cli_text_options(FILE *file, bool ascii) {
  psprobe_text_options options = {.ascii = ascii || no_utf8()};
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

static int write_special(const char *path, const char *text, size_t len) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return errno;
  int why = psp_write_all(file, text, len);
  return close(file) != 0 && why == 0 ? errno : why;
}

static int replace(const char *path, const char *text, size_t len) {
  psp_new_file file;
  int why = psp_new_file_begin(&file, path);
  if (why == 0) return psp_new_file_end(&file, text, len);
  psp_new_file_drop(&file);
  return why;
}

static int write_file(const char *path, const char *text, size_t len) {
  struct stat there;
  /* A pipe or a device is written to: another file in its place is never what is meant. */
  if (stat(path, &there) == 0 && !S_ISREG(there.st_mode)) return write_special(path, text, len);
  char *target = realpath(path, NULL); /* a link stays one; NULL: a new file */
  int why = replace(target != NULL ? target : path, text, len);
  free(target);
  return why;
}

psprobe_code psprobe_cli_put(char *text, const char *path, psprobe_error *error) {
  if (text == NULL) return psp_fail_memory(error, "output");
  bool out = path == NULL || strcmp(path, "-") == 0;
  int why = !out ? write_file(path, text, strlen(text))
            : fputs(text, stdout) == EOF || fflush(stdout) != 0 ? errno
                                                                : 0;
  free(text);
  return why == 0 ? PSPROBE_OK : psp_write_fail(out ? "standard output" : path, why, error);
}
