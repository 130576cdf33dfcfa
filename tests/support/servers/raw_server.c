/* SPDX-License-Identifier: MIT */
#include "raw_server.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "raw_http.h"

#define MAX_CONNECTIONS 1024

typedef struct connection {
  raw_server *server;
  pthread_t thread;
  int fd, nth;
} connection;

struct raw_server {
  raw_talk *talk;
  void *arg;
  int listener, port;
  pthread_t thread;
  pthread_mutex_t lock; /* over what follows */
  int count;
  connection connections[MAX_CONNECTIONS];
};

static void *talk_to_one(void *arg) {
  connection *c = arg;
  c->server->talk(c->server->arg, c->fd, c->nth);
  shutdown(c->fd, SHUT_RDWR); /* closed when the server stops, so that its number stays ours */
  return NULL;
}

static void *accept_all(void *arg) {
  raw_server *s = arg;
  for (;;) {
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return NULL;
    pthread_mutex_lock(&s->lock);
    if (s->count == MAX_CONNECTIONS) abort();
    connection *c = &s->connections[s->count];
    *c = (connection){.server = s, .fd = fd, .nth = s->count++};
    if (pthread_create(&c->thread, NULL, talk_to_one, c) != 0) abort();
    pthread_mutex_unlock(&s->lock);
  }
}

raw_server *raw_server_start(raw_talk *talk, void *arg) {
  raw_server *s = calloc(1, sizeof *s);
  if (s == NULL) abort();
  s->talk = talk;
  s->arg = arg;
  s->listener = raw_listen(&s->port);
  pthread_mutex_init(&s->lock, NULL);
  if (pthread_create(&s->thread, NULL, accept_all, s) != 0) abort();
  return s;
}

void raw_server_stop(raw_server *s) {
  shutdown(s->listener, SHUT_RDWR);
  pthread_join(s->thread, NULL);
  for (int i = 0; i < s->count; i++)
    shutdown(s->connections[i].fd, SHUT_RDWR);
  for (int i = 0; i < s->count; i++) {
    pthread_join(s->connections[i].thread, NULL);
    close(s->connections[i].fd);
  }
  close(s->listener);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

int raw_server_port(const raw_server *s) {
  return s->port;
}

int raw_server_count(raw_server *s) {
  pthread_mutex_lock(&s->lock);
  int count = s->count;
  pthread_mutex_unlock(&s->lock);
  return count;
}
