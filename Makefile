# The verbs of the project. `make` lists them; `make check` is what continuous integration runs.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python -m
READY := $(VENV)/.stamp
# Naming torch on the line keeps pip from trading it for another build. For the small CPU build where pip offers a CUDA one:
# make setup PIP_FLAGS="--extra-index-url https://download.pytorch.org/whl/cpu"
TORCH := $(shell sed -n 's/^\(torch==[^ ]*\).*/\1/p' constraints.txt)
PIP_FLAGS ?=
LABEL := .venv-label
LABEL_TESTS := tests/label tests/transforms/test_dicom_library.py monai_medmamba/label
LABEL_READY := $(LABEL)/.stamp
LABEL_PINS := $(shell sed -n 's/^\(\(monai\|pytest\|pytest-xdist\)==[^ ]*\).*/\1/p' constraints.txt)
WORKERS ?= 2
# Threads that wait leave the cores to the other workers.
PYTEST := OMP_WAIT_POLICY=PASSIVE $(RUN) pytest -q
MONAI_MEDMAMBA_TEST_BACKENDS ?= cuda,mamba_ssm
BUNDLE := $(RUN) monai.bundle
ENDO := bundles/medmamba_endo/configs
DEMO_EPOCHS ?= 30
# The bundles' own tests start a process for each command: `make bundles`.
LEFT_OUT = --ignore=tests/bundles

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo test test-all test-gpu test-label lint fix docs bench bundles check clean

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: $(READY) ## install everything into .venv

# itk, 1.5 GB, stays out: the tests that need it skip and say so.
$(READY): pyproject.toml setup.py constraints.txt $(wildcard csrc/*)
	@test -x $(VENV)/bin/pip || $(PYTHON) -m venv $(VENV) || { echo "No environment made; cure: apt-get install python3-venv"; exit 1; }
	@echo "Installing into $(VENV); the first time takes a few minutes ..."
	@$(RUN) pip install -q --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt $(TORCH) nibabel pydicom -e ".[dev,docs,dicom]"
	@touch $@

demo: $(READY) ## train on the embedded phantoms, evaluate, and write a report
	@$(BUNDLE) run training --config_file $(ENDO)/train.json --variant nano --image_size 64 --epochs $(DEMO_EPOCHS)
	@$(BUNDLE) run evaluating --config_file "['$(ENDO)/train.json','$(ENDO)/evaluate.json']"
	@echo "The report: bundles/medmamba_endo/output/report.html"

test: $(READY) ## run the tests on the CPU, under 5 minutes
	@$(PYTEST) -n $(WORKERS) -m "not slow" tests $(LEFT_OUT)

test-all: $(READY) ## run the slow tests and those on real images (MEDMAMBA_DATA) as well
	@$(PYTEST) -n $(WORKERS) tests

test-gpu: ## run the GPU tests with PYTHON, which brings its own CUDA build of torch, and record them
	@MONAI_MEDMAMBA_TEST_BACKENDS=$(MONAI_MEDMAMBA_TEST_BACKENDS) $(PYTHON) benchmarks/gpu_tests.py

test-label: $(LABEL_READY) ## run the tests of the MONAI Label application, in an environment of its own
	@OMP_WAIT_POLICY=PASSIVE $(LABEL)/bin/python -m pytest -q -n $(WORKERS) --dist loadfile --doctest-modules $(LABEL_TESTS)

# MONAI Label wants pydicom 2 and an old jsonschema; so constraints.txt holds for torch, MONAI and the tests alone.
$(LABEL_READY): pyproject.toml setup.py $(wildcard csrc/*)
	@test -x $(LABEL)/bin/pip || $(PYTHON) -m venv $(LABEL) || { echo "No environment made; cure: apt-get install python3-venv"; exit 1; }
	@echo "Installing MONAI Label into $(LABEL); the first time takes several minutes ..."
	@$(LABEL)/bin/python -m pip install -q --disable-pip-version-check $(PIP_FLAGS) $(TORCH) $(LABEL_PINS) -e ".[label]"
	@touch $@

lint: $(READY) ## check style, types, and the rules of the house
	@$(RUN) ruff check . && $(RUN) ruff format --check . && $(RUN) mypy
	@$(PYTEST) -n $(WORKERS) tests/house

fix: $(READY) ## mend what Ruff can mend
	@$(RUN) ruff check --fix . ; $(RUN) ruff format .

docs: $(READY) ## run the examples of the docstrings and build docs/_build/html
	@$(PYTEST) --doctest-modules --ignore=monai_medmamba/label monai_medmamba
	@$(RUN) sphinx -q -W --keep-going docs docs/_build/html

bench: $(READY) ## time the operation, once its tests are green
	@$(PYTEST) -n $(WORKERS) tests/ops
	@$(VENV)/bin/python benchmarks/run.py

bundles: $(READY) ## verify every bundle
	@$(PYTEST) -n $(WORKERS) tests/bundles

# lint runs the tests of the house itself, bundles those of the bundles.
check: LEFT_OUT += --ignore=tests/house --ignore=tests/bundles
check: lint test test-label docs bundles ## everything that a change must pass

clean: ## remove what the verbs made, except .venv and .venv-label
	@rm -rf docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
