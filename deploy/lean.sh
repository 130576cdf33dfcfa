#!/bin/sh
# SPDX-License-Identifier: MIT
# With what the programs are linked, as a file of linker's words. libcurl and libmicrohttpd come with some thirty
# libraries for LDAP, Kerberos, RTMP, SSH and a server's TLS, none of which a program of ours can reach: it speaks
# HTTP(S), and its server speaks HTTP. Loading them takes longer than all else before a program listens, and half
# of its memory. So these two are linked from their archives, without those libraries; to come to one nevertheless
# ends the program with a message. OpenSSL, which libcurl would start at once, starts itself when TLS is first used.
# Where that cannot be linked (another distribution's archives) it is the shared libraries, and this says so.
# usage: deploy/lean.sh FILE SHARED...    SHARED: the shared libraries' words; environment: CC, PKG_CONFIG
set -eu
out=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cc=${CC:-cc}
archives=$(${PKG_CONFIG:-pkg-config} --variable=libdir libcurl)
both="$archives/libcurl.a $archives/libmicrohttpd.a"

# From its archive too, where there is one, as a library that is loaded costs every start; the shared ones need no development package.
either() { if [ -e "$archives/lib$1.a" ]; then echo "$archives/lib$1.a"; else echo "-l:lib$1.so.$2"; fi; }

# A function for each that is left out. What libraries call when they start and end says that all is well, and
# idn2_check_version that there is none; a host's name with such letters is refused before (http/url.c).
absent() {
  cat <<'C'
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
static void absent(void) {
  static const char words[] = "psprobe: called a part of libcurl or libmicrohttpd that this program leaves out\n";
  if (write(STDERR_FILENO, words, sizeof words - 1) > 0) abort();
  abort();
}
static long nothing(void) {
  return 0;
}
int __wrap_OPENSSL_init_ssl(uint64_t options, const void *settings);
int __wrap_OPENSSL_init_ssl(uint64_t options, const void *settings) {
  (void)options, (void)settings;
  return 1;
}
C
  # shellcheck disable=SC2086 # two words
  nm -u $both 2>/dev/null | awk '$1 == "U" {print $2}' | sort -u | while read -r name; do
    case $name in
      GSS_* | gnutls_malloc) echo "extern void *$name; void *$name;" ;;
      gnutls_global_init | gnutls_global_deinit | libssh2_init | libssh2_exit | ssh_init | ssh_finalize | idn2_check_version)
        echo "long $name(void) __attribute__((alias(\"nothing\")));" ;;
      gss_* | ldap_* | ber_* | RTMP_* | gnutls_* | libssh2_* | ssh_* | sftp_* | psl_* | idn2_*)
        echo "void $name(void) __attribute__((alias(\"absent\")));" ;;
    esac
  done
}

lean() {
  [ -e "$archives/libcurl.a" ] && [ -e "$archives/libmicrohttpd.a" ] || return 1
  absent >"$work/absent.c"
  $cc -O2 -fPIC -ffunction-sections -c -o "$out.o" "$work/absent.c" || return 1
  echo "$out.o $both $(either nghttp2 14) $(either protobuf-c 1) $(either brotlidec 1) $(either brotlicommon 1) $(either zstd 1)"
  echo "-lssl -lcrypto $(either z 1) -Wl,--gc-sections -Wl,--wrap=OPENSSL_init_ssl -Wl,--as-needed"
  for word; do case $word in -lcurl | -lmicrohttpd | -lnghttp2 | -lprotobuf-c) ;; *) echo "$word" ;; esac; done
}

try() {
  printf '%s\n' '#include <curl/curl.h>' '#include <microhttpd.h>' \
    'int main(void) { return curl_global_init(0) == CURLE_OK && curl_easy_init() && MHD_start_daemon(0, 0, 0, 0, 0, 0, MHD_OPTION_END) ? 0 : 1; }' \
    >"$work/try.c"
  $cc -o "$work/try" "$work/try.c" "@$1" -pthread
}

if [ "${LEAN:-1}" = 1 ] && lean "$@" >"$work/words" && try "$work/words" 2>"$work/log"; then
  mv "$work/words" "$out"
else
  [ "${LEAN:-1}" != 1 ] || echo "The programs are linked with the shared libcurl and libmicrohttpd: their archives need more than we know."
  echo "$@" >"$out"
fi
