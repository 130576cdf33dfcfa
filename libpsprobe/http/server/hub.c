/* SPDX-License-Identifier: MIT */
#include "http/server/hub.h"

#include <stdlib.h>
#include <sys/socket.h>

psp_hub *psp_hub_new(void) {
  psp_hub *hub = calloc(1, sizeof *hub);
  if (hub == NULL) return NULL;
  pthread_mutex_init(&hub->lock, NULL);
  hub->holders = 1;
  return hub;
}

psp_hub *psp_hub_hold(psp_hub *hub) {
  atomic_fetch_add(&hub->holders, 1);
  return hub;
}

void psp_hub_release(psp_hub *hub) {
  if (hub == NULL || atomic_fetch_sub(&hub->holders, 1) > 1) return;
  pthread_mutex_destroy(&hub->lock);
  free(hub);
}

void psp_hub_pause(psp_hub *hub, psp_hub_stream *stream) {
  stream->paused = true;
  stream->next = hub->paused;
  stream->at = &hub->paused;
  if (stream->next != NULL) stream->next->at = &stream->next;
  hub->paused = stream;
  MHD_suspend_connection(stream->connection);
}

void psp_hub_resume(psp_hub_stream *stream) {
  if (!stream->paused) return;
  stream->paused = false;
  *stream->at = stream->next;
  if (stream->next != NULL) stream->next->at = stream->at;
  MHD_resume_connection(stream->connection);
}

static int socket_of(const psp_hub_stream *stream) {
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(stream->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  return info != NULL ? info->connect_fd : -1;
}

bool psp_hub_is_hung_up(const psp_hub_stream *stream) {
  char byte;
  return stream->paused && recv(socket_of(stream), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void psp_hub_drop(psp_hub_stream *stream) {
  stream->gone = true;
  if (stream->connection != NULL) shutdown(socket_of(stream), SHUT_RDWR);
  psp_hub_resume(stream);
}

void psp_hub_close(psp_hub *hub) {
  pthread_mutex_lock(&hub->lock);
  hub->closing = true;
  while (hub->paused != NULL)
    psp_hub_resume(hub->paused);
  pthread_mutex_unlock(&hub->lock);
}

void psp_hub_hang_up(psp_hub *hub, int fd) {
  pthread_mutex_lock(&hub->lock);
  psp_hub_stream *stream = hub->paused;
  while (stream != NULL && socket_of(stream) != fd)
    stream = stream->next;
  if (stream != NULL && psp_hub_is_hung_up(stream)) psp_hub_drop(stream);
  pthread_mutex_unlock(&hub->lock);
}
