/* SPDX-License-Identifier: MIT */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H
/** @file Reads golden text files: a line is a key and its values, "#" begins a comment. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct golden {
  FILE *file;
  const char *path;
  char *line;
  size_t room;
  char *rest; /**< what is left of the line */
  const char *key;
  int number; /**< of the line */
} golden;

/** Fails the test when the file is not there. */
golden golden_open(const char *path);
void golden_close(golden *g);
/** The next line: sets key. False at the end. */
bool golden_next(golden *g);
/** Reads a whole file, a line a call of `check`; fails the test where a line is left unread, as one
 * is whose key nobody knows. @return how many lines */
int golden_each(const char *path, void (*check)(golden *g));
/** Takes the next word of the line; NULL at its end. */
char *golden_word(golden *g);
/** Takes the next number; fails the test where there is none. */
int64_t golden_int(golden *g);
double golden_double(golden *g);
/** Takes all that is left as numbers. @return how many, at most `room` */
size_t golden_ints(golden *g, int64_t *values, size_t room);

/** Fails unless |got - want| <= relative * |want| + absolute; NaN fails. Names the line. */
void golden_near(const golden *g, double got, double want, double relative, double absolute);
void golden_equal(const golden *g, int64_t got, int64_t want);

#endif
