/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/cli.h>

static char folder[] = "/tmp/psprobe-output-XXXXXX";

static void write_to(const char *path, const char *text) {
  psprobe_error error = {0};
  if (psprobe_cli_put(strdup(text), path, &error) != PSPROBE_OK) fail_msg("%s", error.message);
}

static void holds(const char *path, const char *text) {
  char got[64] = "";
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  assert_true(fgets(got, sizeof got, file) != NULL);
  fclose(file);
  assert_string_equal(got, text);
}

static mode_t kind_of(const char *path) {
  struct stat info;
  assert_int_equal(lstat(path, &info), 0);
  return info.st_mode & S_IFMT;
}

/* What stands in a text that a program says gives no orders to a terminal. */
static void test_printed(void **state) {
  char got[256] = "";
  (void)state;
  FILE *file = tmpfile();
  assert_non_null(file);
  psprobe_cli_print(file, "results: %s\n(%s)\n", "a\x1b[2J\rb\x07", "\xff \xE2\x80\xAE \xC3\xA9");
  rewind(file);
  got[fread(got, 1, sizeof got - 1, file)] = '\0';
  fclose(file);
  assert_string_equal(got, "results: a\\x1B[2J\\x0Db\\x07\n(\\xFF \\xE2\\x80\\xAE \xC3\xA9)\n");
}

static void test_files(void **state) {
  (void)state;
  write_to("page", "one");
  FILE *open_still = fopen("page", "r");
  write_to("page", "two");
  holds("page", "two");
  char old[8] = "";
  assert_non_null(fgets(old, sizeof old, open_still)); /* a reader keeps what it has opened */
  assert_string_equal(old, "one");
  fclose(open_still);
  assert_int_equal(access("page.part", F_OK), -1);
}

static void test_links_stay(void **state) {
  (void)state;
  write_to("real", "one");
  assert_int_equal(symlink("real", "link"), 0);
  write_to("link", "two");
  assert_int_equal(kind_of("link"), S_IFLNK);
  holds("real", "two");
}

/* It is written to, not replaced: `--html /dev/stdout`, or a pipe that somebody reads. */
static void test_pipes_stay(void **state) {
  (void)state;
  assert_int_equal(mkfifo("pipe", 0600), 0);
  int end = open("pipe", O_RDONLY | O_NONBLOCK);
  assert_true(end >= 0);
  write_to("pipe", "hello");
  char got[16] = "";
  assert_int_equal(read(end, got, sizeof got), 5);
  assert_string_equal(got, "hello");
  assert_int_equal(kind_of("pipe"), S_IFIFO);
  close(end);
}

static void test_refused(void **state) {
  (void)state;
  psprobe_error error = {0};
  assert_int_equal(psprobe_cli_put(strdup("x"), "nowhere/page", &error), PSPROBE_NOT_FOUND);
  assert_non_null(strstr(error.message, "nowhere/page: No such file"));
  assert_int_not_equal(psprobe_cli_put(strdup("x"), ".", &error), PSPROBE_OK);
  assert_non_null(strstr(error.message, "Is a directory"));
  assert_int_equal(psprobe_cli_put(NULL, "page", &error), PSPROBE_RESOURCE_EXHAUSTED);
}

static int enter(void **state) {
  (void)state;
  return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave(void **state) {
  (void)state;
  static const char *const names[] = {"page", "real", "link", "pipe"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    unlink(names[i]);
  return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_printed),    cmocka_unit_test(test_files),
      cmocka_unit_test(test_links_stay), cmocka_unit_test(test_pipes_stay),
      cmocka_unit_test(test_refused),
  };
  return cmocka_run_group_tests(tests, enter, leave);
}
