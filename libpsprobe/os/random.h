/* SPDX-License-Identifier: MIT */
#ifndef PSP_OS_RANDOM_H
#define PSP_OS_RANDOM_H
/** @file The kernel's random numbers, and ids made of them. */
#include <stdbool.h>
#include <stddef.h>

#include "base/id.h"

/** `len` bytes from getrandom(2). False: the kernel refused (never seen). */
bool psp_random(void *out, size_t len);
/** 128 random bits in text. */
bool psp_id_new(char out[PSP_ID_SIZE]);

#endif
