# Everything is installed into .venv; nothing outside this folder is touched.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
DEMO := deploy/demo/souffleur.yaml

.PHONY: help install demo check format test bench eval clean

help:
	@echo "make demo     install, index the demo handbook, ask three questions, serve at http://127.0.0.1:8080"
	@echo "make test     install what the tests need and run them"
	@echo "make install  prepare .venv with the commands 'ingest' and 'bot'"
	@echo "make check    format, lint, types, import contracts"
	@echo "make eval     retrieval quality (DATA=folder in BEIR layout, several with spaces between; default: the demo's)"
	@echo "make clean    remove all of that and what the demo indexed"
	@echo "make bench    speed and memory (NAME=start for one bench, EMBEDDING=folder of a model for the one that needs it)"

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Souffleur needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | head -1). Try: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Preparing .venv …"
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing (Debian and Ubuntu: apt install python3-venv)."; exit 1; }
	@touch $@

.venv/.installed: .venv/.python pyproject.toml
	@echo "Installing Souffleur (about 130 MB to download the first time) …"
	@$(PIP) -e .
	@touch $@

.venv/.installed-dev: .venv/.installed
	@echo "Installing what tests and checks need …"
	@$(PIP) -e '.[dev]'
	@touch $@

install: .venv/.installed

demo: install
	$(BIN)/ingest sync --config $(DEMO)
	$(BIN)/bot ask --config $(DEMO) "vpn shows P-211, what's wrong?"
	$(BIN)/bot ask --config $(DEMO) "où est le point de rassemblement en cas d'incendie à Lyon ?"
	$(BIN)/bot ask --config $(DEMO) "wann ist der Basisbeitrag unverfallbar?"
	$(BIN)/bot serve --config $(DEMO) --any-port

format: .venv/.installed-dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

check: .venv/.installed-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@PYTHONPATH=. $(BIN)/lint-imports --no-cache

test: .venv/.installed-dev
	@$(BIN)/python -m pytest -q -rs

eval: install
	@$(if $(DATA),,$(BIN)/ingest sync --config $(DEMO) &&) $(BIN)/bot eval $(if $(DATA),$(DATA),--config $(DEMO) deploy/demo/questions)

bench: .venv/.installed-dev
	@$(BIN)/python -m tests.bench $(NAME) $(if $(EMBEDDING),--embedding "$(EMBEDDING)")

clean:
	rm -rf deploy/demo/.souffleur .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
