/* SPDX-License-Identifier: MIT */
#include "auth/sources/subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/keys/hygiene.h"
#include "auth/sources/source.h"
#include "base/error.h"
#include "os/command.h"

/* It is read again each time: Kubernetes puts a new token in its place. */
static psprobe_code from_file(const psp_subject_source *s, psp_secret *token,
                              psprobe_error *error) {
  psp_secret text = {0};
  psp_key_seen seen;
  char what[PSP_WHAT_SIZE];
  snprintf(what, sizeof what, "subject token file %s", s->file);
  psprobe_code code = psp_key_file_read(s->file, &text, &seen, error);
  if (code == PSPROBE_OK)
    code = psp_subject_read(text.data, text.len, s->json_field, what, token, error);
  else
    psp_fail_in(error, "subject token");
  psp_secret_free(&text);
  return code;
}

static psprobe_code from_url(const psp_source *source, psp_fetcher *fetcher, psp_secret *token,
                             psprobe_error *error) {
  const psp_subject_source *s = &source->file->subject;
  psp_answer answer = {0};
  char what[PSP_WHAT_SIZE];
  psp_source_what(source, "a subject token", s->url, what);
  psp_header *headers = calloc(s->header_count + 1, sizeof *headers);
  if (headers == NULL) return psp_fail_memory(error, what);
  for (size_t i = 0; i < s->header_count; i++)
    headers[i] = (psp_header){s->headers[2 * i], s->headers[2 * i + 1]};
  psp_http_request request = {.method = "GET",
                              .url = s->url,
                              .headers = headers,
                              .header_count = s->header_count,
                              .no_proxy = strncmp(s->url, "http:", 5) == 0};
  psprobe_code code = psp_fetch(fetcher, &request, NULL, &answer, error);
  free(headers);
  if (code != PSPROBE_OK)
    psp_fail_in(error, "%s", what);
  else if (answer.status != 200)
    code = psp_oauth_fail(&answer, psp_clock_wall_s(&fetcher->clock), what, error);
  else
    code = psp_subject_read(answer.body.len > 0 ? answer.body.data : "", answer.body.len,
                            s->json_field, what, token, error);
  psp_answer_free(&answer);
  return code;
}

#define OWN_VARIABLES 5

/* The program's own environment, and what AIP-4117 adds. The array and the texts that are ours are
 * one block. Ours come first: of two that are the same, getenv finds the first. */
static const char **make_environment(const psp_key_file *f) {
  const char *const names[OWN_VARIABLES] = {
      "GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE", "GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE",
      "GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE", "GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE",
      "GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL"};
  const char *const values[OWN_VARIABLES] = {f->audience, f->subject_token_type, "0",
                                             f->subject.output_file, f->impersonated_email};
  size_t inherited = 0, text = 0, used = 0;
  while (environ[inherited] != NULL)
    inherited++;
  for (int i = 0; i < OWN_VARIABLES; i++)
    if (values[i] != NULL) text += strlen(names[i]) + strlen(values[i]) + 2;
  const char **all = malloc((inherited + OWN_VARIABLES + 1) * sizeof *all + text);
  if (all == NULL) return NULL;
  char *at = (char *)(all + inherited + OWN_VARIABLES + 1);
  for (int i = 0; i < OWN_VARIABLES; i++) {
    if (values[i] == NULL) continue;
    all[used++] = at;
    at += sprintf(at, "%s=%s", names[i], values[i]) + 1;
  }
  for (size_t i = 0; i < inherited; i++)
    all[used++] = environ[i];
  all[used] = NULL;
  return all;
}

static psprobe_code run(const psp_key_file *f, int64_t now_s, const char *what, psp_secret *token,
                        psprobe_error *error) {
  psp_secret output = {0};
  int status = 0;
  char **argv = psp_command_split(f->subject.command);
  const char **env = make_environment(f);
  const psp_command command = {.argv = (const char *const *)argv,
                               .env = env,
                               .timeout_ns = f->subject.timeout_ms * 1000000,
                               .max_output = 1 << 20};
  psprobe_code code =
      argv == NULL || env == NULL
          ? psp_fail(error, PSPROBE_INVALID_ARGUMENT, "%s: its command cannot be run", what)
          : psp_command_run(&command, &output, &status, error);
  if (code == PSPROBE_OK && status != 0)
    code = psp_fail(error, PSPROBE_UNAUTHENTICATED, "%s: its exit status is %d", what, status);
  if (code == PSPROBE_OK && psp_executable_read(output.data != NULL ? output.data : "", output.len,
                                                now_s, f->subject.output_file != NULL, what, token,
                                                error) != PSP_EXECUTABLE_TOKEN)
    code = error != NULL ? error->code : PSPROBE_UNAUTHENTICATED;
  psp_secret_free(&output);
  free(env);
  free(argv);
  return code;
}

static psprobe_code from_executable(const psp_source *source, psp_fetcher *fetcher,
                                    psp_secret *token, psprobe_error *error) {
  static const char variable[] = "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES";
  static const char what[] = "the executable that the credentials file names";
  const psp_key_file *f = source->file;
  const char *allowed = getenv(variable);
  if (allowed == NULL || strcmp(allowed, "1") != 0)
    return psp_fail(error, PSPROBE_FAILED_PRECONDITION,
                    "%s is not run: set %s=1 if that file is one that you trust", what, variable);
  int64_t now_s = psp_clock_wall_s(&fetcher->clock);
  psp_secret cached = {0};
  psp_key_seen seen;
  if (f->subject.output_file != NULL &&
      psp_key_file_read(f->subject.output_file, &cached, &seen, NULL) == PSPROBE_OK) {
    psp_executable_verdict verdict =
        psp_executable_read(cached.data, cached.len, now_s, true, "output_file", token, error);
    psp_secret_free(&cached);
    if (verdict == PSP_EXECUTABLE_TOKEN) return PSPROBE_OK;
    if (verdict == PSP_EXECUTABLE_BROKEN)
      return error != NULL ? error->code : PSPROBE_INVALID_ARGUMENT;
  }
  psp_secret_free(&cached);
  return run(f, now_s, what, token, error);
}

psprobe_code psp_subject_get(const psp_source *source, psp_fetcher *fetcher, psp_secret *token,
                             psprobe_error *error) {
  switch (source->file->subject.kind) {
    case PSP_SUBJECT_FILE:
      return from_file(&source->file->subject, token, error);
    case PSP_SUBJECT_URL:
      return from_url(source, fetcher, token, error);
    default:
      return from_executable(source, fetcher, token, error);
  }
}
