/* SPDX-License-Identifier: MIT */
#ifndef TEST_FAKE_ADMIN_H
#define TEST_FAKE_ADMIN_H
/**
 * @file
 * What Google has of a project, as far as setup changes it, on one loopback port: Service Usage v1,
 * IAM v1, Resource Manager v3, Pub/Sub v1, Firestore v1 admin, Cloud Run v2, Eventarc v1. Things
 * are kept under their names ("projects/demo-project/topics/probes"), policies with etags,
 * operations take time, and anything can be made to fail. The project is demo-project, number
 * 123456789012; another is not there. Calls without a token get 401, those of an API that is off
 * 403.
 */
#include <stdbool.h>
#include <stddef.h>

typedef struct fake_admin fake_admin;

#define FAKE_ADMIN_PROJECT "demo-project"
#define FAKE_ADMIN_NUMBER  "123456789012"

/** All APIs are on, and nothing is there. */
fake_admin *fake_admin_start(void);
void fake_admin_stop(fake_admin *google);
const char *fake_admin_url(const fake_admin *google);

/** Turns an API off: "run.googleapis.com". */
void fake_admin_turn_off(fake_admin *google, const char *api);
/** Puts a thing there, as somebody else would. `json`: an object. */
void fake_admin_put(fake_admin *google, const char *name, const char *json);
void fake_admin_put_policy(fake_admin *google, const char *name, const char *json);
/** A thing, or a policy, as JSON, to free(); NULL: it is not there. */
char *fake_admin_get(fake_admin *google, const char *name);
char *fake_admin_get_policy(fake_admin *google, const char *name);
/** How many things are there whose names hold `part`. */
size_t fake_admin_count(fake_admin *google, const char *part);

/** How often an operation is looked at before it is done; 0: it is at once. */
void fake_admin_set_polls(fake_admin *google, unsigned polls);
/**
 * The next `times` requests whose line ("POST /v2/… ") holds `part` are answered with that.
 * @param done what was asked for is done all the same: the answer of a call that did succeed is
 * lost
 */
void fake_admin_fail(fake_admin *google, const char *part, unsigned times, int status,
                     const char *body, bool done);
/** The `nth` request from now on (from 1) that would change something fails with 500. */
void fake_admin_fail_change(fake_admin *google, unsigned nth, bool done);
/** The next operation on a thing whose name holds `part` fails half-way. */
void fake_admin_fail_operation(fake_admin *google, const char *part, int code, const char *message);

/** Requests that came whose line holds `part`; those that change something: "" and `changing`. */
unsigned fake_admin_requests(fake_admin *google, const char *part);
unsigned fake_admin_changes(fake_admin *google);
/** All so far: {"method":…,"path":…,"body":…} a line. To free(). */
char *fake_admin_record(fake_admin *google);

#endif
