# `make install` once, then `make check` before each commit; `make train` rebuilds the shipped heads.
PYTHON ?= .venv/bin/python
TESTS ?=

.PHONY: install check test test-offline lint audit sbom fuzz train

install:
	python3 -m venv .venv
	$(PYTHON) -m pip install --quiet --editable '.[test]'

check: lint test

lint:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(dir $(PYTHON))lint-imports
	$(PYTHON) -m classifier check corpus/en

test:
	$(PYTHON) -m pytest

test-offline:  # all tests (or TESTS) in a network namespace of their own, from which only this machine is reached; Linux, needs unshare and ip
	unshare --map-root-user --net sh -c 'ip link set lo up && exec $(PYTHON) -m pytest $(TESTS)'

fuzz:  # 1,000 tables and ten kills a format, by hand
	FUZZ_TABLES=1000 KILLS=10 $(PYTHON) -m pytest tests/test_table_fuzz.py tests/test_job.py

audit:  # known weaknesses of what is installed; asks the package index, so it needs the network and the extra `audit`; fails where one cannot be asked about
	mkdir -p build
	$(PYTHON) -m pip freeze --exclude-editable | grep -v '^service-excellence-classifier' > build/installed.txt
	$(PYTHON) -m pip_audit --strict --no-deps --disable-pip --requirement build/installed.txt

sbom:  # what the installed program consists of, as CycloneDX JSON; needs the extra `audit`
	mkdir -p build
	$(PYTHON) -m cyclonedx_py environment --pyproject pyproject.toml --output-reproducible --of JSON -o build/sbom.json $(PYTHON)

train:
	$(PYTHON) -m classifier train corpus/en models/en --seed 0
