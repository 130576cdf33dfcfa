/* SPDX-License-Identifier: MIT */
#include "os/file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"
#include "scratch.h"

static void holds(const char *path, const char *text) {
  psp_buf file = test_file(path);
  assert_string_equal(file.data, text);
  psp_buf_free(&file);
}

static void write_whole(const char *path, const char *text) {
  psp_new_file file;
  assert_int_equal(psp_new_file_begin(&file, path), 0);
  assert_int_equal(psp_new_file_end(&file, text, strlen(text)), 0);
  holds(path, text);
}

/* Until its end there is the old one, and whoever has that open keeps it. */
static void test_nobody_sees_half_of_it(void **state) {
  const char *path = scratch_file(state, "a");
  psp_new_file file;
  write_whole(path, "old");
  assert_int_equal(psp_new_file_begin(&file, path), 0);
  holds(path, "old");
  assert_int_equal(psp_new_file_end(&file, "new", 3), 0);
  holds(path, "new");
  struct stat made;
  mode_t mask = umask(0);
  umask(mask);
  assert_int_equal(stat(path, &made), 0);
  assert_int_equal(made.st_mode & 0777, 0666 & ~mask);
}

/* What somebody has closed to others stays closed. */
static void test_the_mode_of_before(void **state) {
  const char *path = scratch_file(state, "a");
  struct stat made;
  write_whole(path, "old");
  assert_int_equal(chmod(path, 0600), 0);
  write_whole(path, "new");
  assert_int_equal(stat(path, &made), 0);
  assert_int_equal(made.st_mode & 0777, 0600);
}

static void test_dropped(void **state) {
  const char *path = scratch_file(state, "a");
  psp_new_file file;
  assert_int_equal(psp_new_file_begin(&file, path), 0);
  char part[512];
  strcpy(part, file.part.data);
  assert_int_equal(access(part, F_OK), 0);
  psp_new_file_drop(&file);
  assert_int_equal(access(part, F_OK), -1);
  assert_int_equal(access(path, F_OK), -1);
}

static void test_a_link_is_replaced(void **state) {
  const char *theirs = scratch_file(state, "theirs"), *path = scratch_file(state, "link");
  write_whole(theirs, "theirs");
  assert_int_equal(symlink("theirs", path), 0);
  write_whole(path, "mine");
  holds(theirs, "theirs");
}

static void test_failures(void **state) {
  psp_new_file file;
  psprobe_error error;
  const char *nowhere = scratch_file(state, "none/a"), *folder = scratch_file(state, "folder");
  assert_int_equal(psp_new_file_begin(&file, nowhere), ENOENT);
  psp_new_file_drop(&file);
  assert_int_equal(psp_write_fail("x/y", ENOENT, &error), PSPROBE_NOT_FOUND);
  assert_string_equal(error.message, "write x/y: No such file or directory");
  assert_int_equal(psp_write_fail("x", EACCES, NULL), PSPROBE_PERMISSION_DENIED);
  assert_int_equal(psp_write_fail("x", EROFS, NULL), PSPROBE_PERMISSION_DENIED);
  assert_int_equal(psp_write_fail("x", ENOSPC, NULL), PSPROBE_UNAVAILABLE);
  /* What stands in its place cannot be replaced: nothing is left behind. */
  assert_int_equal(mkdir(folder, 0700), 0);
  assert_int_equal(psp_new_file_begin(&file, folder), 0);
  char part[512];
  strcpy(part, file.part.data);
  assert_int_equal(psp_new_file_end(&file, "x", 1), EISDIR);
  assert_int_equal(access(part, F_OK), -1);
  assert_int_equal(rmdir(folder), 0);
  assert_int_equal(psp_write_all(-1, "x", 1), EBADF);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
  const struct CMUnitTest tests[] = {
      TEST(test_nobody_sees_half_of_it), TEST(test_the_mode_of_before), TEST(test_dropped),
      TEST(test_a_link_is_replaced),     TEST(test_failures),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
