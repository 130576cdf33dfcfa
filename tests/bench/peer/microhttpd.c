/* SPDX-License-Identifier: MIT */
/** @file The least that a function in C can be: libmicrohttpd, one thread, 204 to everything. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <unistd.h>

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *len, void **state) {
  (void)url, (void)method, (void)version, (void)data;
  if (*state == NULL) {
    *state = arg;
    return MHD_YES;
  }
  if (*len > 0) {
    *len = 0;
    return MHD_YES;
  }
  return MHD_queue_response(connection, 204, arg);
}

int main(int argc, char **argv) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)atoi(argc > 1 ? argv[1] : "8080")),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct MHD_Response *empty = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
  if (MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, empty,
                       MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_END) == NULL)
    return 1;
  for (;;)
    pause();
}
