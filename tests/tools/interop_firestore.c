/* SPDX-License-Identifier: MIT */
/**
 * @file
 * interop_firestore COMMAND…: writes interop/from_c, runs COMMAND with
 * "host:port" and project added, then checks interop/from_node, which the
 * command must have written. Against Google's emulator or the stand-in
 * (support/servers/target.h). Exit status as a test's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <psprobe/firestore.h>

#include "target.h"
#include "values.h"

static char **command;

static void run(const char *host, const char *project) {
  char *argv[16];
  int count = 0, status = 0;
  for (; command[count] != NULL && count < 12; count++)
    argv[count] = command[count];
  argv[count++] = (char *)(uintptr_t)host;
  argv[count++] = (char *)(uintptr_t)project;
  argv[count] = NULL;
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    execvp(argv[0], argv);
    perror(argv[0]);
    _exit(127);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

/* Google's Node client writes a whole number as an integer, whatever it was meant to be. */
static void as_node_writes(psprobe_value *fields) {
  psprobe_value_set(fields, "double_whole", psprobe_value_integer(3));
  psprobe_value_set(fields, "double_zero", psprobe_value_integer(0));
}

static void check_field_by_field(const psprobe_value *is, const psprobe_value *expected) {
  for (size_t i = 0; i < psprobe_value_count(expected); i++) {
    const char *key = NULL;
    const psprobe_value *value = psprobe_value_at(expected, i, &key);
    if (!psprobe_value_equal(psprobe_value_find(is, key), value)) fail_msg("%s is another", key);
  }
  assert_int_equal(psprobe_value_count(is), psprobe_value_count(expected));
}

static void each_reads_the_other(void **state) {
  (void)state;
  psprobe_client *client = test_target_client(TEST_FIRESTORE);
  const char *project = NULL;
  psprobe_error error = {0};
  psprobe_document *document = NULL;
  assert_int_equal(psprobe_client_project(client, &project, &error), PSPROBE_OK);
  psprobe_value *fields = test_every_type(project);
  if (psprobe_document_create(client, "interop", "from_c", fields, NULL, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  run(test_target_host(TEST_FIRESTORE), project);
  if (psprobe_document_get(client, "interop/from_node", NULL, &document, &error) != PSPROBE_OK)
    fail_msg("%s", error.message);
  as_node_writes(fields);
  check_field_by_field(psprobe_document_fields(document), fields);
  psprobe_document_free(document);
  psprobe_value_free(fields);
  psprobe_client_free(client);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: interop_firestore COMMAND...\n");
    return 2;
  }
  command = argv + 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_reads_the_other)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
