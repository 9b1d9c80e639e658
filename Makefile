# `make` alone lists what there is. Everything below `setup` prepares the tools by itself.

PYTHON ?= python3
PYTHON_OLDEST := 3, 11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check

# The benchmarks' peers have an environment of their own, so that `make test` does without them.
BENCH_VENV := .venv-bench
BENCH_READY := $(BENCH_VENV)/.ready
BENCH_PIP := $(BENCH_VENV)/bin/python -m pip --disable-pip-version-check
BENCH_PYTHON := PYTHONPATH=. $(BENCH_VENV)/bin/python -P

# The parts in which a line that no test reaches could cost somebody a gift card.
CRITICAL := agcod_async/core/*,agcod_async/engine/*,agcod_async/pacing/*,agcod_async/wire/sigv4.py
COVERAGE_MIN := 95
TEST_WORKERS := 2

# What goes at length through what the other tests have covered: measured it would take twice as
# long. The longest come first, one at a time, so that no core waits for the last of them.
LONG_TESTS := tests/crash tests/simulation tests/hostile tests/secrets \
	$(addprefix tests/pacing/test_,contract.py contract_mutants.py rate.py) tests/model tests/tidy

# What `make sim-long` has done already. It is of one version: remove it when the code has changed.
SIM_LOG := build/sim-long.jsonl

GENERATORS := $(wildcard docs/generate_*.py)

# pyright comes whole with its Python package; it has nothing to say about newer ones.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

.DEFAULT_GOAL := help
.PHONY: help setup format lint types test model sim sim-long fuzz bench bench-compare demo
.PHONY: crash-demo certify docs check clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r target text; do printf '  make %-13s %s\n' "$$target" "$$text"; done

setup: $(READY) ## Create .venv with everything pinned in constraints.txt

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { \
		echo "make setup: there is no $(PYTHON); on Debian: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < ($(PYTHON_OLDEST)))' || { \
		echo "make setup: $$($(PYTHON) --version) is too old, 3.11 is needed;" \
			"if there is a newer one: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "make setup: $(PYTHON) lacks its venv module; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --quiet --constraint constraints.txt pip
	$(PIP) install --quiet --constraint constraints.txt --build-constraint constraints.txt \
		--editable '.[progress,lean]' --group dev
	@touch $@

format: $(READY) ## Bring all Python files into the one form
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format .

lint: $(READY) ## Check style, import layers and generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	@for generator in $(GENERATORS); do \
		echo "$$generator --check"; $(BIN)/python "$$generator" --check || exit 1; done

types: $(READY) ## Check types, strictly, with mypy and pyright
	@$(BIN)/mypy & mypy=$$!; $(BIN)/pyright; pyright=$$?; wait $$mypy && exit $$pyright

test: lint types ## Run the whole gate: lint, types, coverage, all tests, simulation; SIM_PERCENT=…
	$(BIN)/pytest --numprocesses $(TEST_WORKERS) --dist worksteal --cov --cov-report= \
		$(addprefix --ignore=,$(LONG_TESTS))
	$(BIN)/coverage report --include='$(CRITICAL)' --fail-under=100
	$(BIN)/coverage report --fail-under=$(COVERAGE_MIN)
	$(BIN)/pytest --numprocesses $(TEST_WORKERS) --maxschedchunk 1 $(LONG_TESTS)

check: lint types test ## The same gate, by the name that others look for

model: $(READY) ## Explore every reachable state of a call against an adversarial Amazon
	$(BIN)/python -m tests.model

sim: $(READY) ## Simulate the shipped code against a hostile network; SEED=… or CHOICES=… shows one run
	$(BIN)/python -m tests.simulation \
		$(if $(SEED),seed $(SEED),$(if $(CHOICES),choices '$(CHOICES)',ci))

sim-long: $(READY) ## The same with four faults and a million cards; goes on after a stop; EVERY=1, PART=2/4, SECONDS=…
	$(BIN)/python -m tests.simulation $(if $(EVERY),every,long) --log $(SIM_LOG) \
		$(if $(PART),--part $(PART)) $(if $(SECONDS),--seconds $(SECONDS))

fuzz: $(READY) ## Judge hostile replies; INPUTS=… says how many, SEED=… from where on
	$(BIN)/python -m tests.hostile --inputs $(or $(INPUTS),1000000) --seed $(or $(SEED),0)

$(BENCH_READY): pyproject.toml constraints.txt | $(READY)
	$(BIN)/python -m venv --clear $(BENCH_VENV)
	$(BENCH_PIP) install --quiet --constraint constraints.txt pip
	$(BENCH_PIP) install --quiet --constraint constraints.txt --build-constraint constraints.txt \
		--editable '.[lean]' --group bench
	$(BENCH_PIP) install --quiet --constraint constraints.txt \
		--target $(BENCH_VENV)/with-sniffio sniffio
	@touch $@

bench: $(BENCH_READY) ## Measure beside its peers, and write docs/explanation/performance.md; QUICK=1
	$(BENCH_PYTHON) -m benchmarks.suite $(if $(QUICK),--quick) \
		$(if $(ONLY),--only $(ONLY)) $(if $(ORDERS_MAX),--orders-max $(ORDERS_MAX))

bench-compare: $(BENCH_READY) ## Whether a card has become dearer since BASE=<revision>
	@test -n '$(BASE)' || { echo "make bench-compare BASE=<revision>, such as BASE=main" >&2; exit 2; }
	$(BENCH_PYTHON) -m benchmarks.suite.compare '$(BASE)'

demo: $(READY) ## Issue a small batch against the local emulator
	$(BIN)/python docs/examples/demo.py

crash-demo: $(READY) ## Issue 20,000 orders in a job that is killed 20 times, and check the books
	$(BIN)/python docs/examples/crash_demo.py

certify: $(READY) ## Carry out Amazon's test plan against the local emulator
	$(BIN)/python docs/examples/certify_demo.py

docs: $(READY) ## Write the generated pages of docs/reference anew
	@for generator in $(GENERATORS); do \
		echo "$$generator"; $(BIN)/python "$$generator" || exit 1; done

clean: ## Remove .venv, caches and build results
	rm -rf $(VENV) $(BENCH_VENV) build dist .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache \
		.hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
