/* SPDX-License-Identifier: MIT */
#include "weather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/text.h"
#include "books.h"
#include "fibers.h"
#include "os/clock.h"

#define MOST_WRITES 500
/* Twice as long as an uploader waits. */
#define ASTRAY_NS (60 * PSP_SECOND_NS)

static sim_weather weather;

/* Of a batch, what the service does not take this time. */
typedef struct part {
  char *body;
  size_t len;
  size_t count;
  bool left_out[MOST_WRITES];
  int code;
} part;

/* A rate for this world: often none at all, seldom a high one. */
static unsigned rate(unsigned most) {
  if (sim_odds(SIM_SHAPE, 400)) return 0;
  return (unsigned)sim_below(SIM_SHAPE, sim_odds(SIM_SHAPE, 250) ? most : most / 5 + 1);
}

void sim_weather_begin(void) {
  weather = (sim_weather){.calm = true};
  weather.least_ns = (int64_t)sim_below(SIM_SHAPE, 2 * PSP_MS_NS);
  weather.most_ns =
      weather.least_ns + 1 +
      (int64_t)sim_below(SIM_SHAPE, sim_odds(SIM_SHAPE, 300) ? 400 * PSP_MS_NS : 20 * PSP_MS_NS);
  weather.far = rate(200);
  weather.lost = rate(400);
  weather.silent = rate(400);
  weather.again = rate(500);
  weather.edges = rate(900);
  weather.refuse = rate(500);
  weather.partial = rate(600);
  weather.astray = rate(500);
}

void sim_weather_calm(bool calm) {
  weather.calm = calm;
}

void sim_weather_tell(void) {
  sim_trace(
      "weather: %lld to %lld ns a way, of a thousand: %u far, %u lost, %u silent, %u twice, "
      "%u at an edge, %u refused, %u in part, %u astray",
      (long long)weather.least_ns, (long long)weather.most_ns, weather.far, weather.lost,
      weather.silent, weather.again, weather.edges, weather.refuse, weather.partial,
      weather.astray);
}

/* ---- a batch that is taken in part ---- */

static void take_part(sim_call *call) {
  part *p = calloc(1, sizeof *p);
  cJSON *json = cJSON_ParseWithLength(call->body, call->body_len);
  cJSON *writes = cJSON_GetObjectItem(json, "writes");
  if (p == NULL || writes == NULL) abort();
  static const int codes[] = {4, 8, 10, 13, 14};
  p->code = codes[sim_below(SIM_WEATHER, sizeof codes / sizeof *codes)];
  p->count = (size_t)cJSON_GetArraySize(writes);
  if (p->count > MOST_WRITES) abort();
  for (size_t i = p->count; i-- > 0;) {
    p->left_out[i] = sim_odds(SIM_WEATHER, 400);
    if (p->left_out[i]) cJSON_DeleteItemFromArray(writes, (int)i);
  }
  p->body = cJSON_PrintUnformatted(json);
  p->len = strlen(p->body);
  cJSON_Delete(json);
  call->note = p;
}

static char *put_back(const part *p, const char *body, size_t len) {
  cJSON *json = cJSON_ParseWithLength(body, len);
  cJSON *results = cJSON_GetObjectItem(json, "writeResults");
  cJSON *statuses = cJSON_GetObjectItem(json, "status");
  if (results == NULL) results = cJSON_AddArrayToObject(json, "writeResults");
  if (statuses == NULL) statuses = cJSON_AddArrayToObject(json, "status");
  for (size_t i = 0; i < p->count; i++) {
    if (!p->left_out[i]) continue;
    cJSON *status = cJSON_CreateObject();
    cJSON_AddNumberToObject(status, "code", p->code);
    cJSON_AddStringToObject(status, "message", "not this time");
    cJSON_InsertItemInArray(results, (int)i, cJSON_CreateObject());
    cJSON_InsertItemInArray(statuses, (int)i, status);
  }
  char *text = cJSON_PrintUnformatted(json);
  cJSON_Delete(json);
  return text;
}

const char *sim_body_of(const sim_call *call, size_t *len) {
  const part *p = call->note;
  if (len != NULL) *len = p != NULL ? p->len : call->body_len;
  return p != NULL ? p->body : call->body;
}

void sim_answer_through(sim_call *call, int status, const psp_header *headers, size_t count,
                        const char *body, size_t len) {
  part *p = call->note;
  if (p == NULL || status != 200) {
    sim_call_answer(call, status, headers, count, body, len);
    return;
  }
  char *text = put_back(p, body, len);
  sim_call_answer(call, status, headers, count, text, strlen(text));
  free(text);
}

/* ---- the fate of a request ---- */

static int64_t way(void) {
  int64_t ns = weather.least_ns +
               (int64_t)sim_below(SIM_WEATHER, (uint64_t)(weather.most_ns - weather.least_ns));
  return sim_odds(SIM_WEATHER, weather.far) ? ns * (1 + (int64_t)sim_below(SIM_WEATHER, 100)) : ns;
}

/* What Google, or something before it, says instead. */
static void refuse(sim_fate *fate) {
  static const struct {
    int status;
    const char *body, *retry;
  } words[] = {
      {429,
       "{\"error\":{\"code\":429,\"message\":\"slow down\",\"status\":\"RESOURCE_EXHAUSTED\"}}",
       NULL},
      {429,
       "{\"error\":{\"code\":429,\"message\":\"slow down\",\"status\":\"RESOURCE_EXHAUSTED\"}}",
       "3"},
      {503, "{\"error\":{\"code\":503,\"message\":\"not now\",\"status\":\"UNAVAILABLE\"}}", NULL},
      {409, "{\"error\":{\"code\":409,\"message\":\"contention\",\"status\":\"ABORTED\"}}", NULL},
      {500, "{\"error\":{\"code\":500,\"message\":\"our fault\",\"status\":\"INTERNAL\"}}", NULL},
      {504, "{\"error\":{\"code\":504,\"message\":\"too slow\",\"status\":\"DEADLINE_EXCEEDED\"}}",
       NULL},
      {502, "<html>Bad Gateway</html>", NULL},
  };
  uint64_t which = sim_below(SIM_WEATHER, sizeof words / sizeof *words);
  fate->status = words[which].status;
  fate->body = words[which].body;
  fate->retry = words[which].retry;
}

/* An answer of a responder that comes when it is late, or for nothing, by a nanosecond. */
static void go_to_edge(const sim_call *call, sim_fate *fate) {
  int64_t edge = sim_book_edge(sim_call_path(call), (int64_t)sim_below(SIM_WEATHER, 3) - 1,
                               sim_odds(SIM_WEATHER, 300) ? 2 : 1);
  if (edge > sim_now()) fate->there_ns = edge - sim_now();
}

static void go_to_google(sim_call *call, sim_fate *fate) {
  fate->again_ns = -1; /* what is published twice has two messages, and is published by a retry */
  if (sim_odds(SIM_WEATHER, weather.refuse)) {
    refuse(fate);
    if (fate->there_ns < 0) fate->there_ns = way();
  } else if (psp_text_ends(call->url, ":batchWrite")) {
    if (sim_odds(SIM_WEATHER, weather.partial)) take_part(call);
    if (sim_odds(SIM_WEATHER, weather.astray))
      fate->there_ns = (int64_t)sim_below(SIM_WEATHER, ASTRAY_NS);
  }
}

sim_fate sim_fate_of(sim_call *call) {
  sim_fate fate = {.there_ns = 50 * PSP_US_NS, .back_ns = 50 * PSP_US_NS, .again_ns = -1};
  sim_saw_request(call);
  if (weather.calm || call->from == SIM_WORLD) return fate;
  int to = sim_serves(call->url);
  fate.there_ns = sim_odds(SIM_WEATHER, weather.lost) ? -1 : way();
  fate.back_ns = sim_odds(SIM_WEATHER, weather.silent) ? -1 : way();
  if (sim_odds(SIM_WEATHER, weather.again)) fate.again_ns = way();
  if (to == SIM_GOOGLE) {
    go_to_google(call, &fate);
  } else if (to == SIM_PROBER && sim_odds(SIM_WEATHER, weather.edges)) {
    go_to_edge(call, &fate);
  }
  return fate;
}
