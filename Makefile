# SPDX-License-Identifier: MIT
# `make help` lists what there is to make. Everything built goes under build/.

CC ?= cc
AR ?= ar
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DESTDIR ?=

BUILD ?= build
SANITIZE ?=
WERROR ?=

VERSION := $(shell sed -n 's/^.define PSPROBE_VERSION "\(.*\)"/\1/p' include/psprobe/version.h)
SOVERSION := $(shell sed -n 's/^.define PSPROBE_VERSION_MAJOR \(.*\)/\1/p' include/psprobe/version.h)

# ---- third parties: what the library needs, and what only its tests do ----
DEPS := libcurl libcjson libjwt libcrypto libmicrohttpd sqlite3
DEPS_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(DEPS))
DEPS_LIBS = $(shell $(PKG_CONFIG) --libs $(DEPS))

# ---- flags: the user's CFLAGS come last and win ----
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wundef -Wvla $(if $(WERROR),-Werror)
SAN := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
ALL_CPPFLAGS = -Iinclude -Ilibpsprobe -I$(BUILD)/gen -D_GNU_SOURCE -D_FORTIFY_SOURCE=$(if $(SANITIZE),0,2) \
	$(CPPFLAGS) $(DEPS_CFLAGS)
ALL_CFLAGS = -std=c11 -fPIC -fvisibility=hidden -fstack-protector-strong -pthread $(WARN) $(SAN) $(CFLAGS)
ALL_LDFLAGS = -pthread $(SAN) $(LDFLAGS)
LIBS = $(DEPS_LIBS) -lm

# ---- what there is ----
LIB_SRC := $(sort $(wildcard libpsprobe/*/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
STATIC := $(BUILD)/libpsprobe.a
SHARED := $(BUILD)/libpsprobe.so.$(VERSION)
SONAME := libpsprobe.so.$(SOVERSION)

EXAMPLE_SRC := $(sort $(wildcard examples/*.c))
EXAMPLES := $(EXAMPLE_SRC:%.c=$(BUILD)/%)

SUPPORT_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/support/*.c)))
UNIT := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/unit/*/test_*.c)))
INTEGRATION := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/integration/test_*.c)))
TOOLS := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/tools/*.c)))
BENCH := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/bench/bench_*.c)))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all lib examples tests check check-unit check-integration check-layers bench clean help

all: lib examples ## build the library and the programs

lib: $(STATIC) $(BUILD)/libpsprobe.so $(BUILD)/$(SONAME)
examples: $(EXAMPLES)
tests: $(UNIT) $(INTEGRATION) $(TOOLS)

$(STATIC): $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

$(SHARED): $(LIB_OBJ)
	$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SONAME) -o $@ $^ $(LIBS)

$(BUILD)/$(SONAME) $(BUILD)/libpsprobe.so: $(SHARED)
	ln -sf $(notdir $(SHARED)) $@

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The programs see public headers only: no -Ilibpsprobe.
$(BUILD)/examples/%.o: ALL_CPPFLAGS = -Iinclude -D_GNU_SOURCE $(CPPFLAGS)
$(BUILD)/examples/%: $(BUILD)/examples/%.o $(STATIC)
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(STATIC) $(LIBS)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(SUPPORT_OBJ) $(STATIC)
	$(CC) $(ALL_LDFLAGS) -o $@ $< $(SUPPORT_OBJ) $(STATIC) -lcmocka $(LIBS)
$(BUILD)/tests/%.o: ALL_CPPFLAGS += -Itests/support

check: check-layers tests examples ## run every test
	@BUILD=$(BUILD) tests/run.sh $(UNIT) $(INTEGRATION)

check-unit: $(UNIT) ## run the unit tests alone
	@BUILD=$(BUILD) tests/run.sh $(UNIT)

check-layers: ## includes point one way, each third party stays in its folder
	@tests/check-layers.sh

bench: $(BENCH) examples ## run the benchmarks
	@BUILD=$(BUILD) tests/bench/run.sh $(BENCH)

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

-include $(LIB_OBJ:.o=.d) $(EXAMPLES:=.d) $(SUPPORT_OBJ:.o=.d) $(UNIT:=.d) $(INTEGRATION:=.d) $(TOOLS:=.d) $(BENCH:=.d)
