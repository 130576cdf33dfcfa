/* SPDX-License-Identifier: MIT */
#ifndef PSP_HTTP_CLIENT_HANDLE_H
#define PSP_HTTP_CLIENT_HANDLE_H
/** @file What each of curl's handles has in common, whatever it is for. */
#include <curl/curl.h>

/** No signals, no Kerberos, a proxy's head for nobody, and no wait for a name server at the end. */
void psp_handle_settle(CURL *easy);

#endif
