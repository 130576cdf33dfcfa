/* SPDX-License-Identifier: MIT */
#ifndef TEST_POWER_NAMES_H
#define TEST_POWER_NAMES_H
/**
 * @file
 * What else than SQLite gives files their names, for programs that the Makefile links with --wrap:
 * told to the disk whose power is cut. To be included once in such a program.
 */
#include <sys/stat.h>

#include "power.h"

int __real_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);
int __real_unlink(const char *name);
int __real_fsync(int fd);
int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags);
int __wrap_unlink(const char *name);
int __wrap_fsync(int fd);

int __wrap_renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
  const int result = __real_renameat2(from_at, from, to_at, to, flags);
  if (result == 0) power_renamed(from, to);
  return result;
}

int __wrap_unlink(const char *name) {
  const int result = __real_unlink(name);
  if (result == 0) power_removed(name);
  return result;
}

int __wrap_fsync(int fd) {
  struct stat info;
  if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) power_settle_names();
  return __real_fsync(fd);
}

#endif
