/* SPDX-License-Identifier: MIT */
#ifndef PSP_AUTH_VERIFY_VISITOR_H
#define PSP_AUTH_VERIFY_VISITOR_H
/** @file Tokens that wait until they can be looked at, and lines of them. */
#include <stdbool.h>
#include <stddef.h>

#include "auth/verify/verifier.h"

/** A token, and who is told about it. */
typedef struct psp_visit {
  const char *token;
  size_t len;
  psp_verifier_done *done;
  void *arg, *subject;
} psp_visit;

/** One that waits, with a token of its own. */
typedef struct psp_visitor psp_visitor;
struct psp_visitor {
  psp_visit visit;
  psp_visitor *next;
  char token[];
};

/** NULL: no memory. */
psp_visitor *psp_visitor_new(const psp_visit *visit);
/** Wiped: somebody's token is in it. NULL is fine. */
void psp_visitor_free(psp_visitor *visitor);

/** A line of them; valid when zeroed. Its owner's lock guards it. */
typedef struct psp_visitor_line {
  psp_visitor *first, *last;
  unsigned count;
} psp_visitor_line;

#define PSP_VISITOR_LINE_MAX 256

/** False: the line is full, and `visitor` still the caller's. */
bool psp_visitor_line_put(psp_visitor_line *line, psp_visitor *visitor);
/** The first, or NULL. */
psp_visitor *psp_visitor_line_take(psp_visitor_line *line);

#endif
