/* SPDX-License-Identifier: MIT */
#include "pubsub/publisher/lanes.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct psp_outgoing_lane {
  const char *key; /* NULL: of all that have none */
  psp_outgoing_list waiting;
  size_t calls; /* under way */
  bool paused;
  bool listed; /* in `due` */
  int64_t due_ns;
  psp_outgoing_lane *next, *prev; /* in `due` */
};

static int by_key(const void *a, const void *b) {
  const psp_outgoing_lane *x = a, *y = b;
  return strcmp(x->key, y->key);
}

/* ---- messages ---- */

static size_t text_size(const char *text) {
  return text != NULL ? strlen(text) + 1 : 0;
}

static char *put_text(char **at, const char *text) {
  size_t size = text_size(text);
  char *copy = *at;
  if (size == 0) return NULL;
  memcpy(copy, text, size);
  *at += size;
  return copy;
}

psp_outgoing *psp_outgoing_new(const psprobe_message *m) {
  size_t list = m->attribute_count * sizeof *m->attributes;
  size_t size = sizeof(psp_outgoing) + list + m->data_len + text_size(m->ordering_key);
  for (size_t i = 0; i < m->attribute_count; i++)
    size += text_size(m->attributes[i].key) + text_size(m->attributes[i].value);
  psp_outgoing *outgoing = malloc(size);
  if (outgoing == NULL) return NULL;
  psprobe_attribute *attributes = (psprobe_attribute *)(outgoing + 1);
  char *at = (char *)(attributes + m->attribute_count);
  *outgoing = (psp_outgoing){.bytes = size};
  psprobe_message *copy = &outgoing->message;
  for (size_t i = 0; i < m->attribute_count; i++) {
    attributes[i].key = put_text(&at, m->attributes[i].key);
    attributes[i].value = put_text(&at, m->attributes[i].value);
  }
  *copy = (psprobe_message){.attributes = attributes, .attribute_count = m->attribute_count};
  copy->ordering_key = put_text(&at, m->ordering_key);
  if (m->data_len > 0) copy->data = memcpy(at, m->data, m->data_len);
  copy->data_len = m->data_len;
  return outgoing;
}

static void append(psp_outgoing_list *list, psp_outgoing *outgoing) {
  outgoing->next = NULL;
  if (list->last != NULL)
    list->last->next = outgoing;
  else
    list->first = outgoing;
  list->last = outgoing;
  list->count++;
  list->bytes += outgoing->bytes;
}

static psp_outgoing *pop(psp_outgoing_list *list) {
  psp_outgoing *outgoing = list->first;
  list->first = outgoing->next;
  if (list->first == NULL) list->last = NULL;
  list->count--;
  list->bytes -= outgoing->bytes;
  outgoing->next = NULL;
  return outgoing;
}

/* ---- those that wait, by age ---- */

static void enlist(psp_lanes *lanes, psp_outgoing *outgoing) {
  outgoing->older = lanes->newest;
  outgoing->younger = NULL;
  if (lanes->newest != NULL)
    lanes->newest->younger = outgoing;
  else
    lanes->oldest = outgoing;
  lanes->newest = outgoing;
  lanes->waiting++;
  lanes->bytes += outgoing->bytes;
}

static void strike(psp_lanes *lanes, psp_outgoing *outgoing) {
  if (outgoing->older != NULL)
    outgoing->older->younger = outgoing->younger;
  else
    lanes->oldest = outgoing->younger;
  if (outgoing->younger != NULL)
    outgoing->younger->older = outgoing->older;
  else
    lanes->newest = outgoing->older;
  lanes->waiting--;
}

/* ---- lanes, by when they are due ---- */

static void unlist(psp_lanes *lanes, psp_outgoing_lane *lane) {
  if (!lane->listed) return;
  if (lane->prev != NULL)
    lane->prev->next = lane->next;
  else
    lanes->due = lane->next;
  if (lane->next != NULL) lane->next->prev = lane->prev;
  lane->listed = false;
}

static int64_t due_of(const psp_lanes *lanes, const psp_outgoing_lane *lane) {
  const psp_outgoing_list *w = &lane->waiting;
  const int64_t since_ns = w->first->since_ns;
  if (lanes->hurried || w->count >= lanes->batch_messages || w->bytes >= lanes->batch_bytes)
    return since_ns;
  return since_ns > INT64_MAX - lanes->delay_ns ? INT64_MAX : since_ns + lanes->delay_ns;
}

/* Whether, and when, it is due now that something about it has changed. */
static void settle(psp_lanes *lanes, psp_outgoing_lane *lane) {
  unlist(lanes, lane);
  const size_t most = lane->key != NULL ? 1 : PSP_LANE_CALLS;
  if (lane->waiting.count == 0 || lane->paused || lane->calls >= most) return;
  lane->due_ns = due_of(lanes, lane);
  psp_outgoing_lane *prev = NULL, *next = lanes->due;
  while (next != NULL && next->due_ns <= lane->due_ns) {
    prev = next;
    next = next->next;
  }
  lane->prev = prev;
  lane->next = next;
  if (next != NULL) next->prev = lane;
  if (prev != NULL)
    prev->next = lane;
  else
    lanes->due = lane;
  lane->listed = true;
}

/* One that nobody would miss goes: keys may be without number. */
static void retire(psp_lanes *lanes, psp_outgoing_lane *lane) {
  if (lane->key == NULL || lane->waiting.count > 0 || lane->calls > 0 || lane->paused) return;
  tdelete(lane, &lanes->keyed, by_key);
  free(lane);
}

static psp_outgoing_lane *find(const psp_lanes *lanes, const char *key) {
  const psp_outgoing_lane sought = {.key = key};
  if (key == NULL || *key == 0) return lanes->plain;
  psp_outgoing_lane *const *found = tfind(&sought, &lanes->keyed, by_key);
  return found != NULL ? *found : NULL;
}

static psp_outgoing_lane *make(psp_lanes *lanes, const char *key) {
  size_t size = strlen(key) + 1;
  psp_outgoing_lane *lane = calloc(1, sizeof *lane + size);
  if (lane == NULL) return NULL;
  lane->key = memcpy(lane + 1, key, size);
  if (tsearch(lane, &lanes->keyed, by_key) != NULL) return lane;
  free(lane);
  return NULL;
}

bool psp_lanes_init(psp_lanes *lanes, size_t batch_messages, size_t batch_bytes, int64_t delay_ns) {
  *lanes = (psp_lanes){
      .batch_messages = batch_messages, .batch_bytes = batch_bytes, .delay_ns = delay_ns};
  lanes->plain = calloc(1, sizeof *lanes->plain);
  return lanes->plain != NULL;
}

void psp_lanes_destroy(psp_lanes *lanes) {
  tdestroy(lanes->keyed, free);
  free(lanes->plain);
  *lanes = (psp_lanes){0};
}

/* ---- from adding to landing ---- */

psp_lane_answer psp_lanes_add(psp_lanes *lanes, psp_outgoing *outgoing, int64_t now_ns) {
  psp_outgoing_lane *lane = find(lanes, outgoing->message.ordering_key);
  if (lane == NULL) lane = make(lanes, outgoing->message.ordering_key);
  if (lane == NULL) return PSP_LANE_NO_MEMORY;
  if (lane->paused) return PSP_LANE_PAUSED;
  outgoing->lane = lane;
  outgoing->since_ns = now_ns;
  append(&lane->waiting, outgoing);
  enlist(lanes, outgoing);
  settle(lanes, lane);
  return PSP_LANE_OK;
}

psp_parcel psp_lanes_take(psp_lanes *lanes, int64_t now_ns) {
  psp_parcel parcel = {0};
  psp_outgoing_lane *lane = lanes->due;
  if (lane == NULL || lane->due_ns > now_ns) return parcel;
  parcel.lane = lane;
  psp_outgoing_list *w = &lane->waiting;
  do {
    psp_outgoing *outgoing = pop(w);
    strike(lanes, outgoing);
    append(&parcel.list, outgoing);
  } while (w->count > 0 && parcel.list.count < lanes->batch_messages &&
           parcel.list.bytes + w->first->bytes <= lanes->batch_bytes);
  lane->calls++;
  lanes->under_way += parcel.list.count;
  settle(lanes, lane);
  return parcel;
}

int64_t psp_lanes_next_ns(const psp_lanes *lanes) {
  return lanes->due != NULL ? lanes->due->due_ns : INT64_MAX;
}

void psp_lanes_landed(psp_lanes *lanes, const psp_parcel *parcel, bool failed,
                      psp_outgoing_list *fallen) {
  psp_outgoing_lane *lane = parcel->lane;
  lane->calls--;
  lanes->under_way -= parcel->list.count;
  lanes->bytes -= parcel->list.bytes;
  if (failed && lane->key != NULL) {
    lane->paused = true;
    lanes->paused++;
    while (lane->waiting.count > 0) {
      psp_outgoing *outgoing = pop(&lane->waiting);
      strike(lanes, outgoing);
      lanes->bytes -= outgoing->bytes;
      append(fallen, outgoing);
    }
  }
  settle(lanes, lane);
  retire(lanes, lane);
}

psp_outgoing *psp_lanes_drop_oldest(psp_lanes *lanes) {
  psp_outgoing *outgoing = lanes->oldest;
  if (outgoing == NULL) return NULL;
  psp_outgoing_lane *lane =
      outgoing->lane; /* it is the first there, since lanes keep their order */
  pop(&lane->waiting);
  strike(lanes, outgoing);
  lanes->bytes -= outgoing->bytes;
  settle(lanes, lane);
  retire(lanes, lane);
  return outgoing;
}

void psp_lanes_hurry(psp_lanes *lanes, bool hurried) {
  psp_outgoing_lane *all = lanes->due;
  lanes->hurried = hurried;
  lanes->due = NULL;
  while (all != NULL) {
    psp_outgoing_lane *lane = all;
    all = lane->next;
    lane->listed = false;
    settle(lanes, lane);
  }
}

void psp_lanes_resume(psp_lanes *lanes, const char *ordering_key) {
  psp_outgoing_lane *lane = find(lanes, ordering_key);
  if (lane == NULL || !lane->paused) return;
  lane->paused = false;
  lanes->paused--;
  retire(lanes, lane);
}
