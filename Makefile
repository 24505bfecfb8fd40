# The verbs of the project. Every setting is an environment variable: see README.md.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
# A stamp carries the digest of what it stands for, so a changed lock file is installed once.
RUNTIME := .venv/.installed-$(firstword $(shell cksum < requirements.txt))
TOOLS := .venv/.installed-tools-$(firstword $(shell cat requirements.txt requirements-dev.txt | cksum))
# What production must state; invented values, so that the deploy check can run anywhere.
SAFE := DEMO=0 SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	ALLOWED_HOSTS=cx.bank.example PUBLIC_BASE_URL=https://cx.bank.example \
	EMAIL_URL=smtp://relay.bank.example:25 BROKER_URL=redis://127.0.0.1:6379/0

# CI measures coverage by naming another way to run the tests.
PYTEST ?= $(BIN)/pytest

.PHONY: run test faults check e2e bench install tools

run: install
	@exec $(BIN)/python run.py

test: tools
	@$(PYTEST) -q -n 2 -m "not running" --ignore=tests/e2e
	@$(BIN)/pytest -q -m "running and not faults" --ignore=tests/e2e

# What breaks on purpose takes minutes and wants a machine of its own.
faults: tools
	@$(BIN)/pytest -q -m faults --ignore=tests/e2e

check: tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint templates --lint --check
	$(BIN)/lint-imports
	$(BIN)/mypy .
	@state=$$(mktemp -d) && trap 'rm -rf "$$state"' EXIT && export STATE_DIR="$$state" && \
	$(BIN)/python manage.py makemigrations --check --dry-run && \
	env -u DATABASE_URL $(SAFE) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/pytest -q -n 0 tests/cxportal/test_translations.py

e2e: tools
	@$(BIN)/pytest -q tests/e2e

bench: tools
	@$(BIN)/python -m bench

install: $(RUNTIME)

tools: $(RUNTIME) $(TOOLS)

$(RUNTIME):
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed; $(PYTHON) is %d.%d. Name another one: make run PYTHON=python3.11" % sys.version_info[:2])'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv || \
	{ echo "$(PYTHON) cannot make a virtual environment here; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing the requirements, once …" >&2
	@$(PIP) -r requirements.txt
	@rm -f .venv/.installed-[0-9]* && touch $@

$(TOOLS):
	@echo "Installing the tools for tests and checks, once …" >&2
	@$(PIP) -r requirements-dev.txt
	@rm -f .venv/.installed-tools-* && touch $@
