/* SPDX-License-Identifier: MIT */
#include "power.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sql/sql.h"

#define SECTOR 512
#define NODES  32
#define OPEN   16

/* A write that is not on the platter yet; without data: a truncation to `at`. */
typedef struct power_change {
  char *data;
  size_t at, len;
} power_change;

typedef struct power_content {
  char *bytes;
  size_t len;
} power_content;

typedef struct power_node {
  char name[256]; /* "": nobody finds it any more */
  ino_t inode;
  power_content platter;
  power_change *changes;
  size_t count;
  bool entered, removed; /* its name is on the platter; its removal is not yet */
} power_node;

static struct {
  sqlite3_vfs vfs, *real;
  sqlite3_io_methods methods[2]; /* of databases, of other files */
  const sqlite3_io_methods *real_methods[2];
  struct {
    sqlite3_file *file;
    power_node *node; /* NULL: never cut */
  } open[OPEN];
  power_node nodes[NODES];
  void (*at_sync)(void *arg);
  void *arg;
  bool aside; /* in at_sync */
} disk;

/* ---- what is on the platter ---- */

static void reach(power_content *content, size_t len) {
  if (len <= content->len) return;
  content->bytes = realloc(content->bytes, len);
  assert_non_null(content->bytes);
  memset(content->bytes + content->len, 0, len - content->len);
  content->len = len;
}

static void put(power_content *content, size_t at, const char *data, size_t len) {
  reach(content, at + len);
  if (len > 0) memcpy(content->bytes + at, data, len);
}

static void apply(power_content *content, const power_change *change) {
  if (change->data != NULL)
    put(content, change->at, change->data, change->len);
  else if (change->at < content->len)
    content->len = change->at;
}

static void forget(power_node *node) {
  for (size_t i = 0; i < node->count; i++)
    free(node->changes[i].data);
  node->count = 0;
}

static void settle(power_node *node) {
  for (size_t i = 0; i < node->count; i++)
    apply(&node->platter, &node->changes[i]);
  forget(node);
}

static void drop(power_node *node) {
  forget(node);
  free(node->changes);
  free(node->platter.bytes);
  *node = (power_node){0};
}

void power_settle_names(void) {
  for (power_node *n = disk.nodes; n < disk.nodes + NODES; n++) {
    if (n->name[0] == '\0') continue;
    n->entered = true;
    if (n->removed) n->name[0] = '\0';
  }
}

static power_node *find(const char *name) {
  power_node *n = disk.nodes;
  while (n < disk.nodes + NODES && strcmp(n->name, name) != 0)
    n++;
  return n < disk.nodes + NODES ? n : NULL;
}

void power_renamed(const char *from, const char *to) {
  power_node *n = find(from), *before = find(to);
  if (n == NULL || disk.aside) return;
  if (before != NULL) before->name[0] = '\0';
  snprintf(n->name, sizeof n->name, "%s", to);
  n->entered = false;
}

void power_removed(const char *name) {
  power_node *n = find(name);
  if (n != NULL && !disk.aside) n->removed = true;
}

static bool is_open(const power_node *node) {
  for (size_t i = 0; i < OPEN; i++)
    if (disk.open[i].file != NULL && disk.open[i].node == node) return true;
  return false;
}

/* The node of a file that is open now; what it was made as by others is on the platter. */
static power_node *enter(const char *name) {
  struct stat info;
  assert_int_equal(stat(name, &info), 0);
  power_node *n = find(name);
  if (n != NULL && n->inode == info.st_ino && !n->removed) return n;
  if (n != NULL) n->name[0] = '\0';
  for (n = disk.nodes; n->name[0] != '\0' || is_open(n);)
    assert_true(++n < disk.nodes + NODES);
  drop(n);
  snprintf(n->name, sizeof n->name, "%s", name);
  n->inode = info.st_ino;
  return n;
}

/* ---- SQLite's file system ---- */

static size_t slot_of(const sqlite3_file *file) {
  size_t i = 0;
  while (disk.open[i].file != file)
    assert_true(++i < OPEN);
  return i;
}

static const sqlite3_io_methods *real_of(const sqlite3_file *file) {
  return disk.real_methods[file->pMethods == &disk.methods[1]];
}

static void note(const sqlite3_file *file, power_change change) {
  power_node *n = disk.open[slot_of(file)].node;
  if (n == NULL) return;
  if ((n->count & (n->count - 1)) == 0) {
    n->changes = realloc(n->changes, (n->count == 0 ? 1 : n->count * 2) * sizeof *n->changes);
    assert_non_null(n->changes);
  }
  if (change.len > 0) {
    const char *theirs = change.data;
    change.data = malloc(change.len);
    assert_non_null(change.data);
    memcpy(change.data, theirs, change.len);
  }
  n->changes[n->count++] = change;
}

static int write_file(sqlite3_file *file, const void *data, int len, sqlite3_int64 at) {
  int result = real_of(file)->xWrite(file, data, len, at);
  union {
    const void *theirs;
    char *bytes; /* only read */
  } what = {data};
  if (result == SQLITE_OK)
    note(file, (power_change){.data = what.bytes, .at = (size_t)at, .len = (size_t)len});
  return result;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 len) {
  int result = real_of(file)->xTruncate(file, len);
  if (result == SQLITE_OK) note(file, (power_change){.at = (size_t)len});
  return result;
}

void power_pause(void) {
  if (disk.aside || disk.at_sync == NULL) return;
  disk.aside = true;
  disk.at_sync(disk.arg);
  disk.aside = false;
}

static int sync_file(sqlite3_file *file, int flags) {
  power_node *n = disk.open[slot_of(file)].node;
  (void)flags;
  if (n == NULL) return SQLITE_OK;
  power_pause();
  settle(n);
  if (!n->entered) power_settle_names();
  return SQLITE_OK;
}

static int close_file(sqlite3_file *file) {
  disk.open[slot_of(file)].file = NULL;
  return real_of(file)->xClose(file);
}

static int open_file(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                     int *out) {
  (void)vfs;
  int result = disk.real->xOpen(disk.real, name, file, flags, out);
  if (result != SQLITE_OK) return result;
  size_t kind = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? 0 : 1, slot = 0;
  sqlite3_io_methods *methods = &disk.methods[kind];
  disk.real_methods[kind] = file->pMethods;
  *methods = *file->pMethods;
  methods->xWrite = write_file;
  methods->xTruncate = truncate_file;
  methods->xSync = sync_file;
  methods->xClose = close_file;
  file->pMethods = methods;
  while (disk.open[slot].file != NULL)
    assert_true(++slot < OPEN);
  disk.open[slot].node = disk.aside || name == NULL ? NULL : enter(name);
  disk.open[slot].file = file;
  return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int sync) {
  (void)vfs;
  int result = disk.real->xDelete(disk.real, name, 0);
  if (result == SQLITE_OK) power_removed(name);
  if (result == SQLITE_OK && !disk.aside && sync != 0) power_settle_names();
  return result;
}

void power_begin(void (*at_sync)(void *arg), void *arg) {
  memset(&disk, 0, sizeof disk);
  disk.at_sync = at_sync;
  disk.arg = arg;
  disk.real = sqlite3_vfs_find(NULL);
  disk.vfs = *disk.real;
  disk.vfs.zName = "power";
  disk.vfs.xOpen = open_file;
  disk.vfs.xDelete = delete_file;
  assert_int_equal(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
}

void power_end(void) {
  assert_int_equal(sqlite3_vfs_unregister(&disk.vfs), SQLITE_OK);
  for (size_t i = 0; i < OPEN; i++)
    assert_null(disk.open[i].file);
  for (size_t i = 0; i < NODES; i++)
    drop(&disk.nodes[i]);
}

/* ---- the cut ---- */

/* xorshift64* (Vigna 2014). */
static uint64_t draw(uint64_t *seed) {
  *seed ^= *seed >> 12;
  *seed ^= *seed << 25;
  *seed ^= *seed >> 27;
  return *seed * UINT64_C(2685821657736338717);
}

/* A write as the cut left it: its part of each sector there, or not, or garbage. */
static void tear(power_content *content, const power_change *change, uint64_t *seed) {
  char garbage[SECTOR];
  for (size_t done = 0; done < change->len;) {
    size_t len = SECTOR - (change->at + done) % SECTOR;
    if (len > change->len - done) len = change->len - done;
    uint64_t fate = draw(seed) >> 61;
    for (size_t i = 0; fate == 0 && i < len; i++)
      garbage[i] = (char)(draw(seed) >> 56);
    if (fate == 1)
      reach(content, change->at + done + len); /* its size alone */
    else if (fate < 5)
      put(content, change->at + done, fate == 0 ? garbage : change->data + done, len);
    done += len;
  }
}

static void leave(const power_node *node, const char *to, uint64_t *seed) {
  power_content left = {0};
  put(&left, 0, node->platter.bytes != NULL ? node->platter.bytes : "", node->platter.len);
  uint64_t fate = draw(seed) >> 62; /* all is there, nothing, or parts of it */
  for (size_t i = 0; fate != 0 && i < node->count; i++) {
    const power_change *change = &node->changes[i];
    if (change->data != NULL && fate > 1)
      tear(&left, change, seed);
    else if (fate == 1 || draw(seed) >> 63 != 0)
      apply(&left, change);
  }
  FILE *file = fopen(to, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(left.bytes != NULL ? left.bytes : "", 1, left.len, file), left.len);
  assert_int_equal(fclose(file), 0);
  free(left.bytes);
}

void power_cut(const char *file, const char *to, uint64_t seed) {
  static const char *const beside[] = {"", "-wal", "-journal", "-shm"};
  seed = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
  for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
    char from[300], copy[300];
    snprintf(from, sizeof from, "%s%s", file, beside[i]);
    snprintf(copy, sizeof copy, "%s%s", to, beside[i]);
    const power_node *n = find(from);
    unlink(copy);
    if (n == NULL || ((!n->entered || n->removed) && draw(&seed) >> 63 != 0)) continue;
    leave(n, copy, &seed);
  }
}
