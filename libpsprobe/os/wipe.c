/* SPDX-License-Identifier: MIT */
/** @file Memory that OpenSSL frees, wiped. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include <psprobe/auth.h>

/*
 * OpenSSL's decoders free pieces of a key as they are. The real size of a piece is asked of the
 * allocator, which is the one thing that knows it.
 */
static void wipe_free(void *memory) {
  if (memory != NULL) explicit_bzero(memory, malloc_usable_size(memory));
  free(memory);
}

/* Never in place, so that what it leaves is wiped too. */
static void *wipe_realloc(void *memory, size_t size) {
  void *moved = size > 0 ? malloc(size) : NULL;
  if (size > 0 && moved == NULL) return NULL;
  if (memory != NULL && moved != NULL) {
    size_t old = malloc_usable_size(memory);
    memcpy(moved, memory, old < size ? old : size);
  }
  wipe_free(memory);
  return moved;
}

static void *openssl_malloc(size_t size, const char *file, int line) {
  (void)file, (void)line;
  return malloc(size);
}

static void *openssl_realloc(void *memory, size_t size, const char *file, int line) {
  (void)file, (void)line;
  return wipe_realloc(memory, size);
}

static void openssl_free(void *memory, const char *file, int line) {
  (void)file, (void)line;
  wipe_free(memory);
}

bool psprobe_wipe_freed_memory(void) {
  /* Refused once OpenSSL has given out memory: those pieces may not be wiped, the rest works. */
  return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}
