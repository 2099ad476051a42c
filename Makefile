# `make up` starts everything, `make test` tests it; both make the environment first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps

.PHONY: up test audits bench chaos hostile lint types imports schema graphiql pins clean

up: $(STAMPS)/runtime graphiql
	@exec $(BIN)/careergraph up $(ARGS)

# Each of the three processes has servers of its own, and a file's tests share them.
test: $(STAMPS)/dev graphiql
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile $(ARGS)

# The audits of npm's graphql-http against a running server; `make test` runs them too.
audits: $(STAMPS)/dev graphiql
	$(BIN)/python -m pytest tests/graph/test_http_audits.py

# Prints what things cost here; figures are never judged by tests.
bench: $(STAMPS)/dev
	$(BIN)/python -m tests.bench

# Kills everything at random under load, for six minutes; ARGS=--short for two.
chaos: $(STAMPS)/dev
	$(BIN)/python -m tests.chaos $(ARGS)

# Six thousand hostile inputs over HTTP and sockets, then a minute of Schemathesis.
hostile: $(STAMPS)/dev
	$(BIN)/python -m tests.hostile $(ARGS)
	$(BIN)/python -m tests.hostile.schema_fuzz

lint: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

types: $(STAMPS)/dev
	$(BIN)/mypy --strict

imports: $(STAMPS)/dev
	$(BIN)/lint-imports

schema: $(STAMPS)/dev
	$(BIN)/careergraph schema check

# Never fails: without npm the page says what is missing, and all else works.
graphiql: $(STAMPS)/runtime
	@$(BIN)/python -m cli.graphiql_files

# The same pins on every platform, with no registry's address in them.
pins: $(STAMPS)/dev
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 --extra embedded pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --quiet --universal --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 -c requirements.txt pyproject.toml -o requirements-server.txt
	$(BIN)/uv pip compile --quiet --universal --no-emit-index-url --no-annotate --no-header \
	  --python-version 3.11 --extra embedded --extra dev -c requirements.txt pyproject.toml \
	  -o requirements-dev.txt

$(BIN)/python:
	@sh cli/make_venv.sh $(PYTHON) $(VENV)

$(STAMPS)/runtime: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing what CareerGraph needs (once)…" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@mkdir -p $(STAMPS) && touch $@

clean:
	rm -rf $(VENV) web/graphiql/node_modules tests/graphql_http/node_modules build *.egg-info
