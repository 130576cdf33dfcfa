/* SPDX-License-Identifier: MIT */
#ifndef PSP_PUBSUB_ADMIN_CALLS_H
#define PSP_PUBSUB_ADMIN_CALLS_H
/** @file The calls that topics, subscriptions and snapshots share: made, asked for, changed,
 * deleted and listed in one way. */
#include <psprobe/pubsub_admin.h>

#include "base/buf.h"
#include "pubsub/admin/settings.h"
#include "pubsub/names.h"

/** PUT. @param existed where one that is there is success; NULL: ALREADY_EXISTS is the answer */
psprobe_code psp_admin_create(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                              int64_t timeout_ns, const psp_buf *body, bool *existed,
                              psprobe_error *error);
psprobe_code psp_admin_get(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                           int64_t timeout_ns, psp_buf *answer, psprobe_error *error);
psprobe_code psp_admin_delete(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                              psprobe_error *error);
/** PATCH, with a body {"topic":{…},"updateMask":"a,b"}. @param bits checked here */
psprobe_code psp_admin_update(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                              const psp_admin_field *fields, size_t count, unsigned bits,
                              const void *config, psprobe_error *error);
/** POST of a verb. @param answer may be NULL */
psprobe_code psp_admin_post(psprobe_client *client, psp_pubsub_kind kind, const char *name,
                            const char *verb, const char *action, const psp_buf *body,
                            psp_buf *answer, psprobe_error *error);

/**
 * All pages of a listing.
 * @param path  as "projects/p/topics/t/snapshots", "/v1/" before it left out
 * @param list  the member that it is in: "topics"
 * @param what  for errors: "list topics"
 */
psprobe_code psp_admin_list(psprobe_client *client, const char *path, const char *list,
                            const char *what, psprobe_name_each *each, void *arg,
                            psprobe_error *error);
/** Of the client's project: "topics". */
psprobe_code psp_admin_list_project(psprobe_client *client, const char *list, const char *what,
                                    psprobe_name_each *each, void *arg, psprobe_error *error);

#endif
