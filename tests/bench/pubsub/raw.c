/* SPDX-License-Identifier: MIT */
/** @file The peer that is a floor: HTTP/2 frames and Pub/Sub's messages written by hand to a
 * socket, on one thread, with nothing looked at but what is needed. It publishes calls of 100
 * messages, ten under way; it acknowledges each answer of the stream by a call.
 * usage: raw HOST:PORT PROJECT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"

#define BATCH     100
#define UNDER_WAY 10
#define WINDOW    0x7fffffff /* of both sides' most: none is ever given back here */
#define FRAME     16384
#define ROOM      ((size_t)4 << 20)
#define STREAM    1 /* the first call of a connection that pulls */

enum { DATA = 0, HEADERS = 1, RESET = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8 };
enum { ACK = 1, END_STREAM = 1, END_HEADERS = 4 };

static struct sockaddr_in broker;
static const char *host, *project;

/* ---- bytes ---- */

typedef struct bytes {
  uint8_t at[ROOM];
  size_t len;
} bytes;

static void put(bytes *b, const void *data, size_t len) {
  bench_need(b->len + len <= ROOM, "no room");
  memcpy(b->at + b->len, data, len);
  b->len += len;
}

static void put_byte(bytes *b, unsigned byte) {
  const uint8_t one = (uint8_t)byte;
  put(b, &one, 1);
}

static void put_number(bytes *b, uint32_t number) {
  const uint32_t wire = htonl(number);
  put(b, &wire, sizeof wire);
}

static void put_varint(bytes *b, uint64_t value) {
  for (; value > 127; value >>= 7)
    put_byte(b, (unsigned)(value & 127) | 128);
  put_byte(b, (unsigned)value);
}

static void put_field(bytes *b, unsigned field, const void *data, size_t len) {
  put_byte(b, field << 3 | 2);
  put_varint(b, len);
  put(b, data, len);
}

static uint64_t take_varint(const uint8_t **at, const uint8_t *end) {
  uint64_t value = 0;
  for (int shift = 0; *at < end && shift < 64; shift += 7) {
    const uint8_t byte = *(*at)++;
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) return value;
  }
  bench_need(false, "not a varint");
  return 0;
}

typedef struct field {
  unsigned number;
  const uint8_t *data; /* NULL: a number */
  size_t len;
} field;

static bool take_field(const uint8_t **at, const uint8_t *end, field *f) {
  if (*at >= end) return false;
  const uint64_t tag = take_varint(at, end), value = take_varint(at, end);
  *f = (field){.number = (unsigned)(tag >> 3)};
  if ((tag & 7) == 0) return true;
  bench_need((tag & 7) == 2 && value <= (uint64_t)(end - *at), "not a message");
  f->data = *at;
  f->len = (size_t)value;
  *at += value;
  return true;
}

/* ---- a connection ---- */

typedef struct wire {
  int fd;
  bytes in, out;
  uint32_t next;   /* stream */
  int64_t window;  /* how much may be sent */
  size_t streamed; /* of the stream's next message */
  uint8_t *message;
  bool greeted;
  int open;     /* calls that have no answer yet */
  int answered; /* with something in it */
} wire;

/* What a message of the stream is given to. */
typedef void taker(wire *w, const uint8_t *message, size_t len);

static void put_frame(bytes *b, size_t len, unsigned type, unsigned flags, uint32_t stream) {
  put_number(b, (uint32_t)len << 8 | type);
  put_byte(b, flags);
  put_number(b, stream);
}

static void flush(wire *w) {
  for (size_t at = 0; at < w->out.len;) {
    ssize_t n = send(w->fd, w->out.at + at, w->out.len - at, MSG_NOSIGNAL);
    bench_need(n > 0, "send");
    at += (size_t)n;
  }
  w->out.len = 0;
}

static void put_text(bytes *b, const char *text) {
  bench_need(strlen(text) < 127, "a long header");
  put_byte(b, (unsigned)strlen(text));
  put(b, text, strlen(text));
}

/* HPACK (RFC 7541) by its static table, with nothing indexed. */
static void put_head(bytes *b, const char *method) {
  put(b, "\x83\x86\x04", 3); /* :method POST, :scheme http, :path */
  put_text(b, method);
  put_byte(b, 1); /* :authority */
  put_text(b, host);
  put(b, "\x0f\x10", 2); /* content-type */
  put_text(b, "application/grpc");
  put_byte(b, 0);
  put_text(b, "te");
  put_text(b, "trailers");
}

static void begin_call(wire *w, const char *method, const bytes *message, bool only) {
  static bytes head, body;
  head.len = body.len = 0;
  put_head(&head, method);
  put_byte(&body, 0);
  put_number(&body, (uint32_t)message->len);
  put(&body, message->at, message->len);
  put_frame(&w->out, head.len, HEADERS, END_HEADERS, w->next);
  put(&w->out, head.at, head.len);
  for (size_t at = 0, n; at < body.len; at += n) {
    n = body.len - at < FRAME ? body.len - at : FRAME;
    put_frame(&w->out, n, DATA, only && at + n == body.len ? END_STREAM : 0, w->next);
    put(&w->out, body.at + at, n);
  }
  w->window -= (int64_t)body.len;
  w->next += 2;
  if (only) w->open++;
  flush(w);
}

static uint32_t number_at(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Pieces of gRPC's messages. */
static void take_stream(wire *w, const uint8_t *data, size_t len, taker *take) {
  bench_need(w->streamed + len <= ROOM, "a long answer");
  memcpy(w->message + w->streamed, data, len);
  w->streamed += len;
  size_t at = 0;
  while (w->streamed - at >= 5 && w->streamed - at - 5 >= number_at(w->message + at + 1)) {
    const size_t size = number_at(w->message + at + 1);
    take(w, w->message + at + 5, size);
    at += 5 + size;
  }
  memmove(w->message, w->message + at, w->streamed - at);
  w->streamed -= at;
}

static void take_frame(wire *w, const uint8_t *frame, size_t len, taker *take) {
  const unsigned type = frame[3], flags = frame[4];
  const uint32_t stream = number_at(frame + 5);
  const uint8_t *data = frame + 9;
  if (type == DATA && take != NULL && stream == STREAM) {
    take_stream(w, data, len, take);
  } else if (type == DATA) {
    w->answered += len >= 5;
  } else if (type == HEADERS && (flags & END_STREAM) != 0) {
    bench_need(take == NULL || stream != STREAM, "the stream has ended");
    w->open--;
  } else if (type == WINDOW_UPDATE && stream == 0) {
    w->window += number_at(data);
  } else if ((type == SETTINGS || type == PING) && (flags & ACK) == 0) {
    const size_t back = type == PING ? len : 0;
    w->greeted = true;
    put_frame(&w->out, back, type, ACK, 0);
    put(&w->out, data, back);
    flush(w);
  }
  bench_need(type != RESET && type != GOAWAY, "the broker ends it");
}

/* What is there, or else waits for some. */
static void take_some(wire *w, taker *take) {
  ssize_t n = recv(w->fd, w->in.at + w->in.len, ROOM - w->in.len, 0);
  bench_need(n > 0, "recv");
  w->in.len += (size_t)n;
  size_t at = 0;
  while (w->in.len - at >= 9) {
    const size_t len = number_at(w->in.at + at) >> 8;
    if (w->in.len - at - 9 < len) break;
    take_frame(w, w->in.at + at, len, take);
    at += 9 + len;
  }
  memmove(w->in.at, w->in.at + at, w->in.len - at);
  w->in.len -= at;
}

static wire *wire_open(void) {
  static const uint8_t settings[] = {0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff};
  wire *w = calloc(1, sizeof *w);
  const int one = 1;
  bench_need(w != NULL && (w->message = malloc(ROOM)) != NULL, "no memory");
  w->fd = socket(AF_INET, SOCK_STREAM, 0);
  w->next = STREAM;
  w->window = 65535;
  bench_need(connect(w->fd, (struct sockaddr *)&broker, sizeof broker) == 0, "connect");
  setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  put(&w->out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
  put_frame(&w->out, sizeof settings, SETTINGS, 0, 0); /* no push; the window */
  put(&w->out, settings, sizeof settings);
  put_frame(&w->out, 4, WINDOW_UPDATE, 0, 0);
  put_number(&w->out, WINDOW - 65535);
  flush(w);
  while (!w->greeted)
    take_some(w, NULL);
  return w;
}

static void wire_close(wire *w) {
  close(w->fd);
  free(w->message);
  free(w);
}

/* Each call was answered, and not by an error, which has no message. */
static void await_answers(wire *w, int calls, taker *take) {
  while (w->open > 0)
    take_some(w, take);
  bench_need(w->answered == calls, "a call has failed");
}

/* ---- publishing ---- */

static const char *name_of(char out[512], const char *kind, const char *id) {
  snprintf(out, 512, "projects/%s/%s/%s", project, kind, id);
  return out;
}

static void begin_publish(wire *w, const char *topic, const void *data, size_t size, int count) {
  static bytes request, message;
  char name[512];
  request.len = message.len = 0;
  name_of(name, "topics", topic);
  put_field(&request, 1, name, strlen(name));
  put_field(&message, 1, data, size);
  for (int i = 0; i < count; i++)
    put_field(&request, 2, message.at, message.len);
  while (w->window < (int64_t)request.len + 5)
    take_some(w, NULL);
  begin_call(w, "/google.pubsub.v1.Publisher/Publish", &request, true);
}

static void publish(const char *topic, int count, int size) {
  wire *w = wire_open();
  char *data = malloc((size_t)size);
  int calls = 0;
  bench_need(data != NULL, "no memory");
  memset(data, 'x', (size_t)size);
  for (int left = count, n; left > 0; left -= n, calls++) {
    n = left < BATCH ? left : BATCH;
    while (w->open >= UNDER_WAY)
      take_some(w, NULL);
    begin_publish(w, topic, data, (size_t)size, n);
  }
  await_answers(w, calls, NULL);
  free(data);
  wire_close(w);
}

/* ---- receiving ---- */

static struct {
  char name[512]; /* of the subscription */
  int count, calls;
  int64_t *came_ns;
} box;

static void note(const uint8_t *data, size_t len, int64_t now_ns) {
  char text[16] = "";
  if (box.came_ns == NULL || len >= sizeof text) return;
  memcpy(text, data, len);
  box.came_ns[atoi(text)] = now_ns;
}

static void take_received(bytes *acks, const field *received, int64_t now_ns) {
  const uint8_t *at = received->data, *end = at + received->len;
  for (field f; take_field(&at, end, &f);) {
    if (f.number == 1) put_field(acks, 2, f.data, f.len);
    if (f.number != 2) continue;
    const uint8_t *inner = f.data, *inner_end = inner + f.len;
    for (field m; take_field(&inner, inner_end, &m);)
      if (m.number == 1) note(m.data, m.len, now_ns);
  }
  box.count++;
}

static void take_answer(wire *w, const uint8_t *message, size_t len) {
  static bytes acks;
  const int64_t now_ns = bench_now_ns();
  const int before = box.count;
  const uint8_t *at = message, *end = at + len;
  acks.len = 0;
  put_field(&acks, 1, box.name, strlen(box.name));
  for (field f; take_field(&at, end, &f);)
    if (f.number == 1) take_received(&acks, &f, now_ns);
  if (box.count == before) return;
  begin_call(w, "/google.pubsub.v1.Subscriber/Acknowledge", &acks, true);
  box.calls++;
}

static wire *open_stream(const char *subscription, int64_t *came_ns) {
  static bytes request;
  wire *w = wire_open();
  box.count = box.calls = 0;
  box.came_ns = came_ns;
  name_of(box.name, "subscriptions", subscription);
  request.len = 0;
  put_field(&request, 1, box.name, strlen(box.name));
  put(&request, "\x28\x3c\x38\xe8\x07", 5); /* leases of 60 s, 1,000 messages in hand */
  begin_call(w, "/google.pubsub.v1.Subscriber/StreamingPull", &request, false);
  return w;
}

static void receive(const char *subscription, int count) {
  wire *w = open_stream(subscription, NULL);
  while (box.count < count)
    take_some(w, take_answer);
  await_answers(w, box.calls, take_answer);
  wire_close(w);
}

/* ---- both ---- */

/* Takes what comes until then; or, with no time given, once. */
static void take_until(wire *publisher, wire *puller, int64_t until_ns) {
  struct pollfd sockets[] = {{.fd = puller->fd, .events = POLLIN},
                             {.fd = publisher->fd, .events = POLLIN}};
  for (int64_t left; (left = until_ns - bench_now_ns()) > 0;) {
    const struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    if (ppoll(sockets, 2, &wait, NULL) <= 0) return;
    if (sockets[0].revents != 0) take_some(puller, take_answer);
    if (sockets[1].revents != 0) take_some(publisher, NULL);
  }
}

static void latency(const char *topic, const char *subscription, int count, const int64_t *due_ns,
                    int64_t *sent_ns, int64_t *came_ns) {
  wire *publisher = wire_open(), *puller = open_stream(subscription, came_ns);
  for (int i = 0; i < count; i++) {
    char data[16];
    const int size = snprintf(data, sizeof data, "%d", i);
    take_until(publisher, puller, due_ns[i]);
    sent_ns[i] = bench_now_ns();
    begin_publish(publisher, topic, data, (size_t)size, 1);
  }
  while (box.count < count)
    take_some(puller, take_answer);
  await_answers(publisher, count, NULL);
  await_answers(puller, box.calls, take_answer);
  wire_close(publisher);
  wire_close(puller);
}

int main(int argc, char **argv) {
  const peer raw = {publish, receive, latency};
  const char *port = argc == 3 ? strrchr(argv[1], ':') : NULL;
  bench_need(port != NULL, "usage: raw HOST:PORT PROJECT");
  host = argv[1];
  project = argv[2];
  broker = (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(port + 1)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  peer_obey(&raw);
  return 0;
}
