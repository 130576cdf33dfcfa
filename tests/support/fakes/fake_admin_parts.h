/* SPDX-License-Identifier: MIT */
#ifndef TEST_FAKE_ADMIN_PARTS_H
#define TEST_FAKE_ADMIN_PARTS_H
/** @file What the two files of the fake share: its state, a request, an answer. */
#include <pthread.h>
#include <stdbool.h>

#include "base/buf.h"
#include "fake_admin.h"
#include "http/server/server.h"

#define FAKE_ADMIN_SORTS  8
#define FAKE_ADMIN_THINGS 128
#define FAKE_ADMIN_FAULTS 16

typedef struct fake_admin_thing {
  char name[200];
  char *json;        /** NULL: a policy alone */
  char *policy;      /** NULL: none was set */
  unsigned etag;     /** of the policy */
  const char *state; /** of Cloud Run's */
} fake_admin_thing;

typedef struct fake_admin_operation {
  char name[200], target[200];
  const char *version;
  unsigned polls;
  bool deletes, fails;
  char *json; /** what is there when it is done; NULL: it is already */
} fake_admin_operation;

typedef struct fake_admin_fault {
  char part[200];
  unsigned times;
  int status;
  char body[600];
  bool done;
} fake_admin_fault;

struct fake_admin {
  psp_server *server;
  pthread_mutex_t lock;
  fake_admin_thing things[FAKE_ADMIN_THINGS];
  size_t count;
  fake_admin_operation operations[FAKE_ADMIN_THINGS];
  size_t operation_count;
  char off[8][64];
  size_t off_count;
  fake_admin_fault faults[FAKE_ADMIN_FAULTS];
  size_t fault_count;
  unsigned polls, fail_change, changes;
  bool fail_change_done;
  char fail_target[200], fail_message[200];
  int fail_code;
  psp_buf record, lines;
};

/** A kind of things: how its names and its version look, and whose they are. */
typedef struct fake_admin_sort {
  const char *list, *version, *api;
  bool located, slow;
} fake_admin_sort;

/** One request, taken apart. */
typedef struct fake_admin_request {
  const char *method, *version;
  char name[300], verb[32]; /** "projects/…", "setIamPolicy" */
  const char *query, *body;
  size_t body_len;
  const fake_admin_sort *sort;
  bool list; /** the name is a list's: something is to be made in it */
} fake_admin_request;

/** An answer to be. */
typedef struct fake_admin_reply {
  int status;
  psp_buf body;
} fake_admin_reply;

extern const fake_admin_sort fake_admin_sorts[FAKE_ADMIN_SORTS], fake_admin_project;

void fake_admin_refuse(fake_admin_reply *reply, int status, psprobe_code code, const char *message,
                       const char *reason);
fake_admin_thing *fake_admin_find(fake_admin *google, const char *name);
fake_admin_thing *fake_admin_need(fake_admin *google, const char *name);
bool fake_admin_is_off(const fake_admin *google, const char *api);
void fake_admin_put_shown(const fake_admin_thing *thing, bool conditions, psp_buf *out);
/** Answers a request whose sort is known; all with the lock held. */
void fake_admin_serve(fake_admin *google, const fake_admin_request *request,
                      fake_admin_reply *reply);

#endif
