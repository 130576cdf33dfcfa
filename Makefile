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
# WERROR=1 makes warnings errors (not with sanitizers: what they put in makes gcc warn of ranges that
# cannot be); SANITIZE=address,undefined (or thread) builds with sanitizers.
WERROR ?=
SANITIZE ?=

version_h := include/psprobe/version.h
VERSION := $(shell sed -n 's/^.define PSPROBE_VERSION  *"\(.*\)"/\1/p' $(version_h))
SOVERSION := $(shell sed -n 's/^.define PSPROBE_VERSION_MAJOR  *\(.*\)/\1/p' $(version_h))

# V=1 shows the commands themselves.
ifneq ($(V),1)
Q := @
say = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),,@printf '  %-6s %s\n' $(1) $(2))
endif

# ---- third parties ----
DEPS := libcurl libcjson libjwt libssl libcrypto libmicrohttpd libnghttp2 sqlite3 zlib libprotobuf-c
DEPS_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(DEPS) 2>/dev/null)
DEPS_LIBS := $(shell $(PKG_CONFIG) --libs $(DEPS) 2>/dev/null)

# ---- flags: the user's come last and win ----
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wundef -Wvla $(if $(SANITIZE),,$(if $(WERROR),-Werror))
SAN := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all)
FORTIFY := $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
ALL_CPPFLAGS = -Iinclude -Ilibpsprobe -D_GNU_SOURCE $(FORTIFY) $(DEPS_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS = -std=c11 -fPIC -fvisibility=hidden -fstack-protector-strong -pthread $(WARN) $(SAN) \
	$(CFLAGS)
ALL_LDFLAGS = -pthread $(SAN) $(LDFLAGS)
LIBS = $(DEPS_LIBS) -lm

# ---- what there is ----
LIB_SRC := $(sort $(wildcard libpsprobe/*/*.c libpsprobe/*/*/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
STATIC := $(BUILD)/libpsprobe.a
SONAME := libpsprobe.so.$(SOVERSION)
SHARED := $(BUILD)/libpsprobe.so.$(VERSION)

PROGRAMS := $(patsubst examples/%.c,%,$(sort $(wildcard examples/*.c)))
EXAMPLES := $(PROGRAMS:%=$(BUILD)/examples/%)
# Where people run them: examples/prober is a link into build/. Other builds (BUILD=...) have none.
LINKS := $(if $(filter build,$(BUILD)),$(PROGRAMS:%=examples/%))
MANS := $(PROGRAMS:%=$(BUILD)/man/psprobe-%.1)

objects = $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard $(1))))
SUPPORT := $(addsuffix .o,$(call objects,tests/support/*.c tests/support/*/*.c))
UNIT := $(call objects,tests/unit/*/test_*.c tests/unit/*/*/test_*.c)
# It searches the process's memory, of which a sanitizer's shadow takes terabytes.
UNIT := $(if $(SANITIZE),$(filter-out %/os/test_secret_pages,$(UNIT)),$(UNIT))
INTEGRATION := $(call objects,tests/integration/test_*.c)
TOOLS := $(call objects,tests/tools/*.c)
BENCH := $(call objects,tests/bench/bench_*.c)
SIMULATIONS := $(call objects,tests/sim/test_*.c)
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
SCRIPTS := $(sort $(wildcard tests/integration/test_*.sh tests/interop/test_*.sh))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all lib examples man tests check check-once check-unit check-threads soak crowd chaos check-house bench bench-peers \
	coverage-table fuzz demo run-demo \
	image deps install uninstall format lint clean help

all: lib examples man ## build the library, the programs and their man pages

lib: $(STATIC) $(BUILD)/libpsprobe.so $(BUILD)/$(SONAME)
examples: $(EXAMPLES) $(LINKS)
man: $(MANS)
tests: $(UNIT) $(INTEGRATION) $(SIMULATIONS) $(TOOLS) $(BUILD)/tests/idtoken_vectors $(BUILD)/tests/events $(BUILD)/tests/conformance

$(STATIC): $(LIB_OBJ)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)$(AR) rcs $@ $^

$(SHARED): $(LIB_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -Wl,-soname,$(SONAME) -o $@ $^ $(LIBS)

$(BUILD)/$(SONAME) $(BUILD)/libpsprobe.so: $(SHARED)
	$(Q)ln -sf $(notdir $(SHARED)) $@

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# What protoc-c makes of proto.proto lies in the tree beside it; it is made anew where protoc-c is there.
PROTO := libpsprobe/pubsub/proto.proto
PROTOC_C := $(shell command -v protoc-c 2>/dev/null)
ifneq ($(PROTOC_C),)
libpsprobe/pubsub/wire/proto.pb-c.c: $(PROTO)
	$(call say,PROTO,$<)
	$(Q)$(PROTOC_C) --proto_path=$(<D) --c_out=$(@D) $(<F) && touch $@
endif

# The programs see public headers only: no -Ilibpsprobe, no third party's.
$(BUILD)/examples/%.o: ALL_CPPFLAGS = -Iinclude -D_GNU_SOURCE $(FORTIFY) $(CPPFLAGS)
$(BUILD)/examples/%: $(BUILD)/examples/%.o $(STATIC) $(BUILD)/programs.libs
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(STATIC) @$(BUILD)/programs.libs

# LEAN=0 links the shared libraries alone, as the tests do.
LEAN ?= 1
$(BUILD)/programs.libs: deploy/lean.sh Makefile
	@mkdir -p $(@D)
	$(Q)CC="$(CC)" PKG_CONFIG="$(PKG_CONFIG)" LEAN=$(LEAN) deploy/lean.sh $@ $(LIBS)

$(LINKS): examples/%: $(BUILD)/examples/%
	$(Q)ln -sf ../$< $@

$(BUILD)/man/psprobe-%.1: $(BUILD)/examples/%
	@mkdir -p $(@D)
	$(Q)$< --man >$@

# These take memory away from the library (tests/support/fakes/failing_malloc.h).
$(BUILD)/tests/unit/%/test_memory: ALL_LDFLAGS += \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
$(BUILD)/tests/unit/auth/test_memory: ALL_LDFLAGS += -Wl,--wrap=mmap
# These have a clock that goes faster (tests/support/fakes/fast_clock.h), and windows of their own.
$(BUILD)/tests/integration/test_stream_chaos: ALL_LDFLAGS += \
	-Wl,--wrap=psprobe_clock_monotonic,--wrap=psp_cond_wait_until,--wrap=poll,--wrap=psp_session_new
# This one has the streams of client/stream.h itself.
$(BUILD)/tests/unit/pubsub/subscriber/test_streaming: ALL_LDFLAGS += -Wl,--wrap=psp_stream_start \
	-Wl,--wrap=psp_stream_send,--wrap=psp_stream_half_close,--wrap=psp_stream_pause \
	-Wl,--wrap=psp_stream_cancel,--wrap=psp_stream_give_up
# This one sees what is done to a folder, and this holds an answer up where it is noted already.
$(BUILD)/tests/unit/results/store/test_store_power: ALL_LDFLAGS += -Wl,--wrap=renameat2,--wrap=unlink,--wrap=fsync
$(BUILD)/tests/unit/prober/test_keeping: ALL_LDFLAGS += -Wl,--wrap=psp_keeping_defer
# And this one sets the clock.
$(BUILD)/tests/unit/results/test_clock_set: ALL_LDFLAGS += -Wl,--wrap=psprobe_clock_wall
$(BUILD)/tests/%.o: ALL_CPPFLAGS += -Itests/support/fakes -Itests/support/servers -Itests/support/data
$(BUILD)/tests/%: $(BUILD)/tests/%.o $(SUPPORT) $(STATIC)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(SUPPORT) $(STATIC) -lcmocka -lssl $(LIBS)

# Loaded before the libraries of a prober that is to stop at a place.
$(BUILD)/tests/tools/stop_at.so: tests/tools/stop/stop_at.c
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) -O1 -D_GNU_SOURCE -Wall -Wextra -shared -fPIC -o $@ $< -ldl
$(BUILD)/tests/integration/test_kill: $(BUILD)/tests/tools/stop_at.so

$(BUILD)/tests/idtoken_vectors $(BUILD)/tests/events $(BUILD)/tests/conformance: $(BUILD)/tests/%: $(BUILD)/tests/tools/%
	$(Q)ln -sf tools/$* $@

# A world in a box (tests/sim/README.md): its objects come before the library's, and stand in their place,
# also where a file of the library has functions that no world needs.
SIM := $(addsuffix .o,$(filter-out $(SIMULATIONS),$(call objects,tests/sim/*.c)))
SIM_WRAPS := time pthread_join pthread_self pthread_mutex_lock pthread_mutex_unlock pthread_cond_wait \
	pthread_cond_signal pthread_cond_broadcast sqlite3_open_v2 sqlite3_close sqlite3_step sqlite3_exec \
	psp_file_lock_take psp_file_lock_release psp_outbox_take psp_batch_write_until psprobe_registry_collect psprobe_registry_new
$(SIMULATIONS): %: %.o $(SIM) $(STATIC)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $(SIM_WRAPS:%=-Wl,--wrap=%) -Wl,--allow-multiple-definition -o $@ $< $(SIM) $(STATIC) $(LIBS)

.PHONY: worlds
worlds: $(BUILD)/tests/sim/test_worlds ## a hundred thousand worlds in a box
	@PSPROBE_SIM_SEEDS=100000 $<
soak: worlds

# The report's page is embedded: our modules, and dygraphs as the distribution has it.
DYGRAPHS ?= /usr/share/javascript/dygraphs
$(BUILD)/libpsprobe/report/page/assets.o: $(wildcard libpsprobe/report/page/*.js libpsprobe/report/page/*.css) $(DYGRAPHS)/dygraph.min.js
$(BUILD)/libpsprobe/report/page/assets.o: ALL_CPPFLAGS += -DPSP_DYGRAPHS='"$(DYGRAPHS)"'

# ---- what people run; these install what is missing, then start make anew to find it ----
demo: ## run the whole experiment on this machine
	@$(MAKE) --no-print-directory deps
	@$(MAKE) --no-print-directory run-demo

run-demo:
	@echo "Building the programs (build/)"
	@$(MAKE) --no-print-directory -s -j$$(nproc) examples
	@$(if $(LINKS),,$(BUILD)/)examples/demo $(DEMO_ARGS)

check: ## run every test, plain and under ASan+UBSan
	@tests/deps.sh check
	@$(MAKE) --no-print-directory check-once
	@$(MAKE) --no-print-directory check-once BUILD=$(BUILD)/san SANITIZE=address,undefined CFLAGS="-O1 -g"

check-once: $(if $(SANITIZE),,check-house)
	@echo "Building the tests ($(BUILD)/)"
	@$(MAKE) --no-print-directory -s -j$$(nproc) all tests
	@failed=0; \
	printf '%s\n' $(UNIT) $(SIMULATIONS) | BUILD=$(BUILD) xargs -P $$(nproc) -n 50 tests/run.sh || failed=1; \
	BUILD=$(BUILD) CC="$(CC)" MAKE="$(MAKE)" $(BUILD)/tests/tools/with_emulators \
		tests/run.sh $(INTEGRATION) $(if $(SANITIZE),,$(SCRIPTS)) || failed=1; \
	[ $$failed = 0 ] || { echo "A test failed: its name stands above, after FAILED."; exit 1; }

check-unit: $(UNIT) ## run the unit tests alone
	@BUILD=$(BUILD) tests/run.sh $(UNIT)

# Tests in which threads meet say so in a line; -fsanitize=thread knows nothing of what the others would show.
THREADED := $(patsubst %.c,%,$(sort $(shell grep -rlx '/\* threads meet here \*/' tests/unit)))
check-threads: ## run the tests of threads under TSan
	@$(MAKE) --no-print-directory -s -j$$(nproc) BUILD=$(BUILD)/tsan SANITIZE=thread \
		$(THREADED:%=$(BUILD)/tsan/%)
	@BUILD=$(BUILD)/tsan tests/run.sh $(THREADED:%=$(BUILD)/tsan/%)

ROUND_TRIP := $(BUILD)/tests/unit/results/columns/test_export_round_trip
POWER := $(BUILD)/tests/unit/results/store/test_store_power
KILL := $(BUILD)/tests/integration/test_kill
VALUES := $(BUILD)/tests/integration/test_firestore_values
soak: $(VALUES) examples $(THREADED:%=$(BUILD)/%) $(ROUND_TRIP) $(POWER) $(KILL) $(BUILD)/tests/tools/keep $(BUILD)/tests/tools/with_emulators ## run them SOAK_RUNS=2000 times each beside busy loops, SOAK_AT_ONCE of them
	@PSPROBE_EVERY_TABLE=1 $(ROUND_TRIP)
	@PSPROBE_EVERY_VALUE=1 $(VALUES)
	@PSPROBE_SEEDS=1000 $(POWER)
	@BUILD=$(BUILD) KILL_ROUNDS=200 TEST_TIMEOUT=1800 $(BUILD)/tests/tools/with_emulators tests/run.sh $(KILL)
	@BUILD=$(BUILD) FAULT_ALL=1 TEST_TIMEOUT=1800 tests/run.sh tests/integration/test_store_faults.sh
	@BUILD=$(BUILD) OUTAGE=60 TEST_TIMEOUT=600 tests/run.sh tests/integration/test_outage.sh
	@BUILD=$(BUILD) tests/soak.sh $(THREADED:%=$(BUILD)/%)
	@$(MAKE) --no-print-directory crowd
	@$(MAKE) --no-print-directory chaos

CHAOS := $(BUILD)/tests/integration/test_stream_chaos $(BUILD)/tests/integration/test_short_runs
chaos: $(CHAOS) ## streams on bad days: 320,000 messages, and 1,000 subscribers that are stopped early
	@CHAOS=full TEST_TIMEOUT=1800 BUILD=$(BUILD) tests/run.sh $(CHAOS)

crowd: all $(BUILD)/tests/tools/crowd ## a crowd at every port, and a broker that hangs for a minute
	@BUILD=$(BUILD) CROWD=full tests/run.sh tests/integration/test_crowd.sh

check-house: ## the rules of the house: floors, names, sizes, circles, contracts
	@$(MAKE) --no-print-directory -s -j$$(nproc) lib
	@BUILD=$(BUILD) tests/check-house.sh

# Each target starts from its corpus in the tree; what it finds beyond stays under build/fuzz.
FUZZ_SECONDS ?= 60
fuzz: ## fuzz the parsers, FUZZ_SECONDS=60 each (clang with libclang-rt-14-dev)
	@$(MAKE) --no-print-directory -s BUILD=$(BUILD)/fuzz CC=clang CFLAGS="-O1 -g" \
		SANITIZE=address,undefined,fuzzer-no-link $(FUZZERS:%=$(BUILD)/fuzz/bin/%)
	@tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZERS:%=$(BUILD)/fuzz/bin/%)

$(BUILD)/bin/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(STATIC)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(STATIC) $(LIBS)

coverage-table: $(BUILD)/tests/tools/coverage_table ## false alarms and coverage by simulation (minutes)
	@$<

bench: ## run the benchmarks beside their peers
	@tests/deps.sh
	@tests/deps.sh bench || echo "WARNING: not every peer is there; what is compared without says so below." >&2
	@$(MAKE) --no-print-directory -s -j$$(nproc) examples $(BENCH)
	@BUILD=$(BUILD) tests/bench/run.sh $(BENCH)

# Peers are linked as the programs are.
PEERS := $(call objects,tests/bench/pubsub/*.c)
$(PEERS): %: %.o $(STATIC) $(BUILD)/programs.libs
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(STATIC) @$(BUILD)/programs.libs

bench-peers: ## the Pub/Sub client beside Google's in Go and in Node (five minutes)
	@tests/deps.sh
	@tests/deps.sh bench || echo "WARNING: not every peer is there; what is missing is said below." >&2
	@$(MAKE) --no-print-directory -s -j$$(nproc) $(PEERS) $(BUILD)/examples/local $(BUILD)/tests/tools/with_emulators
	@BUILD=$(BUILD) $(BUILD)/tests/tools/with_emulators tests/bench/bench_peers.py

# The stand-in's demo is for a machine with people before it.
IMAGE_PROGRAMS ?= $(filter-out demo,$(PROGRAMS))
image: $(IMAGE_PROGRAMS:%=$(BUILD)/examples/%) ## write an OCI image without Docker: build/psprobe.oci.tar
	@deploy/image.sh $(BUILD)/psprobe.oci.tar $^

deps: ## install the packages that are missing (Debian, Ubuntu)
	@tests/deps.sh

# ---- installation: a folder's name may hold blanks ----
to = '$(DESTDIR)$(1)'
install: all ## install under PREFIX (DESTDIR, LIBDIR, INCLUDEDIR, BINDIR, MANDIR)
	install -d $(call to,$(LIBDIR)/pkgconfig) $(call to,$(INCLUDEDIR)/psprobe) $(call to,$(BINDIR)) \
		$(call to,$(MANDIR)/man1)
	install -m 644 $(STATIC) $(call to,$(LIBDIR)/)
	install -m 755 $(SHARED) $(call to,$(LIBDIR)/)
	ln -sf $(notdir $(SHARED)) $(call to,$(LIBDIR)/$(SONAME))
	ln -sf $(notdir $(SHARED)) $(call to,$(LIBDIR)/libpsprobe.so)
	install -m 644 include/psprobe/*.h $(call to,$(INCLUDEDIR)/psprobe/)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' -e 's|@DEPS@|$(DEPS)|' pkgconfig/psprobe.pc.in \
		>$(call to,$(LIBDIR)/pkgconfig/psprobe.pc)
	for p in $(PROGRAMS); do \
		install -m 755 $(BUILD)/examples/$$p $(call to,$(BINDIR))/psprobe-$$p && \
		install -m 644 $(BUILD)/man/psprobe-$$p.1 $(call to,$(MANDIR)/man1/) || exit 1; done

uninstall: ## take it away again
	rm -f $(call to,$(LIBDIR))/libpsprobe.* $(call to,$(LIBDIR)/pkgconfig/psprobe.pc)
	for p in $(PROGRAMS); do rm -f $(call to,$(BINDIR))/psprobe-$$p $(call to,$(MANDIR)/man1)/psprobe-$$p.1; done
	rm -rf $(call to,$(INCLUDEDIR)/psprobe)

# ---- care ----
SOURCES = $(shell git ls-files '*.c' '*.h' ':!*.pb-c.*')
format: ## clang-format every file
	clang-format -i $(SOURCES)

lint: ## clang-format as a check, and clang-tidy
	@echo clang-format
	@clang-format --dry-run -Werror $(SOURCES)
	@echo "clang-tidy (some minutes)"
	@echo $(LIB_SRC) $(wildcard examples/*.c) | xargs -P$$(nproc) -n8 sh -c \
		'clang-tidy --quiet "$$@" -- $(ALL_CPPFLAGS) -DPSP_DYGRAPHS="\"\"" -std=c11 2>/dev/null' lint

clean: ## remove what was built
	rm -rf $(BUILD) $(PROGRAMS:%=examples/%)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 26

-include $(LIB_OBJ:.o=.d) $(EXAMPLES:=.d) $(SUPPORT:.o=.d)
-include $(FUZZERS:%=$(BUILD)/tests/fuzz/%.d)
-include $(addsuffix .d,$(UNIT) $(INTEGRATION) $(SIMULATIONS) $(TOOLS) $(BENCH) $(PEERS)) $(SIM:.o=.d)
