/* SPDX-License-Identifier: MIT */
#include "auth/verify/visitor.h"

#include <stdlib.h>
#include <string.h>

psp_visitor *psp_visitor_new(const psp_visit *visit) {
  psp_visitor *made = malloc(sizeof *made + visit->len);
  if (made == NULL) return NULL;
  *made = (psp_visitor){.visit = *visit};
  memcpy(made->token, visit->token, visit->len);
  made->visit.token = made->token;
  return made;
}

void psp_visitor_free(psp_visitor *visitor) {
  if (visitor != NULL) explicit_bzero(visitor->token, visitor->visit.len);
  free(visitor);
}

bool psp_visitor_line_put(psp_visitor_line *line, psp_visitor *visitor) {
  if (line->count == PSP_VISITOR_LINE_MAX) return false;
  visitor->next = NULL;
  if (line->last != NULL)
    line->last->next = visitor;
  else
    line->first = visitor;
  line->last = visitor;
  line->count++;
  return true;
}

psp_visitor *psp_visitor_line_take(psp_visitor_line *line) {
  psp_visitor *first = line->first;
  if (first == NULL) return NULL;
  line->first = first->next;
  if (line->first == NULL) line->last = NULL;
  line->count--;
  return first;
}
