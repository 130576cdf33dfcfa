/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_CLIENT_TRANSFER_H
#define PSP_HTTP_CLIENT_TRANSFER_H
/**
 * @file
 * One request on its way through curl, and its answer. Made once, used for
 * many requests one after another, so that a warm one allocates little.
 */
#include <curl/curl.h>

#include "http/client/transport.h"

typedef struct psp_transfer {
  CURL *easy;
  psp_http_done *done;
  void *arg;
  struct psp_transfer *next; /* in the one list it is in: free, sent or finished */
  bool in_multi, cancelled;  /* the drive lock's */

  /* The queue's. */
  uint64_t id; /* of the present request; 0: none that could be cancelled */
  uint32_t place;
  bool cancel_asked, resume_asked;
  struct psp_transfer *next_asked;

  /* Of what was asked, the driver's part: the drive lock's. */
  bool cancel_due;
  struct psp_transfer *next_due;

  CURLcode result;
  char method[16]; /* for errors; cut when longer */
  psp_buf request; /* the body, then the header lines: curl reads them where they are */
  struct curl_slist *lines;
  size_t line_capacity;
  psp_buf head, body; /* of the answer */
  psp_header *headers;
  size_t header_capacity;
  size_t max_response;
  psp_http_part *part;
  void *part_arg;
  bool no_response;
  bool once;      /* never sent twice */
  unsigned begun; /* how many times it was begun to be sent, if `once` */
  bool too_large, secret;
  bool head_whole; /* its empty line was there */
  int64_t over_ns; /* monotonic: when its time is */
  char cause[CURL_ERROR_SIZE];
} psp_transfer;

/** What all transfers of a client have in common. Kept by the caller. */
typedef struct psp_transfer_defaults {
  const char *ca_file, *user_agent;
  int64_t connect_timeout_ns;
  curl_opensocket_callback open_socket;
  curl_closesocket_callback close_socket;
  void *socket_arg;
} psp_transfer_defaults;

typedef struct psp_transfer_list {
  psp_transfer *first, *last;
} psp_transfer_list;

void psp_transfer_append(psp_transfer_list *list, psp_transfer *transfer);
psp_transfer *psp_transfer_take(psp_transfer_list *list); /**< the first, or NULL */

/** NULL: no memory. */
psp_transfer *psp_transfer_new(const psp_transfer_defaults *defaults);
void psp_transfer_free(psp_transfer *transfer);

/** Copies a request into it. False: no memory. */
bool psp_transfer_prepare(psp_transfer *transfer, const psp_http_request *request);
/** Calls `done` with the answer or the error that `result` and `cancelled` tell of. */
void psp_transfer_finish(psp_transfer *transfer, const psprobe_logger *logger);
/**
 * Makes it ready for another request: lets go of a large answer's memory and keeps that of a usual
 * one. False: no memory; it can only be freed.
 */
bool psp_transfer_reset(psp_transfer *transfer, const psp_transfer_defaults *defaults);

/** Names and values from the lines of an answer's head, in place. Pure. @return how many */
size_t psp_head_split(char *head, psp_header *headers, size_t capacity);

#endif
