/* SPDX-License-Identifier: MIT */
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

int psp_write_all(int fd, const void *data, size_t len) {
  for (size_t done = 0; done < len;) {
    ssize_t n = write(fd, (const char *)data + done, len - done);
    if (n < 0 && errno != EINTR) return errno;
    if (n > 0) done += (size_t)n;
  }
  return 0;
}

int psp_new_file_begin(psp_new_file *file, const char *path) {
  *file = (psp_new_file){.path = path, .fd = -1};
  psp_buf_printf(&file->part, "%s.XXXXXX", path);
  if (file->part.failed) return ENOMEM;
  file->fd = mkostemp(file->part.data, O_CLOEXEC);
  int why = file->fd < 0 ? errno : 0;
  if (why != 0) psp_buf_reset(&file->part); /* there is nothing to take away */
  return why;
}

/* That of the file whose place is taken, which somebody may have closed to others. */
static mode_t mode_of(const char *path) {
  struct stat info;
  mode_t mask = umask(0);
  umask(mask);
  return lstat(path, &info) == 0 && S_ISREG(info.st_mode) ? info.st_mode & 0777 : 0666 & ~mask;
}

int psp_new_file_end(psp_new_file *file, const void *data, size_t len) {
  int why = psp_write_all(file->fd, data, len);
  if (why == 0 && fchmod(file->fd, mode_of(file->path)) != 0) why = errno;
  if (close(file->fd) != 0 && why == 0) why = errno;
  file->fd = -1;
  if (why == 0 && rename(file->part.data, file->path) != 0) why = errno;
  if (why == 0) psp_buf_reset(&file->part);
  psp_new_file_drop(file);
  return why;
}

void psp_new_file_drop(psp_new_file *file) {
  if (file->fd >= 0) close(file->fd);
  if (file->part.len > 0) unlink(file->part.data);
  psp_buf_free(&file->part);
}

psprobe_code psp_write_fail(const char *path, int why, psprobe_error *error) {
  psprobe_code code = why == EACCES || why == EROFS ? PSPROBE_PERMISSION_DENIED
                      : why == ENOENT               ? PSPROBE_NOT_FOUND
                                                    : PSPROBE_UNAVAILABLE;
  return psp_fail(error, code, "write %s: %s", path, strerror(why));
}
