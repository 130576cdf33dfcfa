/* SPDX-License-Identifier: MIT */
#include "http/answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "http/head.h"

#define MAX_HEAD    ((size_t)256 << 10)
#define MAX_INTERIM 32
#define MAX_LINE    ((size_t)8 << 10) /* of a chunk's size, with its extensions, and of a trailer */

void psp_http_answer_begin(psp_http_answer *a, bool to_head, size_t max_body) {
  psp_http_answer fresh = {.in = a->in,
                           .head = a->head,
                           .headers = a->headers,
                           .header_capacity = a->header_capacity,
                           .to_head = to_head,
                           .max_body = max_body};
  psp_buf_reset(&fresh.in);
  psp_buf_reset(&fresh.head);
  *a = fresh;
}

void psp_http_answer_free(psp_http_answer *a) {
  psp_buf_free(&a->in);
  psp_buf_free(&a->head);
  free(a->headers);
  *a = (psp_http_answer){0};
}

static psp_http_answer_state broken(psp_http_answer *a, const char *why) {
  a->why = why;
  return PSP_ANSWER_BROKEN;
}

/* Looks for the empty line. @return where the body begins; 0: not there yet */
static size_t find_head_end(psp_http_answer *a) {
  const char *data = a->in.data, *line = data + a->scanned, *newline;
  while ((newline = memchr(line, '\n', a->in.len - (size_t)(line - data))) != NULL) {
    size_t len = (size_t)(newline - line);
    if (line != data && (len == 0 || (len == 1 && *line == '\r')))
      return (size_t)(newline - data) + 1;
    line = newline + 1;
  }
  a->scanned = (size_t)(line - data);
  return 0;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK" */
static bool parse_status_line(psp_http_answer *a) {
  const char *line = a->head.data;
  if (a->head.len < 13 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ') return false;
  if (!is_digit(line[7]) || !is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11]))
    return false;
  if (line[12] != ' ' && line[12] != '\r' && line[12] != '\n') return false;
  a->status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  a->keep_alive = line[7] != '0';
  return a->status >= 100;
}

static void drop_front(psp_buf *buf, size_t len) {
  buf->len -= len;
  memmove(buf->data, buf->data + len, buf->len + 1);
}

/* Moves the head, `len` bytes, out of `in` and cuts it into headers. */
static psp_http_answer_state take_head(psp_http_answer *a, size_t len) {
  size_t lines = 0;
  psp_buf_reset(&a->head);
  psp_buf_add(&a->head, a->in.data, len);
  if (a->head.failed) return PSP_ANSWER_NO_MEMORY;
  drop_front(&a->in, len);
  a->scanned = 0;
  if (!parse_status_line(a)) return broken(a, "it is no HTTP/1.1 answer");
  for (size_t i = 0; i < len; i++) {
    lines += a->head.data[i] == '\n';
    if (a->head.data[i] == 0) return broken(a, "its head has a zero byte");
  }
  if (lines > a->header_capacity) {
    psp_header *grown = realloc(a->headers, lines * sizeof *grown);
    if (!grown) return PSP_ANSWER_NO_MEMORY;
    a->headers = grown;
    a->header_capacity = lines;
  }
  a->header_count = psp_head_split(a->head.data, a->headers, a->header_capacity);
  return PSP_ANSWER_DONE;
}

static psp_http_answer_state read_length(psp_http_answer *a, const char *value) {
  int64_t length;
  if (!psp_parse_int64(value, 0, INT64_MAX, &length))
    return broken(a, "its Content-Length is no number");
  if (a->framing == PSP_BODY_LENGTH && a->left != (uint64_t)length)
    return broken(a, "it has two Content-Lengths");
  a->framing = PSP_BODY_LENGTH;
  a->left = (uint64_t)length;
  return PSP_ANSWER_DONE;
}

static psp_http_answer_state read_header(psp_http_answer *a, const psp_header *header,
                                         bool *chunked) {
  if (strcmp(header->name, "content-length") == 0) return read_length(a, header->value);
  if (strcmp(header->name, "transfer-encoding") == 0) {
    if (strcasecmp(header->value, "chunked") != 0)
      return broken(a, "it has an unknown Transfer-Encoding");
    *chunked = true;
  } else if (strcmp(header->name, "connection") == 0) {
    if (strcasestr(header->value, "keep-alive")) a->keep_alive = true;
    if (strcasestr(header->value, "close")) a->keep_alive = false;
  }
  return PSP_ANSWER_DONE;
}

/* How the body's end will be found (RFC 9112, 6.3). */
static psp_http_answer_state choose_framing(psp_http_answer *a) {
  bool chunked = false;
  a->framing = PSP_BODY_TO_THE_END;
  for (size_t i = 0; i < a->header_count; i++) {
    psp_http_answer_state state = read_header(a, &a->headers[i], &chunked);
    if (state != PSP_ANSWER_DONE) return state;
  }
  if (a->to_head || a->status == 204 || a->status == 304) {
    a->framing = PSP_BODY_NONE;
  } else if (chunked) {
    /* With a length beside it, somebody on the way may have seen another end than we do. */
    if (a->framing == PSP_BODY_LENGTH) a->keep_alive = false;
    a->framing = PSP_BODY_CHUNKED;
    a->left = 0;
  } else if (a->framing == PSP_BODY_LENGTH) {
    if (a->left > a->max_body) return PSP_ANSWER_TOO_LARGE;
    if (a->left > a->in.len && !psp_buf_reserve(&a->in, (size_t)a->left - a->in.len))
      return PSP_ANSWER_NO_MEMORY;
  } else {
    a->keep_alive = false;
  }
  return PSP_ANSWER_DONE;
}

/* Takes one head. DONE: the one that counts; MORE: none is there, or an interim one was. */
static psp_http_answer_state parse_one_head(psp_http_answer *a) {
  static const char start[] = "HTTP/1.";
  size_t shown = a->in.len < sizeof start - 1 ? a->in.len : sizeof start - 1;
  if (a->scanned == 0 && memcmp(a->in.data, start, shown) != 0)
    return broken(a, "it is no HTTP/1.1 answer");
  size_t len = find_head_end(a);
  if ((len ? len : a->in.len) > MAX_HEAD) return PSP_ANSWER_TOO_LARGE;
  if (len == 0) return PSP_ANSWER_MORE;
  psp_http_answer_state state = take_head(a, len);
  if (state != PSP_ANSWER_DONE) return state;
  if (a->status == 101) return broken(a, "it changes the protocol");
  if (a->status >= 200) return choose_framing(a);
  return ++a->interim <= MAX_INTERIM ? PSP_ANSWER_MORE : broken(a, "only interim answers come");
}

static psp_http_answer_state parse_head(psp_http_answer *a) {
  for (;;) {
    unsigned interim = a->interim;
    psp_http_answer_state state = parse_one_head(a);
    a->head_done = state == PSP_ANSWER_DONE;
    if (state != PSP_ANSWER_MORE || a->interim == interim || a->in.len == 0) return state;
  }
}

/* Done with `len` bytes of body; what follows it nobody asked for. */
static psp_http_answer_state finish(psp_http_answer *a, size_t len, size_t used) {
  if (a->in.len > used) a->keep_alive = false;
  a->in.len = len;
  if (a->in.data) a->in.data[len] = 0;
  return PSP_ANSWER_DONE;
}

/* The line at `raw`, without its end. NULL: not whole yet. */
static char *take_line(psp_http_answer *a, size_t *len) {
  char *line = a->in.data + a->raw;
  char *newline = memchr(line, '\n', a->in.len - a->raw);
  if (!newline) return NULL;
  *len = (size_t)(newline - line);
  a->raw += *len + 1;
  if (*len > 0 && line[*len - 1] == '\r') --*len;
  return line;
}

/* "1a2b;name=value" */
static bool read_size(const char *line, size_t len, uint64_t *size) {
  size_t digits = 0;
  *size = 0;
  for (; digits < len; digits++) {
    char c = line[digits];
    int value = is_digit(c)            ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (value < 0) break;
    if (digits == 15) return false;
    *size = *size * 16 + (uint64_t)value;
  }
  return digits > 0 && (digits == len || strchr("; \t", line[digits]) != NULL);
}

static void move_chunk(psp_http_answer *a) {
  size_t there = a->in.len - a->raw, len = a->left < there ? (size_t)a->left : there;
  memmove(a->in.data + a->body_len, a->in.data + a->raw, len);
  a->body_len += len;
  a->raw += len;
  a->left -= len;
  a->after_data = a->left == 0;
}

/* After a line of a chunked body. DONE: that was the end. */
static psp_http_answer_state read_chunk_line(psp_http_answer *a, const char *line, size_t len) {
  if (a->trailers) return len == 0 ? PSP_ANSWER_DONE : PSP_ANSWER_MORE;
  if (a->after_data) {
    a->after_data = false;
    return len == 0 ? PSP_ANSWER_MORE : broken(a, "a chunk is longer than it says");
  }
  if (!read_size(line, len, &a->left)) return broken(a, "a chunk has no proper size");
  if (a->left > a->max_body - a->body_len) return PSP_ANSWER_TOO_LARGE;
  a->trailers = a->left == 0;
  return PSP_ANSWER_MORE;
}

static psp_http_answer_state parse_chunks(psp_http_answer *a) {
  for (;;) {
    if (a->left > 0) {
      move_chunk(a);
      if (a->left > 0) break;
    }
    size_t len;
    const char *line = take_line(a, &len);
    if (!line) break;
    psp_http_answer_state state = read_chunk_line(a, line, len);
    if (state == PSP_ANSWER_DONE) return finish(a, a->body_len, a->raw);
    if (state != PSP_ANSWER_MORE) return state;
  }
  if (a->in.len - a->raw > MAX_LINE) return broken(a, "a chunk has no proper size");
  /* What is left is the beginning of a line: it moves to the front, behind what is decoded. */
  memmove(a->in.data + a->body_len, a->in.data + a->raw, a->in.len - a->raw);
  a->in.len -= a->raw - a->body_len;
  a->raw = a->body_len;
  return PSP_ANSWER_MORE;
}

psp_http_answer_state psp_http_answer_parse(psp_http_answer *a) {
  if (!a->head_done) {
    if (a->in.len == 0) return PSP_ANSWER_MORE;
    psp_http_answer_state state = parse_head(a);
    if (state != PSP_ANSWER_DONE) return state;
  }
  switch (a->framing) {
    case PSP_BODY_NONE:
      return finish(a, 0, 0);
    case PSP_BODY_LENGTH:
      return a->in.len >= a->left ? finish(a, (size_t)a->left, (size_t)a->left) : PSP_ANSWER_MORE;
    case PSP_BODY_CHUNKED:
      return parse_chunks(a);
    default:
      return a->in.len > a->max_body ? PSP_ANSWER_TOO_LARGE : PSP_ANSWER_MORE;
  }
}

psp_http_answer_state psp_http_answer_end(psp_http_answer *a) {
  if (a->head_done && a->framing == PSP_BODY_TO_THE_END) return finish(a, a->in.len, a->in.len);
  return broken(a, a->in.len > 0 || a->head.len > 0 ? "the answer was cut off" : "no answer came");
}

psp_http_response psp_http_answer_response(const psp_http_answer *a) {
  return (psp_http_response){.status = a->status,
                             .body = a->in.data ? a->in.data : "",
                             .body_len = a->in.len,
                             .headers = a->headers,
                             .header_count = a->header_count};
}
