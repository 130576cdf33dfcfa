/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_HEAD_H
#define PSP_HTTP_HEAD_H
/** @file The lines of an answer's head. Pure. */
#include "http/http.h"

/**
 * Names (made lower case) and values from the lines of a head, in place. Lines that are no header
 * are left out: the status line, the empty one, continuations. @return how many
 */
size_t psp_head_split(char *head, psp_header *headers, size_t capacity);

#endif
