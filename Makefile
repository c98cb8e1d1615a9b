# Everything a machine with Python 3.11+ needs: `make demo`, `make test`. `make help` lists the rest.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
STAGE ?= dev
KIND ?= pairwise
# CONFIRM=no: deploy and destroy ask nothing, for pipelines. ARGS: further words for the CDK.
CONFIRM ?= yes
ARGS ?=
UNASKED = $(if $(filter-out yes no,$(CONFIRM)),$(error CONFIRM is yes or no),$(filter no,$(CONFIRM)))
# One folder a kind, so that one demo does not replace another.
OUT ?= out/$(if $(filter pairwise,$(KIND)),demo,$(KIND))
RECIPE_benchmark := benchmark-mmlu
RECIPE_bedrock := bedrock-judge
RECIPE_scorer := scorer-own
INPUT_scorer := examples/own-data.jsonl
INPUT_own-data := examples/own-data.jsonl
NAME = $(or $(RECIPE_$(KIND)),$(KIND))
RECIPE = $(firstword $(wildcard examples/recipes/$(NAME).yaml) $(NAME))
INPUT = $(if $(filter benchmark,$(KIND)),,$(or $(INPUT_$(KIND)),examples/questions.jsonl))
BIN := .venv/bin
PIP_OPTIONS := --quiet --disable-pip-version-check --no-compile --root-user-action=ignore
UV_VERSION := $(shell sed -n 's/^uv==\([^ ]*\).*/\1/p' requirements.txt)
UV := .nova-judge/uv-$(UV_VERSION)/bin/uv
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
PINS := $(UV) pip compile --quiet --universal --python-version 3.11 --annotation-style line \
	--custom-compile-command "make pins"

# What tools cache stays in this folder, not in the user's home.
export JSII_RUNTIME_PACKAGE_CACHE_ROOT ?= $(CURDIR)/.nova-judge/cache/jsii
export UV_CACHE_DIR ?= $(CURDIR)/.nova-judge/cache/uv
export MPLCONFIGDIR ?= $(CURDIR)/.nova-judge/cache/matplotlib
# Python's own cache too: images set this, and then every process compiles all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test docs hostile check templates schema licences sbom audit pins bootstrap deploy destroy clean

help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

# The installer, beside the environment; where this Python has no pip, from an environment of its own.
$(UV):
	@test -n "$(PYTHON)" || { echo "Nova Judge needs Python 3.11 or newer: install it, or name it with make PYTHON=/path/to/python"; exit 1; }
	@echo "Fetching uv …"
	@if $(PYTHON) -m pip --version >/dev/null 2>&1; \
	then $(PYTHON) -m pip install --target $(@D)/.. $(PIP_OPTIONS) uv==$(UV_VERSION); \
	else $(PYTHON) -m venv $(@D)/.. && $(@D)/python -m pip install $(PIP_OPTIONS) uv==$(UV_VERSION); fi

.venv/bin/python: | $(UV)
	@$(UV) venv --quiet --python $(PYTHON) .venv

.venv/demo: .venv/bin/python requirements.txt pyproject.toml
	@echo "Installing what the demo needs …"
	@$(INSTALL) --constraint requirements.txt --editable .[local]
	@touch $@

.venv/deploy: .venv/demo
	@echo "Installing what a deployment needs …"
	@$(INSTALL) --compile-bytecode --requirement requirements.txt
	@touch $@

# What the demo installed is compiled here: jailed programs, which write nothing, would do it each time.
.venv/dev: .venv/deploy requirements-dev.txt
	@echo "Installing what the tests need …"
	@$(INSTALL) --compile-bytecode --requirement requirements-dev.txt
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@touch $@

pins: $(UV)  ## Write the requirements files anew from pyproject.toml (PINS_OPTIONS=--upgrade for the newest)
	@$(PINS) pyproject.toml --extra local --extra deploy $(PINS_OPTIONS) -o requirements.txt
	@$(PINS) pyproject.toml --extra local --extra deploy --group dev -c requirements.txt --generate-hashes $(PINS_OPTIONS) -o requirements-dev.txt
	@$(PINS) --group pyproject.toml:functions -c requirements.txt --generate-hashes -o lambdas/requirements.txt
	@$(PINS) pyproject.toml --extra registry -c lambdas/requirements.txt $(PINS_OPTIONS) -o requirements-sagemaker.txt

setup: .venv/dev  ## Install everything into .venv

demo: .venv/demo  ## Run the main job on this machine: no AWS, no Docker (KIND=pairwise|rubric|benchmark|bedrock|scorer|own-data)
	@$(BIN)/nova-judge local run $(INPUT) --recipe $(RECIPE) --answers examples/answers --out $(OUT)

test: .venv/dev  ## Run all tests
	@$(BIN)/pytest -n auto --dist worksteal

docs: .venv/dev  ## Build the documentation site into out/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "Open out/site/index.html, or with a search field: .venv/bin/mkdocs serve"

hostile: .venv/dev  ## Attacks, faults and mutants in full; `make test` runs a part of them
	@NOVA_JUDGE_HOSTILE=full $(BIN)/pytest -n auto tests/hostile

check: .venv/dev  ## Style, types, templates, policies and the state machine, all offline
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pytest tests/infrastructure

templates: .venv/dev  ## Write the templates of local mode anew, after a change to the stacks
	@$(BIN)/python -m stacks.local_templates

schema: .venv/dev  ## Write the schemas in docs/ anew, after a change to the records of metrics.json or of events
	@$(BIN)/python -m nova_judge.findings.schemas docs

licences: .venv/dev  ## Write docs/licences.md anew, after a change to what is installed
	@$(BIN)/python tools/licences.py docs/licences.md

sbom: .venv/dev  ## Write out/sbom.json, a CycloneDX list of everything in .venv
	@mkdir -p out
	@$(UV) tool run --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py environment $(BIN)/python --pyproject pyproject.toml --output-reproducible -o out/sbom.json

audit: $(UV)  ## Look for known faults in what functions, machine and tests install (asks pypi.org)
	@for file in lambdas/requirements.txt requirements.txt requirements-dev.txt; do \
		$(UV) tool run --quiet pip-audit==2.10.1 --strict --disable-pip --no-deps --progress-spinner off -r $$file || exit 1; done

# Credentials are looked at first: `where` ends with one sentence where there are none.
bootstrap: .venv/deploy  ## Prepare the account and region of your credentials for the CDK, once
	@place=$$($(BIN)/nova-judge where --cdk) && $(BIN)/python -m stacks.command bootstrap $$place $(ARGS)

deploy: .venv/deploy  ## Deploy a stage into the account of your credentials (STAGE=dev, CONFIRM=no, ARGS=…)
	@$(BIN)/nova-judge where
	@$(BIN)/python -m stacks.command deploy --all --context stage=$(STAGE) $(if $(UNASKED),--require-approval never) $(ARGS)

destroy: .venv/deploy  ## Stop what a stage runs and remove it (STAGE=dev, CONFIRM=no, ARGS=…)
	@$(BIN)/nova-judge stop --stage $(STAGE) $(if $(UNASKED),--yes)
	@$(BIN)/python -m stacks.command destroy --all --context stage=$(STAGE) $(if $(UNASKED),--force) $(ARGS)

clean:  ## Remove what the targets above wrote
	@rm -rf .venv .nova-judge cdk.out out
