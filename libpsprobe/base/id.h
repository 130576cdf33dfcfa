/* SPDX-License-Identifier: MIT */
#ifndef PSP_BASE_ID_H
#define PSP_BASE_ID_H
/** @file Random ids. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PSP_ID_SIZE 33

/** `len` bytes from getrandom(2). False: the kernel refused (never seen). */
bool psp_random(void *out, size_t len);
/** 128 random bits as 32 lower-case hexadecimal digits. */
bool psp_id_new(char out[PSP_ID_SIZE]);
/** Reads back what psp_id_new wrote. False: not of that form. */
bool psp_id_parse(const char *text, uint64_t out[2]);
void psp_id_format(char out[PSP_ID_SIZE], const uint64_t id[2]);

#endif
