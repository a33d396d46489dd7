# Everything a developer does with the project; CI runs the same verbs.
# `make run` and `make test` need nothing but Python 3.11 or later, a C compiler and git.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
NATIVE := $(shell find pyx -name '*.pyx' -o -name '*.pxd' 2>/dev/null)
JOBS ?= 2
VERSION ?= 2.0.1
SPEC ?= ../shared/spec

.PHONY: help run test test-hardware compile debug bench bench-short lint format types docs generate status wheel wheels wheelhouse boards boards-short peers clean distclean bench-reference bundle soak bench-instructions machine kills sanitize fuzz reliability

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; found: `$(PYTHON) --version`. Set PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "No virtual environment could be made. On Debian: apt install python3-venv python3-dev gcc"; exit 1; }
	@touch $@

$(VENV)/.installed: $(VENV)/.python pyproject.toml setup.py
	@echo "Setting up $(VENV) and compiling (about a minute) ..."
	@{ $(PIP) install -U pip 'setuptools>=77' && \
	   $(PIP) install -e '.[dev]' --config-settings editable_mode=compat; } >$(VENV)/install.log 2>&1 || \
	  { cat $(VENV)/install.log; echo "The installation failed; run 'make distclean' and try again."; exit 1; }
	@touch $@ $(VENV)/.compiled

$(VENV)/.compiled: $(VENV)/.installed $(NATIVE)
	@$(BIN)/python setup.py -q build_ext --inplace
	@touch $@

run: $(VENV)/.compiled  ## watch a simulated station charge a car (VERSION=1.6, 2.0.1 or 2.1)
	@$(BIN)/pilotwire demo --version $(VERSION)

test: $(VENV)/.compiled  ## run every test that this machine has the tools for, with the peers where they can be had
	@bench/peers/install || echo "The peers cannot be had: tests that need them, or the schemas they ship, are skipped."
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -rs --ignore=tests/hardware
	@$(MAKE) --no-print-directory test-hardware

test-hardware: $(VENV)/.compiled  ## run the drivers on emulated kernel devices (umockdev), where there is no wired board
	@tests/hardware/run $(BIN)/python

compile: $(VENV)/.compiled  ## build the compiled modules in place

debug: $(VENV)/.installed  ## build them with bounds checks, warnings and line tracing
	@PILOTWIRE_BUILD=debug $(BIN)/python setup.py -q build_ext --inplace --force
	@touch $(VENV)/.compiled

bench: $(VENV)/.compiled peers  ## run the benchmark suite, print its table of ratios and write its page in docs
	@PILOTWIRE_BENCH_JSON=build/bench.json $(BIN)/python -m pytest bench --benchmark-only -q -p no:xdist --benchmark-quiet --benchmark-disable-gc
	@$(BIN)/python bench/page.py build/bench.json docs/common

bench-reference: bench  ## run it, and take the ratios as the reference of later runs
	@cp build/bench.json bench/reference.json

bench-short: $(VENV)/.compiled  ## a quick run of it, for CI
	@$(BIN)/python -m pytest bench --benchmark-only -q -p no:xdist --benchmark-max-time=0.1 --benchmark-min-rounds=3 --benchmark-quiet --benchmark-disable-gc

bench-instructions: $(VENV)/.compiled  ## count the instructions of the compiled modules (valgrind), compared with bench/instructions.json
	@$(BIN)/python bench/instructions.py --write build/instructions.json

soak: $(VENV)/.compiled  ## let a station serve a simulated month in every version (some minutes), and write docs/common/soak.md
	@$(BIN)/python bench/soak.py --page docs/common

kills: $(VENV)/.compiled  ## kill a station at random for MINUTES (10), on flapping links, before a CSMS that keeps a book
	@$(BIN)/python bench/kills.py $(MINUTES) --json build/reliability/kills.json

fuzz: $(VENV)/.compiled  ## look for inputs that do harm, SECONDS (60) for each target (TARGETS="frames http"); wants clang
	@tests/fuzz/run $(or $(SECONDS),60) $(TARGETS)

reliability: kills fuzz sanitize  ## all three, and their figures into docs/common/reliability.md
	@$(BIN)/python bench/reliability.py build/reliability docs/common

sanitize: $(VENV)/.compiled  ## run the tests of the compiled modules with the address and undefined behaviour sanitizers
	@tests/sanitize

peers: $(VENV)/.python  ## set up the CSMSs and libraries of others that tests and benchmarks talk to
	@bench/peers/install

lint: $(VENV)/.compiled  ## check style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.compiled  ## put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.compiled  ## check types strictly, and the stubs against the compiled modules
	@$(BIN)/mypy
	@$(BIN)/python -m mypy.stubtest --ignore-unused-allowlist --concise --allowlist pyx/stubtest.allow ocpp._native hal._native

generate: $(VENV)/.compiled  ## regenerate message types from the OCPP schemas in $(SPEC)
	@$(BIN)/python -m ocpp.messages.generator $(SPEC)

docs: $(VENV)/.compiled  ## regenerate the pages that come from the code's tables
	@$(BIN)/python -m ocpp.device_model.documentation docs
	@$(BIN)/python -m ocpp.station.documentation docs

status: $(VENV)/.compiled  ## regenerate the status pages from the marks on the tests, and show the counts
	@mkdir -p build
	@$(BIN)/python -m pytest --collect-only -qq -p no:xdist --status=docs >build/status.txt 2>&1 || \
	  { tail -n 5 build/status.txt; exit 1; }
	@grep -E '^(#|\||$$)' build/status.txt

wheel: $(VENV)/.compiled  ## build the sdist, and the wheel from the sdist
	@rm -rf dist && $(BIN)/python -m build

wheels: $(VENV)/.compiled  ## cross-compile wheels for the boards into dist/ (TARGETS="armv7l-cp311 aarch64")
	@$(BIN)/python -m cross.wheels $(TARGETS)

wheelhouse: $(VENV)/.compiled  ## a folder per board in dist/wheelhouse/ that installs without a network (TARGETS=...)
	@$(BIN)/python -m cross.wheelhouse $(TARGETS)

bundle: $(VENV)/.compiled  ## pack, sign (PILOTWIRE_BUNDLE_KEY=PEM) and put into dist/ what is flashed (TARGETS=...)
	@PILOTWIRE_BUNDLE_KEY=$(PILOTWIRE_BUNDLE_KEY) $(BIN)/python -m cross.bundle $(TARGETS)

boards: $(VENV)/.compiled  ## install and try it all out on emulated boards (TARGETS=...)
	@$(BIN)/python -m cross.boards $(TARGETS)

boards-short: $(VENV)/.compiled  ## the part of it that CI runs: wheels, installation and demo on armv7 and aarch64
	@$(BIN)/python -m cross.boards --short $(TARGETS)

machine: $(VENV)/.compiled  ## boot a whole emulated machine and look at the service under its systemd (TARGETS=aarch64-cp311)
	@$(BIN)/python -m cross.machine $(TARGETS)

clean:  ## remove what was built
	@rm -rf build dist .benchmarks .mypy_cache .ruff_cache .hypothesis
	@find ocpp -name '*.so' -delete; find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
	@rm -f $(VENV)/.compiled

distclean: clean  ## and the virtual environments
	@rm -rf $(VENV) .venvs *.egg-info
