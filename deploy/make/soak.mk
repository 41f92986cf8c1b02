# soak.mk - the long form of the proofs.
#
#   make soak [FIGURES="sim-days kills"]   the figures of tests/soak, and a table of them all
#   make mutate [SAMPLE=300] [DRAW=1]      breaks the core in small ways; do the tests notice?
#   make mutate-allocation                 the same, of the files that decide who gets which place
#   make coverage [COVER="unit sim e2e"]   lines and branches that these suites reach
#   make tsan                              what runs in threads, under ThreadSanitizer
#   make valgrind                          one end-to-end program, tided under memcheck
#   make fanalyzer                         gcc's own analyser over the daemon and the protocol

FIGURES ?=
SAMPLE ?= 300
DRAW ?= 1
COVER ?= unit sim e2e

soak:
	@deploy/install-packages.sh
	@$(MAKE) --no-print-directory all units
	@$(PYTHON) tests/soak $(FIGURES)

mutate:
	@deploy/install-packages.sh
	@$(PYTHON) tests/mutate/mutate.py --sample $(SAMPLE) --seed $(DRAW)

mutate-allocation:
	@deploy/install-packages.sh
	@$(PYTHON) tests/mutate/mutate.py --area allocation --sample $(SAMPLE) --seed $(DRAW)

# How a file of ours is compiled and what it is linked with, for tests/mutate.
tell-flags:
	@echo $(ALL_CFLAGS)
	@echo $(LIBS)

# The whole is the daemon, the protocol and the clients. A CHECK that never fails is no branch.
COVERAGE := build-coverage
GCOVR = gcovr --root . --object-directory $(COVERAGE) --exclude-unreachable-branches \
    --exclude-branches-by-pattern '.*\bCHECK\(.*' --gcov-ignore-parse-errors $(COVERAGE)/obj
coverage:
	@deploy/install-packages.sh
	@find $(COVERAGE) -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) --no-print-directory BUILD=$(COVERAGE) LDFLAGS=--coverage \
	    CFLAGS='-O0 -g --coverage -fprofile-update=atomic -U_FORTIFY_SOURCE -Wno-error' all units
	@TIDE_ORDERLY=1 LDFLAGS=--coverage TIDE_BUILD=$(COVERAGE) $(PYTHON) tests/run $(COVER) | tail -n 40
	@$(MAKE) --no-print-directory coverage-report

coverage-report:
	@$(GCOVR) --filter 'daemon/core/' --print-summary --branches >$(COVERAGE)/branches.txt
	@$(GCOVR) --filter 'daemon/core/' --print-summary >$(COVERAGE)/core.txt
	@$(GCOVR) --filter 'daemon/' --filter 'protocol/' --filter 'clients/' \
	    --print-summary >$(COVERAGE)/whole.txt
	@cat $(COVERAGE)/core.txt
	@sed -n 's/^lines: \([0-9.]*\)%.*/core lines \1/p' $(COVERAGE)/core.txt
	@sed -n 's/^branches: \([0-9.]*\)%.*/core branches \1/p' $(COVERAGE)/core.txt
	@sed -n 's/^lines: \([0-9.]*\)%.*/whole lines \1/p' $(COVERAGE)/whole.txt

# Inbox, outbox, journal: the unit tests that start threads, and a booking from end to end.
TSAN := build-thread
TSAN_UNITS := store store_faults store_names netqueue mqtt libtide libtide_inbox
tsan:
	@deploy/install-packages.sh
	@$(MAKE) --no-print-directory SAN=thread CFLAGS='-O1 -g -Wno-error' all \
	    $(TSAN_UNITS:%=$(TSAN)/unit/test_%)
	@set -e; export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1; \
	    for name in $(TSAN_UNITS); do echo "test_$$name"; \
	        TIDE_BUILD=$(TSAN) timeout 300 $(TSAN)/unit/test_$$name; done
	@TSAN_OPTIONS=log_path=$(CURDIR)/$(TSAN)/race TIDE_BUILD=$(TSAN) \
	    timeout 900 $(PYTHON) tests/e2e/test_booking.py
	@! ls $(TSAN)/race.* 2>/dev/null
	@echo 'ThreadSanitizer: 0 reports'

# tided as a wrapper around itself, in a folder of programs of its own.
MEMCHECK := build-valgrind
VALGRIND := valgrind --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99 \
    --log-file=$(CURDIR)/$(MEMCHECK)/memcheck.%p.txt
valgrind:
	@deploy/install-packages.sh
	@$(MAKE) --no-print-directory all
	@rm -rf $(MEMCHECK); mkdir -p $(MEMCHECK); ln -s $(abspath $(BUILD))/* $(MEMCHECK)
	@rm $(MEMCHECK)/tided
	@printf '#!/bin/sh\nexec %s %s "$$@"\n' '$(VALGRIND)' '$(abspath $(BUILD))/tided' \
	    >$(MEMCHECK)/tided; chmod 755 $(MEMCHECK)/tided
	@TIDE_ORDERLY=1 TIDE_WAIT_S=60 TIDE_BUILD=$(MEMCHECK) timeout 900 \
	    $(PYTHON) tests/e2e/test_byhand.py
	@grep -h 'ERROR SUMMARY' $(MEMCHECK)/memcheck.*.txt
	@! grep -h 'ERROR SUMMARY: [1-9]' $(MEMCHECK)/memcheck.*.txt
	@for log in $(MEMCHECK)/memcheck.*.txt; do grep -q 'ERROR SUMMARY: 0' $$log || exit 1; done
	@echo 'valgrind: 0 errors in' $$(ls $(MEMCHECK)/memcheck.*.txt | wc -l) 'lives of tided'

# gcc's analyser. It knows neither that the ids in the core's chains stand for rows that are there,
# nor that what a table holds is freed with it (the sanitizers and memcheck know): these are off.
SEEN := -Wno-error -fanalyzer -Wno-analyzer-malloc-leak
SEEN_CORE := -Wno-analyzer-null-dereference -Wno-analyzer-use-of-uninitialized-value
fanalyzer:
	@mkdir -p $(BUILD); for file in $(call src,daemon daemon/core daemon/core/parking \
	    daemon/net daemon/ops daemon/store protocol); do echo "  SEE  $$file"; \
	    case $$file in daemon/core/*) more='$(SEEN_CORE)' ;; *) more= ;; esac; \
	    timeout 600 gcc $(ALL_CFLAGS) $(SEEN) $$more -c -o /dev/null $$file; done \
	    >$(BUILD)/fanalyzer.txt 2>&1
	@grep -h 'Wanalyzer' $(BUILD)/fanalyzer.txt || true
	@echo "-fanalyzer: $$(grep -c 'Wanalyzer' $(BUILD)/fanalyzer.txt) findings"

.PHONY: soak mutate mutate-allocation tell-flags coverage coverage-report tsan valgrind fanalyzer
