/* SPDX-License-Identifier: MIT */
#include "fake_cloud.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "raw_server.h"

#define RULES 16
#define P     "/v1/projects/demo-project"

typedef struct rule {
  const char *part;
  int status;
  const char *body;
} rule;

struct fake_cloud {
  raw_server *raw;
  char url[64];
  pthread_mutex_t lock;
  int64_t clock_s;
  rule rules[RULES]; /* the tests' */
  unsigned count;
  psp_buf lines; /* of all requests */
};

static const rule usual[] = {
    {"POST /token", 200,
     "{\"access_token\":\"" FAKE_CLOUD_TOKEN "\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"},
    {"GET /computeMetadata/v1/instance/service-accounts/default/token", 200,
     "{\"access_token\":\"" FAKE_CLOUD_TOKEN "\",\"expires_in\":3599,\"token_type\":\"Bearer\"}"},
    {"GET /computeMetadata/v1/instance/service-accounts/default/email", 200, FAKE_CLOUD_ACCOUNT},
    {"GET /computeMetadata/v1/project/project-id", 200, "demo-project"},
    {"GET /computeMetadata/v1/universe", 404, ""},
    {"GET /computeMetadata", 200, "there"},
    {"GET " P "/topics/probes ", 200, "{\"name\":\"projects/demo-project/topics/probes\"}"},
    {"POST " P "/topics/probes:testIamPermissions ", 200,
     "{\"permissions\":[\"pubsub.topics.get\",\"pubsub.topics.publish\"]}"},
    {"GET " P "/subscriptions/probes-regular-service ", 200,
     "{\"name\":\"projects/demo-project/subscriptions/probes-regular-service\","
     "\"topic\":\"projects/demo-project/topics/probes\",\"pushConfig\":{},"
     "\"ackDeadlineSeconds\":10,\"state\":\"ACTIVE\"}"},
    {"POST " P "/subscriptions/probes-regular-service:testIamPermissions ", 200,
     "{\"permissions\":[\"pubsub.subscriptions.consume\"]}"},
    {"GET " P "/subscriptions/probes-cloud-function ", 200,
     "{\"name\":\"projects/demo-project/subscriptions/probes-cloud-function\","
     "\"topic\":\"projects/demo-project/topics/probes\","
     "\"pushConfig\":{\"pushEndpoint\":\"https://function.example/\"},"
     "\"ackDeadlineSeconds\":10,\"state\":\"ACTIVE\"}"},
    {"GET " P "/databases/%28default%29/documents/pubsub_results", 200, "{}"},
    {"POST " P ":testIamPermissions ", 200,
     "{\"permissions\":[\"datastore.entities.create\",\"datastore.entities.get\","
     "\"datastore.entities.list\",\"datastore.entities.update\"]}"},
    {"", 404, "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>"},
};

static const rule unauthenticated = {
    "", 401,
    "{\"error\":{\"code\":401,\"message\":\"Request is missing required authentication "
    "credential.\",\"status\":\"UNAUTHENTICATED\"}}"};

static const rule *find(fake_cloud *google, const char *head, const char *line) {
  for (unsigned i = 0; i < google->count; i++)
    if (strstr(line, google->rules[i].part) != NULL) return &google->rules[i];
  if (strstr(line, " /v1/") != NULL && strcasestr(head, "\r\nauthorization: Bearer ") == NULL)
    return &unauthenticated;
  size_t i = 0;
  while (strstr(line, usual[i].part) == NULL)
    i++;
  return &usual[i];
}

/* False: the connection is to be closed. */
static bool answer(fake_cloud *google, int fd, const char *head, psp_buf *out) {
  char line[600], date[64];
  snprintf(line, sizeof line, "%.*s", (int)strcspn(head, "\r"), head);
  pthread_mutex_lock(&google->lock);
  psp_buf_printf(&google->lines, "%s\n", line);
  rule found = *find(google, head, line);
  time_t now = time(NULL) + (time_t)google->clock_s;
  pthread_mutex_unlock(&google->lock);
  char byte;
  while (found.status < 0 && recv(fd, &byte, 1, 0) > 0) {
  }
  if (found.status <= 0) return false;
  struct tm parts;
  gmtime_r(&now, &parts);
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  psp_buf_printf(out,
                 "HTTP/1.1 %d Whatever\r\nDate: %s\r\nMetadata-Flavor: Google\r\n"
                 "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                 found.status, date, found.body[0] == '{' ? "application/json" : "text/html",
                 strlen(found.body), found.body);
  return true;
}

static bool read_request(int fd, psp_buf *head) {
  char byte;
  psp_buf_reset(head);
  while (head->len < 4 || memcmp(head->data + head->len - 4, "\r\n\r\n", 4) != 0) {
    if (recv(fd, &byte, 1, 0) != 1) return false;
    psp_buf_char(head, byte);
  }
  const char *length = strcasestr(head->data, "\r\ncontent-length:");
  for (long left = length != NULL ? atol(length + 17) : 0; left > 0; left--)
    if (recv(fd, &byte, 1, 0) != 1) return false;
  return true;
}

static void talk(void *arg, int fd, int nth) {
  fake_cloud *google = arg;
  psp_buf head = {0}, out = {0};
  (void)nth;
  while (read_request(fd, &head)) {
    psp_buf_reset(&out);
    if (!answer(google, fd, head.data, &out)) break;
    if (send(fd, out.data, out.len, MSG_NOSIGNAL) != (ssize_t)out.len) break;
  }
  psp_buf_free(&head);
  psp_buf_free(&out);
}

fake_cloud *fake_cloud_start(void) {
  fake_cloud *google = calloc(1, sizeof *google);
  assert_non_null(google);
  pthread_mutex_init(&google->lock, NULL);
  google->raw = raw_server_start(talk, google);
  snprintf(google->url, sizeof google->url, "http://127.0.0.1:%d", raw_server_port(google->raw));
  return google;
}

void fake_cloud_stop(fake_cloud *google) {
  raw_server_stop(google->raw);
  pthread_mutex_destroy(&google->lock);
  psp_buf_free(&google->lines);
  free(google);
}

const char *fake_cloud_url(const fake_cloud *google) {
  return google->url;
}

void fake_cloud_set_clock(fake_cloud *google, int64_t seconds) {
  pthread_mutex_lock(&google->lock);
  google->clock_s = seconds;
  pthread_mutex_unlock(&google->lock);
}

void fake_cloud_set(fake_cloud *google, const char *part, int status, const char *body) {
  pthread_mutex_lock(&google->lock);
  assert_true(google->count < RULES);
  google->rules[google->count++] = (rule){part, status, body};
  pthread_mutex_unlock(&google->lock);
}

unsigned fake_cloud_count(fake_cloud *google, const char *part) {
  unsigned count = 0;
  pthread_mutex_lock(&google->lock);
  for (const char *line = google->lines.data; line != NULL && *line != 0;) {
    const char *end = strchr(line, '\n');
    const char *at = strstr(line, part);
    if (at != NULL && at < end) count++;
    line = end + 1;
  }
  pthread_mutex_unlock(&google->lock);
  return count;
}
