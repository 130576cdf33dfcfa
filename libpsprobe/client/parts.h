/* SPDX-License-Identifier: MIT */
#ifndef PSP_CLIENT_PARTS_H
#define PSP_CLIENT_PARTS_H
/** @file What client.c and call.c share. */
#include <pthread.h>
#include <stdbool.h>

#include "auth/credentials.h"
#include "client/call.h"
#include "grpc/channel.h"
#include "os/timer.h"

/** What calls have shown of an endpoint. */
typedef struct psp_grpc_known {
  bool spoken, foreign; /**< gRPC: by somebody there; by nobody, for sure */
  unsigned doubts;
} psp_grpc_known;

struct psprobe_client {
  char *project; /* NULL until it is known */
  char *database;
  char *base[PSP_SERVICE_COUNT]; /* without a slash at the end; NULL: Google's */
  bool emulator[PSP_SERVICE_COUNT];
  int64_t timeout_ns;
  psprobe_logger logger;
  psprobe_credentials *credentials;     /* of the calls; NULL: emulators only */
  psprobe_credentials *own_credentials; /* NULL: they were given */
  psp_http *http;
  psp_timers *timers;
  char *ca_file; /* NULL: the system's */

  /* Guards what follows, `project`, and the state of every call. Held for a few instructions. */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned active;  /* calls that live */
  unsigned sending; /* threads that are handing a request to http just now */
  bool closing;
  psp_channel *channel[PSP_SERVICE_COUNT][2]; /* made when first called by gRPC; [1]: apart */
  psp_grpc_known grpc[PSP_SERVICE_COUNT];
};

/**
 * The URL of a path of the service's API, in `room` when it fits, else allocated; NULL: no memory.
 * Made for each attempt: which universe's hosts are meant is known once there is a token.
 */
char *psp_client_url(const psprobe_client *client, psp_service service, const char *path,
                     char *room, size_t size);

/** What an answer that is no 2xx means: psp_status_parse, and what its head says. `token`: the
 * request carried one. Looks at the clock. */
void psp_status_read(const psp_http_response *response, bool token, const char *what,
                     psprobe_error *outcome);

/** "host:port" and nothing else, as the emulator variables hold it. `why`: the rule it breaks. */
bool psp_emulator_host_check(const char *text, const char **why);
/** A project id that can be one, at Google or at an emulator. */
bool psp_project_check(const char *text, const char **why);
bool psp_database_check(const char *text, const char **why);
/** A base URL: https (http on loopback only: tokens go there), without query. */
bool psp_endpoint_check(const char *text, const char **why);

#endif
