# SPDX-License-Identifier: Apache-2.0
# One non-recursive Makefile. Sources are found by wildcard: a new file needs no edit here.
# `make help` lists the targets, V=1 shows commands, SAN=1 builds with ASan and UBSan (build/san),
# DEBUG=1 without optimisation.

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

CLANG ?= clang
BPFTOOL ?= $(shell scripts/find-tool bpftool)
# Go may be installed where PATH does not lead (Debian 12: /usr/local/go)
export PATH := $(patsubst %/go,%,$(shell scripts/find-tool go)):$(PATH)
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
VERSION := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif

ifeq ($(V),1)
Q =
msg =
else
Q = @
msg = @printf '  %-8s %s\n' "$(1)" "$(2)";
endif

B := build
CFLAGS ?= -O2 -g
ifeq ($(DEBUG),1)
CFLAGS := -O0 -g3
endif
ifeq ($(SAN),1)
B := build/san
CFLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif

ARCH := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
PACKAGES := libbpf libelf libdw zlib libprotobuf-c libcurl jansson libcap-ng
CPPFLAGS += -D_GNU_SOURCE -DGOSPAN_VERSION='"$(VERSION)"' -I$(B)/gen
WARNINGS := -Wall -Wextra -Werror -Wno-unused-parameter -Wmissing-prototypes -Wvla
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARNINGS)
LIBS = $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lZydis -lpthread -lm
BPF_CFLAGS := -g -O2 -target bpf -D__TARGET_ARCH_$(ARCH) -mcpu=v3 -Wall -Wextra -Werror \
	-Wno-unused-parameter -Wno-missing-declarations

OFFSETS := $(patsubst %.c,$(B)/%.o,$(wildcard offsets/*.c))
PROTO := $(patsubst otlp/proto/%.proto,$(B)/gen/%.pb-c.c,$(wildcard otlp/proto/*.proto))
OTLP := $(patsubst %.c,$(B)/%.o,$(wildcard otlp/*.c)) $(PROTO:.c=.o)
AGENT := $(patsubst %.c,$(B)/%.o,$(filter-out agent/main.c,$(wildcard agent/*.c)))
BPF := $(patsubst %.c,$(B)/%.o,$(wildcard bpf/*.bpf.c))
UNIT := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*/*_test.c))
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))

all: $(B)/gospan ## build the agent: build/gospan

$(B)/gospan: $(B)/agent/main.o $(B)/libagent.a $(B)/libotlp.a $(B)/liboffsets.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(B)/liboffsets.a: $(OFFSETS)
$(B)/libotlp.a: $(OTLP)
$(B)/libagent.a: $(AGENT)
$(B)/lib%.a:
	$(call msg,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/%.o: %.c
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# Generated headers must be there before the first compilation that includes them.
$(AGENT) $(B)/agent/main.o: | $(B)/gen/gospan.skel.h
$(OTLP): | $(PROTO)

$(B)/gen/%.pb-c.c: otlp/proto/%.proto
	$(call msg,PROTOC,$@)
	$(Q)mkdir -p $(@D) && protoc-c --proto_path=otlp/proto --c_out=$(@D) $<

$(B)/gen/%.pb-c.o: $(B)/gen/%.pb-c.c
	$(call msg,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP -c $< -o $@

# -- kernel side: each file an object, all linked to one, whose skeleton the agent embeds --

$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(B)/bpf/gospan.o: $(BPF)
	$(call msg,GEN-LINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^
	$(Q)scripts/check-btf $(BPFTOOL) $@

# its read-only data has structs of bpf/span.h
$(B)/gen/gospan.skel.h: $(B)/bpf/gospan.o
	$(call msg,GEN-SKEL,$@)
	$(Q)mkdir -p $(@D) && { echo '#include "$(CURDIR)/bpf/span.h"' && \
		$(BPFTOOL) gen skeleton $< name gospan_bpf; } > $@

# -- tests: unit tests link only what their folder may see --

UNIT_LIBS_offsets = $(B)/liboffsets.a
UNIT_LIBS_otlp = $(B)/libotlp.a
UNIT_LIBS_agent = $(B)/libagent.a $(B)/libotlp.a $(B)/liboffsets.a

.SECONDEXPANSION:
$(B)/unit/%: $(B)/tests/unit/%.o $$(UNIT_LIBS_$$(firstword $$(subst /, ,$$*)))
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -lcmocka -o $@

# What only make fuzz, bench and kernels link: it is to compile here all the same.
REST := $(patsubst %.c,$(B)/%.o,$(filter-out %.bpf.c,$(wildcard $(patsubst %,tests/%/*.c,fuzz bench kernels))))

unit: $(UNIT) $(REST) ## run the unit tests (use SAN=1)
	$(Q)scripts/run-unit $(UNIT)

# Fuzz targets link everything, all of it compiled with coverage (their own build directory).
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(B)/libagent.a $(B)/libotlp.a $(B)/liboffsets.a
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -fsanitize=fuzzer $^ $(LIBS) -o $@

# Without a look at every comparison and indirect call: seeds know the magic numbers, and it costs
# two thirds of the speed. The checks make small functions too big to be inlined by themselves.
FUZZ_CFLAGS := -O2 -g -fno-omit-frame-pointer -mllvm -inline-threshold=2000 \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined \
	-fno-sanitize-coverage=trace-cmp,indirect-calls -Wno-unused-command-line-argument
fuzz-programs: $(FUZZ)
fuzz: ## fuzz every parser, FUZZ_SECONDS (30) each
	$(Q)scripts/install-deps test
	$(Q)$(MAKE) CC=$(CLANG) B=build/fuzzing CFLAGS="$(FUZZ_CFLAGS)" fuzz-programs
	$(Q)scripts/run-fuzz $(FUZZ:$(B)/%=build/fuzzing/%)

demo: ## trace a small shop service, in the terminal
	$(Q)scripts/demo

test: ## all tests but the slow matrices; installs what it needs
	$(Q)scripts/test

PYTHON := build/venv/bin/python
matrix: all ## every Go version in every build mode; every library's versions
	$(Q)scripts/install-deps test
	$(Q)cd tests && ../$(PYTHON) -m matrix.run

libraries: all ## each library under every Go version and build mode
	$(Q)scripts/install-deps test
	$(Q)cd tests && ../$(PYTHON) -m pytest -q -rsfE -m versions

thirdparty: all ## Go programs that nobody here wrote
	$(Q)scripts/install-deps test
	$(Q)cd tests && ../$(PYTHON) -m thirdparty.run

kernels: all $(B)/kernels/load $(B)/kernels/emulate_ret ## other kernels, under QEMU (KERNELS='6.1 7' for some)
	$(Q)scripts/install-deps kernels
	$(Q)tests/kernels/run $(B) $(KERNELS)

$(B)/kernels/%: $(B)/tests/kernels/%.o $(B)/tests/kernels/object.o $(B)/libagent.a
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@

$(B)/bench/layout: $(B)/tests/bench/layout.o $(B)/libagent.a $(B)/libotlp.a $(B)/liboffsets.a
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LIBS) -o $@
$(B)/tests/bench/layout.o: | $(B)/gen/gospan.skel.h
$(B)/bench/layout.bpf.o: tests/bench/layout.bpf.c
	$(call msg,BPF,$@)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

bench: all $(B)/bench/layout $(B)/bench/layout.bpf.o ## what tracing costs, against other ways to trace
	$(Q)scripts/install-deps test
	$(Q)tests/bench/run $(B)

lint: ## rules that a compiler does not know
	$(Q)scripts/check-style && scripts/check-size && scripts/library-table --check
	$(Q)shellcheck -S warning $(shell grep -d skip -lE '^\#!/bin/(ba)?sh' scripts/*)
	$(Q)mandoc -T lint scripts/gospan.8

install: all ## PREFIX (/usr/local), DESTDIR
	install -Dsm755 $(B)/gospan $(DESTDIR)$(PREFIX)/bin/gospan
	install -Dm644 scripts/gospan.8 $(DESTDIR)$(PREFIX)/share/man/man8/gospan.8
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|/usr/local|$(PREFIX)|g' scripts/gospan.service > $(DESTDIR)$(PREFIX)/lib/systemd/system/gospan.service
	[ -e $(DESTDIR)/etc/default/gospan ] || install -Dm644 scripts/default-gospan $(DESTDIR)/etc/default/gospan

uninstall: ## what install put there, but not /etc/default/gospan
	rm -f $(DESTDIR)$(PREFIX)/bin/gospan $(DESTDIR)$(PREFIX)/share/man/man8/gospan.8
	rm -f $(DESTDIR)$(PREFIX)/lib/systemd/system/gospan.service

compile_commands.json: ## for editors
	$(Q)$(MAKE) -Bn V=1 all | python3 scripts/compile-commands > $@

help: ## list the targets
	$(Q)sed -n 's/^\([a-z_.-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done

clean: ## remove build/
	$(Q)rm -rf build

.PHONY: all unit fuzz fuzz-programs demo test matrix libraries thirdparty kernels bench lint install uninstall \
	help clean compile_commands.json

-include $(shell find $(addprefix $(B)/,agent bench bpf gen offsets otlp tests) -name '*.d' -type f 2>/dev/null)
