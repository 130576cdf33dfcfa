/* SPDX-License-Identifier: MIT */
#include "golden.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

golden golden_open(const char *path) {
  golden g = {.file = fopen(path, "r"), .path = path};
  if (g.file == NULL) fail_msg("%s cannot be read; tests run at the top of the tree", path);
  return g;
}

void golden_close(golden *g) {
  fclose(g->file);
  free(g->line);
}

bool golden_next(golden *g) {
  do {
    if (getline(&g->line, &g->room, g->file) < 0) return false;
    g->number++;
    g->rest = NULL;
    g->key = strtok_r(g->line, " \n", &g->rest);
  } while (g->key == NULL || g->key[0] == '#');
  return true;
}

int golden_each(const char *path, void (*check)(golden *g)) {
  golden g = golden_open(path);
  int lines = 0;
  for (; golden_next(&g); lines++) {
    check(&g);
    if (golden_word(&g) != NULL) fail_msg("%s:%d: %s left unread", g.path, g.number, g.key);
  }
  golden_close(&g);
  return lines;
}

char *golden_word(golden *g) {
  return strtok_r(NULL, " \n", &g->rest);
}

int64_t golden_int(golden *g) {
  const char *word = golden_word(g);
  if (word == NULL) fail_msg("%s:%d: %s: a number is missing", g->path, g->number, g->key);
  return strtoll(word, NULL, 10);
}

double golden_double(golden *g) {
  const char *word = golden_word(g);
  if (word == NULL) fail_msg("%s:%d: %s: a number is missing", g->path, g->number, g->key);
  return strtod(word, NULL);
}

size_t golden_ints(golden *g, int64_t *values, size_t room) {
  size_t n = 0;
  for (const char *word; n < room && (word = golden_word(g)) != NULL; n++) {
    values[n] = strtoll(word, NULL, 10);
  }
  return n;
}

void golden_near(const golden *g, double got, double want, double relative, double absolute) {
  if (!(fabs(got - want) <= relative * fabs(want) + absolute)) {
    fail_msg("%s:%d: %s: %.17g, not %.17g", g->path, g->number, g->key, got, want);
  }
}

void golden_equal(const golden *g, int64_t got, int64_t want) {
  if (got != want) {
    fail_msg("%s:%d: %s: %lld, not %lld", g->path, g->number, g->key, (long long)got,
             (long long)want);
  }
}
