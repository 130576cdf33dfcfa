/* SPDX-License-Identifier: MIT */
#ifndef PSP_GRPC_PARTS_H
#define PSP_GRPC_PARTS_H
/** @file What a session and its calls share. */
#include <nghttp2/nghttp2.h>

#include "grpc/frames.h"
#include "grpc/session.h"

typedef struct psp_rpc_list {
  psp_rpc *first, *last;
} psp_rpc_list;

struct psp_rpc {
  psp_session *session; /* NULL: in none yet */
  psp_rpc *next, *prev;
  uint64_t id;
  int32_t stream;
  const psp_rpc_events *events;
  void *arg;
  int64_t deadline_ns;
  int64_t heard_ns;     /* when something of a message came last, or it began */
  psp_rpc_meter *meter; /* may be NULL */

  const char *path;     /* client */
  psp_fields given;     /* client: what to send. server: what goes with the status, encoded */
  psp_fields head, end; /* what came */
  psp_frames in;
  size_t held;       /* bytes of it that the meter knows */
  size_t unconsumed; /* bytes of the window */
  uint32_t window;   /* at most what the session's options say */
  size_t filled;     /* bytes that came since filling_ns, until a window of them is there */
  int64_t filling_ns;
  psp_buf out;      /* messages, copied and framed */
  const char *body; /* client: the one message there is, instead; NULL: none */
  size_t body_len;
  char body_head[PSP_FRAME_HEAD];
  size_t out_at;     /* of either are sent */
  psprobe_code code; /* server: how it is to end */
  psp_buf message;   /* server: grpc-message, encoded; client: the same, decoded */
  int http_status;
  bool last;      /* nothing is added to `out` any more */
  bool deferred;  /* nghttp2 waits for more of it */
  bool answered;  /* server: its head is queued. client: it has come */
  bool all_given; /* nghttp2 has all of it, to its end */
  bool sent;      /* client: its head has left. server: its end has */
  bool paused, telling;
  bool asked;       /* a message has come, and no status was given */
  bool deaf;        /* server: nothing that comes is told any more */
  bool remote_last; /* the peer has said all */
  bool ended;       /* `end` was told */
  bool closed;      /* nghttp2 knows it no more */
};

struct psp_session {
  nghttp2_session *http2;
  psp_session_options options;
  psp_rpc_list calls;
  psp_buf *out;           /* while it is given out */
  uint32_t first_window;  /* of a call */
  unsigned live, asked;   /* asked: those of them that are */
  int64_t now_ns, due_ns; /* due: no deadline passes before */
  bool greeted, leaving, over, sweep;
  bool answered; /* heads or data have come since the last ping */
  char why[160];
};

/** Server and client: what nghttp2 tells is told by told.c. */
void psp_session_set_callbacks(nghttp2_session_callbacks *callbacks);
/** nghttp2 has a DATA frame of a call written. */
int psp_rpc_write_data(nghttp2_session *http2, nghttp2_frame *frame, const uint8_t *head,
                       size_t len, nghttp2_data_source *source, void *session);

void psp_rpc_append(psp_rpc_list *list, psp_rpc *rpc);
void psp_rpc_unlink(psp_rpc_list *list, psp_rpc *rpc);

/** Server: a call that begins. NULL: no memory. */
psp_rpc *psp_rpc_accept(psp_session *session, int32_t stream);
/** Tells the peer, where it is of it still; by RFC 9113's error. */
void psp_rpc_reset(psp_rpc *rpc, uint32_t error);
/** Client: gives it to nghttp2. False: that refuses it. */
bool psp_rpc_submit(psp_rpc *rpc);

/** A field has come, among the head's or at the end. */
void psp_rpc_take_field(psp_rpc *rpc, bool trailer, const uint8_t *name, size_t name_len,
                        const uint8_t *value, size_t len);
/** A head is whole. Client's; a server's is session.c's to look at. */
void psp_rpc_take_head(psp_rpc *rpc, bool last);
/** Whether the content type is gRPC's. */
bool psp_rpc_is_grpc(const psp_rpc *rpc);
void psp_rpc_take_data(psp_rpc *rpc, const uint8_t *data, size_t len);
/** Server: whether it keeps its client waiting. */
void psp_rpc_set_asked(psp_rpc *rpc, bool asked);
/** Tells the meter what is held of messages now. */
void psp_rpc_count_held(psp_rpc *rpc);
/** The peer has said all. */
void psp_rpc_take_last(psp_rpc *rpc);
/** Its stream is closed; by RFC 9113's error. */
void psp_rpc_take_close(psp_rpc *rpc, uint32_t error);
/** So many bytes fewer are unsent. */
void psp_rpc_count_sent(psp_rpc *rpc, size_t len);
/** Tells the end, once, and says nothing to the peer. */
void psp_rpc_tell_end(psp_rpc *rpc, const psp_rpc_status *status);

#endif
