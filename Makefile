# Tide. `make demo` shows it at work, `make test` proves it; both install what is missing.
#
#   make [CC=clang] [SAN=address,undefined | SAN=thread]   build into $(BUILD)
#   make run | demo | test | bench | check | fuzz | install | dist

VERSION := 0.1.0
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
SAN ?=
BUILD ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
comma := ,
PYTHON := /usr/bin/python3

PKGS := libuv sqlite3 libcjson libcrypto libmicrohttpd
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(PKGS) 2>/dev/null)
PAHO_LIBS := -lpaho-mqtt3as

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes \
        -Wimplicit-fallthrough -Wcast-align -Wpointer-arith -Wundef -Wformat=2 -Wvla \
        -Wold-style-definition -Wredundant-decls -Werror
HARDEN := -fstack-protector-strong -fPIE -fno-common $(if $(SAN),,-D_FORTIFY_SOURCE=2)
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE -DTIDE_VERSION='"$(VERSION)"' -I. -Iinclude $(WARN) $(HARDEN) \
             $(CFLAGS) $(PKG_CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN))
LIBS = $(PKG_LIBS) $(PAHO_LIBS) -lpthread

src = $(wildcard $(addsuffix /*.c,$(1)))
obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(call src,$(1)))

CORE    := $(call obj,daemon/core daemon/core/parking daemon/core/casebook)
STORE   := $(call obj,daemon/store)
SHELL_  := $(call obj,daemon/net daemon/ops)
PROTO   := $(call obj,protocol)
DAEMON  := $(call obj,daemon)
LIBTIDE := $(call obj,clients/libtide)
TIDECTL := $(call obj,clients/tidectl)
GATEWAY := $(call obj,clients/gateway)
SIM     := $(call obj,tests/sim)
BENCH   := $(call obj,tests/bench)
DEMO    := $(call obj,deploy/demo)

BINS := $(BUILD)/tided $(BUILD)/tidectl $(BUILD)/tide-gateway $(BUILD)/tide-sim \
        $(BUILD)/tide-bench $(BUILD)/tide-demo
UNITS := $(patsubst tests/unit/test_%.c,$(BUILD)/unit/test_%,$(wildcard tests/unit/test_*.c))

all: $(BINS)

# Everything that is not a program's own main.
LIBOBJ := $(CORE) $(STORE) $(SHELL_) $(PROTO) $(LIBTIDE)
$(BUILD)/libtideall.a: $(LIBOBJ)
	@rm -f $@; ar rcs $@ $^

define program
$(BUILD)/$(1): $(2) $(BUILD)/libtideall.a
	@echo "  LD   $$@"
	@$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS) $(3)
endef
$(eval $(call program,tided,$(DAEMON)))
$(eval $(call program,tidectl,$(TIDECTL)))
$(eval $(call program,tide-gateway,$(GATEWAY)))
$(eval $(call program,tide-sim,$(SIM)))
$(eval $(call program,tide-bench,$(BENCH) $(filter-out %/main.o,$(DAEMON)),-lpq))
$(eval $(call program,tide-demo,$(DEMO)))

# A unit test is one file; it may use a program's other files (all but main.o).
UNIT_EXTRA := $(filter-out %/main.o,$(TIDECTL) $(GATEWAY) $(SIM) $(DAEMON))
$(BUILD)/libtideparts.a: $(UNIT_EXTRA)
	@rm -f $@; ar rcs $@ $^
$(BUILD)/unit/test_%: $(BUILD)/obj/tests/unit/test_%.o $(BUILD)/libtideall.a $(BUILD)/libtideparts.a
	@mkdir -p $(@D)
	@echo "  LD   $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group \
	    $(filter %.a,$^) -Wl,--end-group $(LIBS) -lcmocka
units: $(UNITS)
.PRECIOUS: $(BUILD)/obj/%.o
.SECONDARY:

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

clean:
	rm -rf build build-*

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
-include $(wildcard deploy/make/*.mk)

.PHONY: all units clean
