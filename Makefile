# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The whole machine is one core to a library that spins: wait passively (docs/footguns.md).
export OMP_WAIT_POLICY := PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[report]'
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.demo

install: $(VENV)/.dev  ## make .venv with everything that tests and checks need

demo: $(VENV)/.demo  ## watch a small transformer grok question formation, then open its report
	$(BIN)/hf-grok demo

test: $(VENV)/.dev  ## run the tests
	$(BIN)/python -m pytest -n 2

# mypy cannot follow the package-dir mapping of pyproject.toml: give it the tree it describes.
build/typing: $(VENV)/.dev
	mkdir -p build/typing/hf_grok
	ln -sfn $(addprefix $(CURDIR)/hf_grok/,$(filter-out __pycache__,$(notdir $(wildcard hf_grok/*)))) build/typing/hf_grok/
	ln -sfn $(CURDIR)/callbacks $(CURDIR)/datasets_scripts $(CURDIR)/model_cards build/typing/hf_grok/

typecheck: build/typing
	MYPYPATH=build/typing $(BIN)/mypy --package hf_grok

quality: $(VENV)/.dev typecheck  ## lint, format check and strict types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev  ## mend what the linter and formatter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: help install demo test quality typecheck format build/typing
