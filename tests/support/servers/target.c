/* SPDX-License-Identifier: MIT */
#include "target.h"

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

#include <psprobe/local.h>

#include "base/id.h"
#include "os/random.h"

static const char *chosen;

const char *test_target(void) {
  const char *named = getenv("PSPROBE_TEST_TARGET");
  const char *target = chosen != NULL ? chosen : named != NULL && *named ? named : "google";
  if (strcmp(target, "google") != 0 && strcmp(target, "local") != 0) {
    fprintf(stderr, "PSPROBE_TEST_TARGET is google or local, not %s\n", target);
    exit(2);
  }
  return target;
}

static bool is_local(void) {
  return strcmp(test_target(), "local") == 0;
}

static psprobe_local *shared_local;

static void stop_shared_local(void) {
  psprobe_local_free(shared_local);
}

/* `listen`: of its Pub/Sub; NULL: anywhere. Never NULL. */
static psprobe_local *start_local(const char *listen) {
  psprobe_local_options options = {.pubsub_listen = listen};
  psprobe_local *local = NULL;
  psprobe_error error = {0};
  if (psprobe_local_new(&options, &local, &error) != PSPROBE_OK) {
    fprintf(stderr, "the stand-in does not start: %s\n", error.message);
    exit(1);
  }
  return local;
}

static int run(int (*suite)(void), const char *target) {
  fprintf(stderr, "---- on %s ----\n", target);
  fflush(NULL);
  pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    chosen = target;
    exit(suite());
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int test_on_targets(int (*suite)(void)) {
  static const char *const targets[] = {"local", "google"};
  const char *only = getenv("PSPROBE_TEST_TARGET");
  int result = 0;
  for (size_t i = 0; i < 2; i++) {
    if (only != NULL && *only && strcmp(test_target(), targets[i]) != 0) continue;
    int status = run(suite, targets[i]);
    if (status == 77 && result == 0) result = 77;
    if (status != 77 && status != 0) result = 1;
  }
  return result;
}

const char *test_target_host(test_service service) {
  if (!is_local()) return test_emulator_host(service);
  if (shared_local == NULL) {
    shared_local = start_local(NULL);
    atexit(stop_shared_local);
  }
  return service == TEST_PUBSUB ? psprobe_local_pubsub_host(shared_local)
                                : psprobe_local_firestore_host(shared_local);
}

const char *test_unique(char out[64], const char *prefix) {
  char id[PSP_ID_SIZE];
  assert_true(psp_id_new(id));
  snprintf(out, 64, "%s-%.12s", prefix, id);
  return out;
}

psprobe_client *test_target_client(test_service service) {
  static const char nowhere[] = "127.0.0.1:1";
  char project[64];
  psprobe_client *client = NULL;
  psprobe_error error = {0};
  psprobe_client_options options = {
      .project = test_unique(project, "test"),
      .pubsub_emulator = service == TEST_PUBSUB ? test_target_host(service) : nowhere,
      .firestore_emulator = service == TEST_FIRESTORE ? test_target_host(service) : nowhere};
  if (psprobe_client_new(&options, &client, &error) != PSPROBE_OK) fail_msg("%s", error.message);
  return client;
}

struct test_broker {
  test_emulator *emulator; /* one of the two */
  psprobe_local *local;
};

test_broker *test_broker_start(int port) {
  test_broker *broker = calloc(1, sizeof *broker);
  char listen[32];
  assert_non_null(broker);
  snprintf(listen, sizeof listen, "127.0.0.1:%d", port);
  if (is_local())
    broker->local = start_local(listen);
  else
    broker->emulator = test_emulator_start(TEST_PUBSUB, port);
  return broker;
}

const char *test_broker_address(const test_broker *broker) {
  return broker->local != NULL ? psprobe_local_pubsub_host(broker->local)
                               : test_emulator_address(broker->emulator);
}

int test_broker_port(const test_broker *broker) {
  return atoi(strrchr(test_broker_address(broker), ':') + 1);
}

void test_broker_stop(test_broker *broker) {
  if (broker->local == NULL) test_emulator_stop(broker->emulator);
  psprobe_local_free(broker->local);
  free(broker);
}
