# test.mk - proving it.
#
#   make test [SUITES="unit e2e"] [WORD=booking]   everything, or some suites, or some programs
#   make check                                     formatting, linters, and the rules of tests/tidy
#                                                  with clang's analyser, which `make test` leaves
#                                                  out (deeper: TIDE_ANALYZER_NODES=225000)
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
	@TIDE_ANALYZER_NODES=$${TIDE_ANALYZER_NODES:-15000} $(PYTHON) tests/run tidy

# One build with clang and both sanitizers serves the unit tests, the crash program and the fuzz
# targets (libFuzzer over what bytes from outside reach first): every object carries coverage.
SANITIZED := build-clang-address-undefined
MAKE_SANITIZED := $(MAKE) --no-print-directory CC=clang SAN=address,undefined BUILD=$(SANITIZED) \
    CFLAGS='-O1 -gline-tables-only -fsanitize=fuzzer-no-link'
sanitized:
	@+$(MAKE_SANITIZED) units crash fuzz-targets
fuzzers:
	@+$(MAKE_SANITIZED) fuzz-targets

FUZZ_NAMES := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_PARTS := $(addprefix $(BUILD)/obj/tests/fuzz/,support.o slim.o world.o) \
    $(BUILD)/libtideparts.a $(BUILD)/libtideall.a
$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(FUZZ_PARTS)
	@mkdir -p $(@D)
	@echo "  LD   $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

fuzz-targets: $(addprefix $(BUILD)/fuzz/,$(FUZZ_NAMES))

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
	    $(PYTHON) tests/fuzz/smoke.py $(SANITIZED)/fuzz/$$name $(SECONDS); done

# Each measurement alone, nothing else running; its last line, one JSON object, is kept.
bench:
	@deploy/install-packages.sh
	@$(MAKE) --no-print-directory all
	@mkdir -p $(BUILD)/bench
	@set -e; for what in peak "journal --peer postgres" recover memory verify forecast lateness; do \
	    name=$${what%% *}; echo "== $$name"; \
	    $(BUILD)/tide-bench $$what > $(BUILD)/bench/$$name.txt; \
	    tail -n 1 $(BUILD)/bench/$$name.txt | tee $(BUILD)/bench/$$name.json; done
	@echo "== decide"; $(PYTHON) tests/bench/decide.py --bench $(BUILD)/tide-bench | \
	    tee $(BUILD)/bench/decide.txt
	@echo "== table"; $(PYTHON) tests/bench/table.py --bench $(BUILD)/tide-bench | \
	    tee $(BUILD)/bench/table.txt

.PHONY: test check sanitized fuzz fuzzers fuzz-targets fuzz-coverage fuzz-covered payloads bench
