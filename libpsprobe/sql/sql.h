/* SPDX-License-Identifier: MIT */
#ifndef PSP_SQL_SQL_H
#define PSP_SQL_SQL_H
/** @file SQLite with our errors. */
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include <psprobe/error.h>

/** What SQLite's last error on `db` means; "doing path: cause". */
psprobe_code psp_sql_fail(sqlite3 *db, const char *path, const char *doing, psprobe_error *error);
/** The code alone of an SQLite result (extended or not). Pure. */
psprobe_code psp_sql_code(int result, int system_errno);

/** Runs statements that return nothing. @return SQLITE_OK or SQLite's code */
int psp_sql_run(sqlite3 *db, const char *sql);
/** The first column of the first row; `value` is untouched when there is none. */
int psp_sql_int64(sqlite3 *db, const char *sql, int64_t *value);

/* Binding, by position from 1. A text must stay as it is until the statement is reset. */
void psp_sql_bind_text(sqlite3_stmt *statement, int at, const char *text); /**< NULL: null */
void psp_sql_bind_int64(sqlite3_stmt *statement, int at, int64_t value);
/** Steps once and resets. @return SQLITE_DONE, SQLITE_ROW or an error */
int psp_sql_step_once(sqlite3_stmt *statement);
/** A text column, NULL for null; valid until the next step. */
const char *psp_sql_text(sqlite3_stmt *statement, int column);

#endif
