/* SPDX-License-Identifier: MIT */
/**
 * @file
 * A request that may hold events in any form: query, header lines, an empty line, the body. What is
 * read can be written as a CloudEvent and read again, and its older form is JSON.
 */
#include <stdio.h>
#include <string.h>

#include <psprobe/event.h>

#include "base/json.h"
#include "fuzz_message.h"

#define HEADERS 16

typedef struct input {
  char *text; /* zero-terminated copy, cut into lines */
  psprobe_attribute headers[HEADERS];
  psprobe_event_request request;
} input;

static char *next_line(char **at) {
  char *line = *at, *end = line != NULL ? strchr(line, '\n') : NULL;
  if (end != NULL) *end = 0;
  *at = end != NULL ? end + 1 : NULL;
  return line;
}

static void cut(input *in, size_t size) {
  char *at = in->text, *line;
  in->request.path = "/projects/p/topics/t";
  in->request.query = next_line(&at);
  while ((line = next_line(&at)) != NULL && *line != 0) {
    char *colon = strchr(line, ':');
    if (colon == NULL || in->request.header_count == HEADERS) continue;
    *colon = 0;
    in->headers[in->request.header_count++] = (psprobe_attribute){line, colon + 1};
  }
  in->request.headers = in->headers;
  in->request.body = at;
  in->request.body_len = at != NULL ? size - (size_t)(at - in->text) : 0;
}

static void look_at_legacy(const psprobe_event *event) {
  psprobe_legacy_event legacy = {0};
  psp_json *json = NULL;
  if (psprobe_event_legacy(event, &legacy, NULL) != PSPROBE_OK) return;
  FUZZ_ASSERT(psp_json_parse(legacy.context, strlen(legacy.context), "", &json, NULL) ==
              PSPROBE_OK);
  FUZZ_ASSERT(psp_json_is_object(json));
  psp_json_free(json);
  json = NULL;
  FUZZ_ASSERT(psp_json_parse(legacy.data, strlen(legacy.data), "", &json, NULL) == PSPROBE_OK);
  psp_json_free(json);
  psprobe_legacy_event_free(&legacy);
}

static void look_at_json(const psprobe_event *event) {
  static const psprobe_attribute type = {"Content-Type", "application/cloudevents+json"};
  psprobe_error error = {0};
  psprobe_events *again = NULL;
  /* Its message stood in headers, which do not go along: what is left need not be whole. */
  if (event->form == PSPROBE_EVENT_BINARY && event->message != NULL) return;
  char *text = psprobe_event_json(event, NULL);
  FUZZ_ASSERT(text != NULL);
  psprobe_event_request request = {
      .headers = &type, .header_count = 1, .body = text, .body_len = strlen(text)};
  psprobe_code code = psprobe_events_decode(&request, &again, &error);
  if (code != PSPROBE_OK) fprintf(stderr, "%s\n%s\n", error.message, text);
  FUZZ_ASSERT(code == PSPROBE_OK);
  const psprobe_event *read = psprobe_events_get(again, 0);
  FUZZ_ASSERT(strcmp(read->id, event->id) == 0 && strcmp(read->type, event->type) == 0);
  FUZZ_ASSERT((read->kind == PSPROBE_DATA_NONE) == (event->kind == PSPROBE_DATA_NONE));
  psprobe_events_free(again);
  free(text);
}

static void look_at(const psprobe_event *event, psprobe_event_want want) {
  if (event->message != NULL) fuzz_look_at(event->message);
  if (want == PSPROBE_WANT_CLOUDEVENT) look_at_json(event);
  look_at_legacy(event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  input in = {.text = malloc(size + 1)};
  if (in.text == NULL) return 0;
  if (size > 0) memcpy(in.text, data, size);
  in.text[size] = 0;
  cut(&in, size);
  for (int want = PSPROBE_WANT_CLOUDEVENT; want <= PSPROBE_WANT_LEGACY; want++) {
    psprobe_events *events = NULL;
    psprobe_error error = {0};
    in.request.want = (psprobe_event_want)want;
    in.request.plain = want == PSPROBE_WANT_MESSAGE;
    if (psprobe_events_decode(&in.request, &events, &error) != PSPROBE_OK) {
      FUZZ_ASSERT(error.message[0] != '\0' && events == NULL);
      continue;
    }
    for (size_t i = 0; i < psprobe_events_count(events); i++)
      look_at(psprobe_events_get(events, i), (psprobe_event_want)want);
    psprobe_events_free(events);
  }
  free(in.text);
  return 0;
}
