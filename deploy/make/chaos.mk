# chaos.mk - tide-chaos: many real clients under orders, and the judge of what they saw.
#
#   make chaos                  tests/chaos as `make test` runs it
#   make soak                   the long form: see tests/soak

CHAOS := $(call obj,tests/chaos)

all: $(BUILD)/tide-chaos
$(BUILD)/tide-chaos: $(CHAOS)
	@echo "  LD   $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^

chaos:
	@$(PYTHON) tests/run build chaos

.PHONY: chaos
