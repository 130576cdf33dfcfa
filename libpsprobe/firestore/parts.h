/* SPDX-License-Identifier: MIT */
#ifndef PSP_FIRESTORE_PARTS_H
#define PSP_FIRESTORE_PARTS_H
/** @file What transactions, and reads in them, share. */
#include <psprobe/transaction.h>

#include "base/json.h"
#include "firestore/service.h"

struct psprobe_transaction {
  psprobe_client *client;
  psp_firestore_root root;
  char *id; /**< base64, as the service gives and takes it */
  bool read_only, over;
  size_t count; /**< of its writes */
  psp_buf body; /**< of the commit, as far as its writes go */
  psp_json_writer w;
};

#endif
