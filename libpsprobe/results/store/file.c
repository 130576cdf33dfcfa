/* SPDX-License-Identifier: MIT */
/** @file Files that are not ours, or not whole. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "results/store/lock.h"
#include "results/store/store.h"

/* Of an SQLite file's header (https://sqlite.org/fileformat.html, 1.3). */
#define HEADER         100
#define MAGIC          "SQLite format 3"
#define APPLICATION_AT 68

psp_file_kind psp_file_look(const char *path) {
  unsigned char header[HEADER] = {0};
  static const unsigned char zeros[HEADER];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return PSP_FILE_FOREIGN;
  ssize_t len = pread(fd, header, sizeof header, 0);
  close(fd);
  if (len < 0) return PSP_FILE_FOREIGN;
  /* Blocks of zeros are what some file systems leave after a power cut; nobody's document. */
  if (memcmp(header, zeros, sizeof header) == 0) return PSP_FILE_DAMAGED;
  if (memcmp(header, MAGIC, sizeof MAGIC) != 0) return PSP_FILE_FOREIGN;
  if (len < HEADER) return PSP_FILE_DAMAGED;
  const unsigned char *id = header + APPLICATION_AT;
  uint32_t application =
      (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | (uint32_t)id[3];
  return application == PSP_APPLICATION_ID ? PSP_FILE_DAMAGED : PSP_FILE_FOREIGN;
}

/* Whether a rollback journal ends with the name of a super-journal, as those of one database alone
 * never do (https://sqlite.org/fileformat.html, 3): whoever rolls back looks for that file, and
 * deletes it. */
static bool names_another(const char *journal, off_t size) {
  static const unsigned char magic[8] = {0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7};
  unsigned char end[sizeof magic];
  int fd = open(journal, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false; /* nor can SQLite */
  bool names = size >= (off_t)sizeof end &&
               pread(fd, end, sizeof end, size - (off_t)sizeof end) == (ssize_t)sizeof end &&
               memcmp(end, magic, sizeof end) == 0;
  close(fd);
  return names;
}

psprobe_code psp_file_check_beside(const char *path, psprobe_error *error) {
  static const char *const ends[] = {"-wal", "-shm", "-journal"};
  char name[PATH_MAX + 16];
  struct stat info = {.st_size = 0};
  bool there = false;
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    snprintf(name, sizeof name, "%s%s", path, ends[i]);
    there = lstat(name, &info) == 0;
    if (there && !S_ISREG(info.st_mode))
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "%s is no plain file: it stands where SQLite keeps what belongs to the "
                      "results file; move it away",
                      name);
  }
  /* The journal alone is opened: closing an index that this process has open drops its locks. */
  if (there && names_another(name, info.st_size))
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "%s is no journal of ours: SQLite would delete another file that it names; "
                    "move it away",
                    name);
  return PSPROBE_OK;
}

psprobe_code psp_file_refuse(const char *path, psp_file_kind kind, int64_t version,
                             psprobe_error *error) {
  switch (kind) {
    case PSP_FILE_NEW:
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "%s is empty: no results have been kept in it", path);
    case PSP_FILE_NEWER:
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "%s was made by a newer version of psprobe (its schema is %lld, this version "
                      "knows %d): use that version, or another file",
                      path, (long long)version, PSP_SCHEMA_VERSION);
    case PSP_FILE_DAMAGED:
      return psp_fail(error, PSPROBE_DATA_LOSS,
                      "%s is damaged: the next prober that writes to it will set it aside", path);
    default:
      return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                      "%s is not a results file of psprobe, and was left as it is: choose another "
                      "file",
                      path);
  }
}

/* A name beside `path` that is free. */
static bool free_name(const char *path, char name[PATH_MAX]) {
  struct tm tm;
  time_t now = time(NULL);
  char stamp[32];
  gmtime_r(&now, &tm);
  strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
  for (int i = 1; i < 100; i++) {
    int len = i == 1 ? snprintf(name, PATH_MAX, "%s.damaged-%s", path, stamp)
                     : snprintf(name, PATH_MAX, "%s.damaged-%s-%d", path, stamp, i);
    if (len < 0 || len >= PATH_MAX - 5) return false;
    if (access(name, F_OK) != 0) return true;
  }
  return false;
}

psprobe_code psp_file_set_aside(const char *path, const psprobe_logger *logger,
                                psprobe_error *error) {
  char name[PATH_MAX], from[PATH_MAX + 8], to[PATH_MAX + 8];
  if (!free_name(path, name)) return psp_open_fail(path, ENAMETOOLONG, error);
  /* The log first: left behind, its pages would be taken for those of the file to come. */
  snprintf(from, sizeof from, "%s-wal", path);
  snprintf(to, sizeof to, "%s-wal", name);
  if (rename(from, to) != 0 && errno != ENOENT) return psp_open_fail(from, errno, error);
  snprintf(from, sizeof from, "%s-shm", path);
  if (unlink(from) != 0 && errno != ENOENT) return psp_open_fail(from, errno, error);
  if (rename(path, name) != 0) return psp_open_fail(path, errno, error);
  psp_log_line line;
  if (psp_log_begin(&line, logger, PSPROBE_LOG_ERROR, "damaged_results_set_aside")) {
    psp_log_text(&line, "file", path);
    psp_log_text(&line, "now", name);
    psp_log_text(&line, "hint", "sqlite3 can read what is left: .recover");
    psp_log_end(&line);
  }
  return PSPROBE_OK;
}
