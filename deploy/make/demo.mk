# deps, demo, run: what a person types first.
#
#   make demo [TRACE=P10.csv DATE=2019-05-20 OFFICE=P4.csv] [SEED=1] [SCALE=720] [UNTIL=24:00]
#   make run                      the same neighbourhood in real time until Ctrl-C

deps:
	@deploy/install-packages.sh

demo: deps
	@$(MAKE) --no-print-directory all
	@BUILD='$(BUILD)' PYTHON='$(PYTHON)' TRACE='$(TRACE)' DATE='$(DATE)' OFFICE='$(OFFICE)' \
	    SEED='$(SEED)' SCALE='$(SCALE)' UNTIL='$(UNTIL)' deploy/demo/run.sh demo

run: deps
	@$(MAKE) --no-print-directory all
	@BUILD='$(BUILD)' PYTHON='$(PYTHON)' deploy/demo/run.sh run

.PHONY: deps demo run

# The demo's own unit tests use its files (all but main.o).
DEMO_PARTS := $(filter-out %/main.o,$(DEMO))
DEMO_UNITS := $(filter $(BUILD)/unit/test_demo_%,$(UNITS))
$(DEMO_UNITS): $(DEMO_PARTS)
