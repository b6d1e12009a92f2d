# Everything a newcomer, a developer and CI need. `make help` lists it.
# Set-up goes into .venv from locked, hashed requirements, and is done again only when they change.

VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8501
# The first Python of 3.11 or newer on the path; `make PYTHON=/path/to/python3.13 …` picks another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
# Compiling every module, imported or not, doubles the time of an install; WARM compiles what Assay imports.
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input install -qq --no-compile
WARM   := $(BIN)/python -c 'from app.serve import preload; preload()'
# Some containers forbid Python to keep what it has compiled; every start would compile it all again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format types imports browser database bench lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready  ## Prepare .venv so that .venv/bin/assay works
	@echo "Ready: $(BIN)/assay --help"

demo: $(VENV)/.ready  ## Open the app on the sample logs (PORT=8501)
	$(BIN)/assay demo --port $(PORT)

test: $(VENV)/.ready-dev lint types imports browser database  ## Lint, types, import rules, doctests and every test
	$(BIN)/pytest -n 2

lint: $(VENV)/.ready-dev  ## Check style (ruff)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.ready-dev  ## Mend style where ruff can
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

types: $(VENV)/.ready-dev  ## Check types (mypy --strict)
	$(BIN)/mypy

imports: $(VENV)/.ready-dev  ## Check who may import whom (import-linter)
	$(BIN)/lint-imports

browser: $(VENV)/.ready-dev  ## Find Chromium for the browser tests, or install it
	$(BIN)/python tests/chromium.py

database: $(VENV)/.ready-dev  ## Find PostgreSQL for the store's tests, or install Debian's where we may
	$(BIN)/python tests/postgresql.py

bench: $(VENV)/.ready-dev  ## Measure speed: first page, reruns, drift against a bare scan
	$(BIN)/python -m benchmarks

lock: $(VENV)/.ready  ## Write requirements*.lock anew from pyproject.toml (needs the network)
	$(BIN)/python -m venv --clear .setup/lock
	.setup/lock/bin/python -m pip install --quiet uv
	$(UV_COMPILE) --output-file requirements.lock $(UPGRADE)
	$(UV_COMPILE) --output-file requirements-dev.lock --constraint requirements.lock --extra dev $(UPGRADE)

# One lock for every platform and Python from 3.11 on; no index address, no comments naming folders.
UV_COMPILE = .setup/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-annotate pyproject.toml --group build
UPGRADE ?= --upgrade

clean:  ## Remove .venv and caches
	rm -rf $(VENV) .setup .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache build dist

$(VENV)/bin/pip:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Assay needs Python 3.11 or newer: put one on the path, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: apt-get install python3-venv), then run make again." >&2; exit 2; }
	@"$(PYTHON)" -m venv --clear $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(VENV)/bin/pip
	@echo "Installing into $(VENV) …"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(WARM) || true
	@touch $@

# The development lock holds the runtime lock whole, so this is one install, not two.
$(VENV)/.ready-dev: requirements-dev.lock requirements.lock pyproject.toml | $(VENV)/bin/pip
	@echo "Installing into $(VENV), with what tests need …"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@$(WARM) || true
	@touch $(VENV)/.ready $@
