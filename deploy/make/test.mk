# test.mk - proving it.
#
#   make test [SUITES="unit e2e"] [WORD=booking]   everything, or some suites, or some programs
#   make check                                     formatting, linters, and the rules of tests/tidy
#                                                  (deeper: TIDE_ANALYZER_NODES=225000)
#   make fuzz [SECONDS=60]                         each fuzz target for so long
#   make fuzz-coverage                             lines of the decoders that are reached, by file
#   make bench                                     the measurements, into build/bench/

SUITES ?=
WORD ?=
SECONDS ?= 60

test:
	@deploy/install-packages.sh
	@$(PYTHON) tests/run $(SUITES) $(if $(WORD),-k $(WORD))

check:
	@deploy/install-packages.sh
	@$(PYTHON) tests/run tidy

# Fuzz targets: clang's libFuzzer over what bytes from outside reach first. They share nothing with
# the other builds: every object carries coverage and both sanitizers.
FUZZ_BUILD ?= build-fuzz
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer
FUZZ_SRC := $(filter-out %/main.c,$(call src,daemon/core daemon/core/parking daemon/core/casebook \
    daemon/ops daemon/store daemon/net protocol clients/gateway clients/libtide clients/tidectl))
FUZZ_OBJ := $(patsubst %.c,$(FUZZ_BUILD)/obj/%.o,$(FUZZ_SRC))
FUZZ_NAMES := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZERS := $(addprefix $(BUILD)/fuzz/,$(FUZZ_NAMES))

$(FUZZ_BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  FUZZ $<"
	@clang -std=c17 -D_GNU_SOURCE -DTIDE_VERSION='"$(VERSION)"' -I. -Iinclude $(WARN) -O1 -g \
	    $(PKG_CFLAGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_BUILD)/libfuzz.a: $(FUZZ_OBJ)
	@rm -f $@; ar rcs $@ $^

FUZZ_PARTS := $(addprefix $(FUZZ_BUILD)/obj/tests/fuzz/,support.o slim.o world.o) \
    $(FUZZ_BUILD)/libfuzz.a
$(BUILD)/fuzz/%: $(FUZZ_BUILD)/obj/tests/fuzz/%.o $(FUZZ_PARTS)
	@mkdir -p $(@D)
	@echo "  LD   $@"
	@clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)

fuzzers: $(FUZZERS)

# The decoders alone, for the bad payloads of tests/payloads.
JUDGE := $(addprefix $(BUILD)/obj/tests/,payloads/judge.o fuzz/support.o fuzz/slim.o fuzz/world.o)
$(BUILD)/payloads-judge: $(JUDGE) $(filter-out %/main.o,$(GATEWAY)) $(BUILD)/libtideall.a
	@echo "  LD   $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

payloads: $(BUILD)/payloads-judge
units: payloads

# Lines of the decoders that the corpora, the bad payloads and their unit tests reach.
FUZZ_COVER := build-fuzz-coverage
FUZZ_COVER_FLAGS := -fprofile-instr-generate -fcoverage-mapping
COVER_UNITS := codec codec_encode codec_time json topic decoder decoder_json plate import \
    gateway_conf gateway_passes gateway_slot gateway_whitelist
fuzz-coverage:
	@deploy/install-packages.sh
	@$(MAKE) --no-print-directory CC=clang BUILD=$(FUZZ_COVER) LDFLAGS='$(FUZZ_COVER_FLAGS)' \
	    CFLAGS='-O1 -g $(FUZZ_COVER_FLAGS)' fuzz-covered
	@$(PYTHON) tests/fuzz/coverage.py $(FUZZ_COVER)

fuzz-covered: payloads $(addprefix $(BUILD)/unit/test_,$(COVER_UNITS)) \
    $(patsubst %,$(BUILD)/cover/%,$(FUZZ_NAMES))
$(BUILD)/cover/%: $(BUILD)/obj/tests/fuzz/%.o $(JUDGE) $(UNIT_EXTRA) $(BUILD)/libtideall.a
	@mkdir -p $(@D)
	@echo "  LD   $@"
	@clang -fsanitize=fuzzer $(ALL_LDFLAGS) -o $@ $< $(filter-out %/judge.o,$(JUDGE)) \
	    -Wl,--start-group $(UNIT_EXTRA) $(BUILD)/libtideall.a -Wl,--end-group $(LIBS)

fuzz:
	@deploy/install-packages.sh
	@$(MAKE) --no-print-directory fuzzers
	@set -e; for name in $(FUZZ_NAMES); do \
	    echo "$$name for $(SECONDS) s"; \
	    $(PYTHON) tests/fuzz/smoke.py $(BUILD)/fuzz/$$name $(SECONDS); done

# Each measurement alone, nothing else running; its last line, one JSON object, is kept.
bench:
	@deploy/install-packages.sh
	@$(MAKE) --no-print-directory all
	@mkdir -p $(BUILD)/bench
	@set -e; for what in peak "journal --peer postgres" recover memory verify; do \
	    name=$${what%% *}; echo "== $$name"; \
	    $(BUILD)/tide-bench $$what > $(BUILD)/bench/$$name.txt; \
	    tail -n 1 $(BUILD)/bench/$$name.txt | tee $(BUILD)/bench/$$name.json; done

-include $(shell find $(FUZZ_BUILD)/obj -name '*.d' 2>/dev/null)

.PHONY: test check fuzz fuzzers fuzz-coverage fuzz-covered payloads bench
