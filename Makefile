# `make help` explains every target.
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
ARGS ?=
CLUSTER_TESTS ?= tests/cluster

.PHONY: help run install install-dev test cluster-test check format constraints image clean

help: ## Explain every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install ## Start everything on http://127.0.0.1:8080 (ARGS="--port 9000 --data DIR" to change)
	@exec $(BIN)/workshop up $(ARGS)

install: .venv/installed ## Make .venv and install what `workshop` needs

install-dev: .venv/installed-dev ## Install what the tests and checks need as well

test: install-dev ## Unit, contract, integration and browser tests (ARGS="-k name" to choose)
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

cluster-test: install-dev ## Tests on Kubernetes: KUBECONFIG, else kind or k3d, else the program CLUSTER_TOOL names
	@$(BIN)/python -m tests.cluster.clusters
	@$(BIN)/python -m pytest $(CLUSTER_TESTS) --timeout 3600 $(ARGS)

check: install-dev ## Lint (ruff), types (mypy --strict), who imports whom (import-linter)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: install-dev ## Format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

constraints: install-dev ## Make constraints.txt anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --all-extras --universal --upgrade --no-annotate --no-header \
		--python-version 3.12 -o constraints.txt

image: ## Build both images, localhost/workshop-assistant{,-rag}:dev, with buildah, podman or docker
	@scripts/build-images

clean: ## Remove .venv, caches and build results; ./data is left alone
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info

.venv/bin/python:
	@python=$$(scripts/find-python) || exit 1; \
	echo "Making .venv with $$python"; "$$python" -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing (the embedding model's runtime is large: the first time takes a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[laptop]'
	@touch $@

.venv/installed-dev: .venv/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[laptop,dev]'
	@touch $@
