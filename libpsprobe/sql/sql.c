/* SPDX-License-Identifier: MIT */
#include "sql/sql.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"

psprobe_code psp_sql_code(int result, int system_errno) {
  switch (result & 0xFF) {
    case SQLITE_OK:
      return PSPROBE_OK;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return PSPROBE_RESOURCE_EXHAUSTED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return PSPROBE_DATA_LOSS;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return PSPROBE_UNAVAILABLE;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return PSPROBE_PERMISSION_DENIED;
    case SQLITE_CONSTRAINT:
      return PSPROBE_ALREADY_EXISTS;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      if (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG ||
          system_errno == EMFILE || system_errno == ENFILE)
        return PSPROBE_RESOURCE_EXHAUSTED;
      if (system_errno == EACCES || system_errno == EPERM || system_errno == EROFS)
        return PSPROBE_PERMISSION_DENIED;
      return system_errno == ENOENT ? PSPROBE_NOT_FOUND : PSPROBE_INTERNAL;
    default:
      return PSPROBE_INTERNAL;
  }
}

/* Why the system refused. SQLite notes it with the connection for what it opens, else with the
 * file. */
static int cause_of(sqlite3 *db) {
  sqlite3_file *file = NULL;
  int cause = sqlite3_system_errno(db);
  if (cause == 0 &&
      sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) == SQLITE_OK &&
      file != NULL && file->pMethods != NULL)
    file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &cause);
  if (cause == 0) sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &cause);
  return cause;
}

psprobe_code psp_sql_fail(sqlite3 *db, const char *path, const char *doing, psprobe_error *error) {
  if (db == NULL) return psp_fail_memory(error, doing);
  int result = sqlite3_extended_errcode(db);
  bool io = (result & 0xFF) == SQLITE_IOERR || (result & 0xFF) == SQLITE_CANTOPEN;
  const char *what = sqlite3_errmsg(db);
  int cause = io ? cause_of(db) : 0;
  psprobe_code code = psp_sql_code(result, cause);
  if (code == PSPROBE_OK) code = PSPROBE_INTERNAL; /* we are here because something failed */
  char text[160] = "";
  if (cause != 0) {
    char buf[100];
    const char *name = strerror_r(cause, buf, sizeof buf); /* the GNU form */
    const char *hint = cause == EROFS ? ": mount it to be written to again" : "";
    sqlite3_snprintf(sizeof text, text, " (%s%s)", name, hint);
  }
  return psp_fail(error, code, "%s %s: %s%s", doing, path, what, text);
}

int psp_sql_run(sqlite3 *db, const char *sql) {
  return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int psp_sql_int64(sqlite3 *db, const char *sql, int64_t *value) {
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
  if (result != SQLITE_OK) return result;
  result = sqlite3_step(statement);
  if (result == SQLITE_ROW) *value = sqlite3_column_int64(statement, 0);
  int final = sqlite3_finalize(statement);
  return result == SQLITE_ROW || result == SQLITE_DONE ? SQLITE_OK : final;
}

/* A bind can fail only for want of memory, which the step after it then reports as well. */
void psp_sql_bind_text(sqlite3_stmt *statement, int at, const char *text) {
  if (text == NULL)
    sqlite3_bind_null(statement, at);
  else
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

void psp_sql_bind_int64(sqlite3_stmt *statement, int at, int64_t value) {
  sqlite3_bind_int64(statement, at, value);
}

int psp_sql_step_once(sqlite3_stmt *statement) {
  int result = sqlite3_step(statement);
  int final = sqlite3_reset(statement);
  return result == SQLITE_ROW || result == SQLITE_DONE ? result : final;
}

const char *psp_sql_text(sqlite3_stmt *statement, int column) {
  return (const char *)sqlite3_column_text(statement, column);
}
