# soak.mk - the long form of the proofs.
#
#   make soak [FIGURES="sim-days kills"]   the figures of tests/soak, and a table of them all

FIGURES ?=

soak:
	@deploy/install-packages.sh
	@$(MAKE) --no-print-directory all units
	@$(PYTHON) tests/soak $(FIGURES)

.PHONY: soak
