# The kit's commands. From a fresh clone: `make report`, `make test`. `make help` lists all.
#
#   make report [DATASET=satsim] [DATA_DIR=...] [PROFILE=fast|full] [ONLY="32 43 99"] [SEED=0] [RUNS=...] [OUTPUT=build/report] [JOBS=2]
#
# Values reach satlib through the environment, so that a folder name may hold spaces; satlib refuses what it does not know.

SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=1200 --nbval-sanitize-with=tests/nbval_sanitize.cfg -p tests.nbval_cache

VARIABLES := DATASET DATA_DIR PROFILE ONLY SEED RUNS OUTPUT JOBS PYTHON LAB BENCH GPU STEM
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
UNKNOWN := $(filter-out $(VARIABLES) -%,$(GIVEN))
ifneq ($(UNKNOWN),)
$(error unknown variable $(UNKNOWN); the known ones are $(VARIABLES))
endif

.PHONY: help setup report test verify style test-wheel test-browser site test-site notebooks lesson lab bench gpu lock clean
.DEFAULT_GOAL := help

help:  ## List the commands.
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile

setup: .venv/.installed  ## Create .venv and install the locked versions (make report and make test do it on their own).

# torch goes first: it decides between a processor and a CUDA build, the other packages then find it there.
# An installation that was interrupted left .installing behind and starts anew.
.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "satlib needs Python 3.11 to 3.13, and '$(PYTHON)' is not; name one, as in: make report PYTHON=python3.12" >&2; exit 1; }
	@if [ -e .venv/.installing ]; then rm -rf .venv; fi
	@echo "Installing the locked packages into .venv (once, some minutes)"
	@$(PYTHON) -m venv .venv
	@touch .venv/.installing
	@$(BIN)/python -m pip install -qq "$$(grep '^torch==' requirements.lock)"
	@$(BIN)/python -m pip install -qq -c requirements.lock -e ".[test]"
	@rm .venv/.installing
	@touch $@

report: setup  ## Run the lessons and write build/report/index.html.
	@$(BIN)/satlib run $$ONLY $${DATASET:+--dataset "$$DATASET"} $${DATA_DIR:+--data-dir "$$DATA_DIR"} \
	  $${PROFILE:+--profile "$$PROFILE"} $${SEED:+--seed "$$SEED"} $${RUNS:+--runs "$$RUNS"} $${OUTPUT:+--output "$$OUTPUT"} $${JOBS:+--jobs "$$JOBS"}

# Threads that wait sleep rather than spin: two processes share the cores here.
test test-wheel test-browser: export OMP_WAIT_POLICY := PASSIVE

test: setup  ## Check style, layout and imports, run the unit tests and the course's laws, then every notebook against its stored outputs.
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "ruff format would change the files that .venv/bin/ruff format --check lists; run .venv/bin/ruff format" >&2; exit 1; }
	@$(BIN)/lint-imports --no-logo --no-cache
	@$(BIN)/python -m pytest tests -n 2
	@$(BIN)/python -m tests.verify
	@$(BIN)/python -m pytest notebooks $(NBVAL) -n 2 --dist loadfile

verify: setup  ## Recompute what README.md prints from the committed predictions, with no code of satlib.
	@$(BIN)/python -m tests.verify

style: setup  ## Print how long, dense and commented the code of modules and notebooks is, beside that of projects to learn from.
	@$(BIN)/python tests/style.py

test-wheel: setup  ## Run the lessons (or ONLY="01 12") from the built wheel, without the checkout, as on Colab.
	@$(BIN)/python -m pytest tests/wheel/lessons.py

test-browser: .venv/.browser  ## Run every lesson (or ONLY="01 12") in JupyterLab in a real browser (Debian's chromium, or SATLIB_CHROMIUM).
	@$(BIN)/python -m pytest tests/browser/test_lessons.py -vv -n 2 --maxschedchunk=1 --durations=0 --durations-min=5

# What only one target needs, installed when it first asks; the lock's versions stay. A new .venv is without it.
.venv/.browser .venv/.site .venv/.bench: .venv/.%: .venv/.installed
	@echo "Installing the packages for $* into .venv (once)"
	@$(BIN)/python -m pip install -qq -c requirements.lock -e ".[$*]"
	@touch $@

site: .venv/.site  ## Build the site to read, build/site/index.html: lessons, results, glossary, reference of the modules.
	@$(BIN)/python docs/assemble.py build/site-source
	@$(BIN)/python -m sphinx -q -W --keep-going -c docs -d build/site-doctrees build/site-source build/site

test-site: site .venv/.browser  ## Open every page of the site in Debian's chromium: width, figures, formulas, search, accessibility.
	@$(BIN)/python -m pytest tests/browser/test_site.py -n 2

notebooks: setup  ## Run every lesson anew and rewrite the committed outputs and the embedded run records; ONLY="33 99" takes these and what they read.
	@$(BIN)/satlib notebooks $$ONLY $${JOBS:+--jobs "$$JOBS"}

lesson: setup  ## Write the skeleton of a lesson, as in STEM=71_practice_adapters: notebook, module, test and exercise file.
	@$(BIN)/satlib lesson "$$STEM"

lab: setup  ## Open JupyterLab on the lessons; options for it in LAB="--no-browser --port=9000".
	@$(BIN)/satlib lab $$LAB

bench: .venv/.bench  ## Compare the speed of training and scoring with other libraries, half an hour alone on 2 cores; BENCH="--help" lists options.
	@$(BIN)/python -m tests.benchmarks $${DATA_DIR:+--data-dir "$$DATA_DIR"} $$BENCH

gpu: setup  ## On a machine with a GPU: check number formats, resuming, memory and DDP, measure rates, train the headline model; GPU="--seeds 3" for its options.
	@$(BIN)/python -m tests.gpu $$GPU

lock: setup  ## Resolve pyproject.toml again; versions in the lock stay unless a bound forbids them. To move one, edit or delete its line.
	@$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --extra test --extra browser --extra site --no-annotate --no-header \
	  --quiet --output-file requirements.lock
	@sed -i.old -E '/^(nvidia-|cuda-|triton)/d' requirements.lock && rm requirements.lock.old

clean:  ## Remove what the commands made, .venv included.
	rm -rf build dist .venv .pytest_cache .ruff_cache .import_linter_cache .hypothesis
