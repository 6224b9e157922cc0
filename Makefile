# One command each. Nothing here asks a question, and nothing needs to be set up before.
#   make demo     a running Modelward with real data and models, ready to click through
#   make test     everything that must hold before a change is kept
# MODELWARD_HOME and MODELWARD_PORT say where the demo keeps its data and listens:  make demo MODELWARD_PORT=9000
# PYTHON picks the interpreter:                                                    make test PYTHON=python3.12

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -n auto
.PHONY: help demo test check format stories faults bench schema docs clean environment environment-demo

help:
	@sed -n 's/^#   //p' Makefile
	@echo "make check    format, types, contracts, unit and house tests: under a minute"
	@echo "make stories  the flows, on SQLite and PostgreSQL        make faults   kill, power loss, full disk"
	@echo "make bench    the speed goals, side by side              make docs     write the generated tables anew"
	@echo "make format   lay out the code and mend what can be      make clean    remove what was made here (not your data)"

environment:
	@sh tools/environment.sh dev

environment-demo:
	@sh tools/environment.sh demo

demo: environment-demo
	@exec $(BIN)/modelward demo

test: environment still
	$(PYTEST)

check: environment still
	$(PYTEST) -q tests/unit tests/house

# What can be judged without running anything.
.PHONY: still
still: environment
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --strict tools
	$(BIN)/lint-imports

format: environment
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

stories: environment
	$(PYTEST) tests/stories

faults: environment
	$(PYTEST) tests/faults

bench: environment
	@for each in benchmarks/*_beside_*.py; do \
	    $(BIN)/python -m "benchmarks.$$(basename "$$each" .py)" || exit; \
	done

schema: environment
	$(BIN)/python tools/write_schema.py

docs: environment
	$(BIN)/python tools/write_docs.py

# The data folder of MODELWARD_HOME is yours and stays.
clean:
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
