/* SPDX-License-Identifier: MIT */
#ifndef TEST_FUNCTION_STAGE_H
#define TEST_FUNCTION_STAGE_H
/**
 * @file
 * A stand-in whose functions are the test's own executable, started anew: so each test program is
 * both who sends events and who answers them.
 *
 * How it is a function, by its second argument: "plain" picks a port and prints it; "port" listens
 * on PORT and is silent; "odd" prints others' addresses beside its own; "mute" never listens;
 * "broken" ends at once; "stopped" stops itself before it listens; "stubborn" does not heed
 * SIGTERM.
 *
 * What it does with an event, by words in the body: "die" ends it, "slow" says "at work" and takes
 * 200 ms, "freeze" says so and stops it until SIGCONT, "refuse" gives 418, "env NAME" tells a
 * variable, "header NAME" a header. Else it answers "pid invocation path?query type body". With
 * STAGE_LEDGER=FILE each event is written there, before it is answered, as "name invocation body".
 */
#include <pthread.h>
#include <stddef.h>

#include <psprobe/local.h>

#include "base/buf.h"

#define STAGE_MS INT64_C(1000000)

/** main's first statement: the exit status where this is to be a function; -1 where it is not. */
int stage_main(int argc, char **argv);

extern psprobe_local *stage_local;

/** cmocka's; teardown fails when a child is left. */
int stage_setup(void **state);
int stage_teardown(void **state);

/** Adds a function of that kind. @return its URL */
const char *stage_add(const char *how, psprobe_local_function_options options);
psprobe_local_function_stats stage_stats(void);
/** Waits until so many instances run; fails after thirty seconds. */
void stage_wait_running(int count);
/** Waits until a count of theirs is so high; fails after thirty seconds. */
#define stage_wait(field, least) \
  stage_wait_for(offsetof(psprobe_local_function_stats, field), least)
void stage_wait_for(size_t offset, uint64_t least);
/** Waits until this was logged, by the host or by an instance; fails after thirty seconds. */
void stage_wait_logged(const char *text);
/** What was logged so far, a line each. The caller's to free. */
psp_buf stage_log(void);

/** An event, sent by a call of its own, maybe on a thread of its own. */
typedef struct stage_call {
  pthread_t thread;
  const char *url, *body;
  int status, pid; /**< pid: who answered */
  char text[256];  /**< the answer's body, cut */
} stage_call;

/** Sends an event. @return the status; *pid (may be NULL) receives who answered */
int stage_event(const char *url, const char *body, int *pid);
void stage_call_begin(stage_call *call, const char *url, const char *body);
void stage_call_end(stage_call *call);
/** So many at once, to their end. */
void stage_call_all(stage_call *calls, int count, const char *url, const char *body);
/** "http://host:port/path" taken apart. @return host */
const char *stage_split(const char *url, char host[64], const char **path);

#endif
