# Needs Python 3.11 or newer and make. Every target makes the environment it needs in .venv.
PYTHON ?= python3
ifeq ($(origin PYTHON),command line)
# make test PYTHON=python3.13: a Python that is asked for has an environment of its own
VENV   ?= .venv/$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
else
VENV   ?= .venv
endif
VENV   := $(VENV)
BIN    := $(VENV)/bin

.PHONY: demo test quick check docs bench fuzz oldest clean

demo: $(VENV)/.demo
	$(BIN)/consolidate demo --out demo

test: $(VENV)/.test
	$(BIN)/python -m pytest

# the inner loop: no server, browser, second process, real job or example of a docstring
quick: $(VENV)/.test
	$(BIN)/python -m pytest -q -m "not slow" tests

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.voting
	$(BIN)/python -m benchmarks.end_to_end
	$(BIN)/python -m benchmarks.accuracy
	$(BIN)/python -m benchmarks.thin
	$(BIN)/python -m benchmarks.lambda_cold_start
	$(BIN)/python -m benchmarks.calibration
	$(BIN)/python -m benchmarks.jobs
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.formats
	$(BIN)/python -m benchmarks.faults
	$(BIN)/python -m benchmarks.autosegment

# seconds for each target
FUZZ_SECONDS ?= 60
fuzz: $(VENV)/.fuzz
	$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS)

# the tests with the oldest versions of everything that pyproject.toml allows
OLDEST := $(VENV)/oldest
oldest: $(VENV)/.test
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(OLDEST)
	$(BIN)/uv pip compile --quiet --resolution lowest-direct --extra aws --extra fast --extra test pyproject.toml -o $(OLDEST)/requirements.txt
	$(BIN)/uv pip install --quiet --python $(OLDEST)/bin/python -r $(OLDEST)/requirements.txt
	$(OLDEST)/bin/python -m pytest

clean:
	rm -rf $(VENV) demo build dist docs/_build docs/_generated .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[fast]'
	touch $@

$(VENV)/.test: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[aws,fast,test]'
	-$(BIN)/python -m tests.get_rie
	touch $@ $(VENV)/.demo

$(VENV)/.fuzz: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[aws,fast,test,fuzz]'
	touch $@

$(VENV)/.docs: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[docs]'
	touch $@

$(VENV)/.bench: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet -e '.[aws,fast,test,bench]'
	touch $@
