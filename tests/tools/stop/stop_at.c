/* SPDX-License-Identifier: MIT */
/**
 * @file Stops a prober for good at a named place, from outside: it is loaded before the libraries
 * that the program calls. PSPROBE_TEST_STOP is PLACE:N, the N-th time that it comes there:
 *
 *     uncommitted a transaction is about to be on the disk: time for whoever was told too soon to
 * hear commit      it is, and nobody was told yet mark        rows are in Firestore, and the file
 * does not know it checkpoint  half of a page is written from the log to the file
 */
#include <dlfcn.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *place = "";
static int left = 1;

__attribute__((constructor)) static void begin(void) {
  const char *text = getenv("PSPROBE_TEST_STOP");
  const char *colon = text == NULL ? NULL : strchr(text, ':');
  if (colon == NULL) return;
  place = text;
  left = atoi(colon + 1);
}

/* Whether it has come to that place as often as it was to. */
static int is_at(const char *name) {
  size_t len = strlen(name);
  return strncmp(place, name, len) == 0 && place[len] == ':' &&
         __atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST) == 0;
}

static void stop(void) {
  kill(getpid(), SIGKILL);
}

int sqlite3_exec(sqlite3 *db, const char *sql, int (*row)(void *, int, char **, char **), void *arg,
                 char **message) {
  int (*real)(sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **);
  *(void **)&real = dlsym(RTLD_NEXT, "sqlite3_exec");
  if (strcmp(sql, "COMMIT") == 0 && is_at("uncommitted")) {
    usleep(100000);
    stop();
  }
  int result = real(db, sql, row, arg, message);
  if (result == SQLITE_OK && strcmp(sql, "COMMIT") == 0 && is_at("commit")) stop();
  return result;
}

int sqlite3_step(sqlite3_stmt *statement) {
  int (*real)(sqlite3_stmt *);
  *(void **)&real = dlsym(RTLD_NEXT, "sqlite3_step");
  const char *sql = strncmp(place, "mark:", 5) == 0 ? sqlite3_sql(statement) : NULL;
  if (sql != NULL && strstr(sql, "SET uploaded = max") != NULL && is_at("mark")) stop();
  return real(statement);
}

/* The file itself is written to by a checkpoint alone. */
static int is_file(int fd) {
  char link[64], path[512];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t len = readlink(link, path, sizeof path - 1);
  return len > 3 && memcmp(path + len - 3, ".db", 3) == 0;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at) {
  ssize_t (*real)(int, const void *, size_t, off64_t);
  *(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
  if (strncmp(place, "checkpoint:", 11) != 0 || !is_file(fd) || !is_at("checkpoint"))
    return real(fd, data, len, at);
  ssize_t half = real(fd, data, len / 2, at);
  stop();
  return half;
}
