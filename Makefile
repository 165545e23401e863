# `make` builds the environment and runs the main job; every target may be repeated and does only what is missing.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
INSTALL := VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode
export PATH := $(CURDIR)/$(BIN):$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
export DVC_NO_ANALYTICS := true

.PHONY: all env test check format lint types imports leaks docs umap prophet spark postgres stores servers auth audit battery test-superset locks texts shops bench

all: env
	insiders run
	@echo "the list: reports/insiders.csv   the page: reports/index.html"

env: $(STAMP)

# Keyed on the content of the locks: a changed time stamp alone installs nothing.
$(STAMP): requirements.lock requirements-bootstrap.lock pyproject.toml
	@set -e; key=$$(cat $^ | cksum); \
	if [ "$$(cat $@ 2>/dev/null)" = "$$key" ]; then touch $@; exit 0; fi; \
	echo "building the environment in $(VENV)"; \
	[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.lock; \
	$(INSTALL) --require-hashes -r requirements.lock; \
	$(INSTALL) --no-deps --no-build-isolation -e .; \
	echo "$$key" > $@

# Extras that the core does without (see pyproject.toml), each of the version, and with the hash, that one lock states.
umap: env
	$(INSTALL) --constraints requirements-extras.lock umap-learn

prophet: env
	$(INSTALL) --constraints requirements-extras.lock prophet

spark: env
	$(INSTALL) --constraints requirements-extras.lock pyspark

postgres: env
	$(INSTALL) --constraints requirements-extras.lock "psycopg[binary]"

stores: env
	$(INSTALL) --constraints requirements-extras.lock "psycopg[binary]" pgpq pymysql pymongo xlsxwriter

# What tests start: database servers and LibreOffice by the system's packages, and a double of MongoDB.
SERVERS := postgresql mariadb-server libreoffice-calc
servers: stores
	$(INSTALL) --constraints requirements-extras.lock nx-27017
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get install -qq -y --no-install-recommends $(SERVERS) >/dev/null || \
		{ apt-get update -qq && apt-get install -qq -y --no-install-recommends $(SERVERS) >/dev/null; }; \
	else echo "install PostgreSQL, MariaDB and LibreOffice Calc by your system's packages (Debian: $(SERVERS))"; fi

auth: env
	$(INSTALL) --constraints requirements-extras.lock Flask-WTF

# Licences, a bill of materials and known vulnerabilities, into build/; needs the network for the last.
audit: env
	$(INSTALL) --constraints requirements-extras.lock pip-audit cyclonedx-bom
	python docs/audit.py

test: env
	pytest

# What takes an hour: kills at every step and at any moment of every stage, readers and writers at once, locked and full stores.
battery: env
	pytest -m battery

# Apache Superset in an environment of its own, over a PostgreSQL of the test's own; 700 MB, some minutes.
SUPERSET := build/superset
test-superset: env
	[ -x $(SUPERSET)/bin/superset ] || { $(PYTHON) -m venv $(SUPERSET) && $(BIN)/uv pip install --quiet -p $(SUPERSET)/bin/python \
		apache-superset==6.1.0 rich cachetools flask-caching==2.3.1 psycopg2-binary; }
	INSIDERS_SUPERSET=$(CURDIR)/$(SUPERSET)/bin/superset pytest -m superset tests/test_superset.py

check: env format lint types imports leaks docs test

format:
	ruff format --check src tests benchmarks docs

lint:
	ruff check src tests benchmarks docs

# Passwords and keys in what is committed; a line that only looks like one says so: pragma: allowlist secret.
leaks:
	git ls-files -z | xargs -0 detect-secrets-hook

types:
	mypy

imports:
	lint-imports

docs: env
	python docs/api.py
	python docs/tables.py
	python docs/notebook.py

# Scores and segments on real shops: two packages of the Python registry are fetched for their data, and FILES are read.
shops: env
	python benchmarks/shops.py build/shops $(FILES)

# Lines to features beside pandas, Polars, SQL by hand and a bare scan: benchmarks/bench.md; FILE is Online Retail's CSV.
bench: env
	$(INSTALL) --constraints requirements-extras.lock polars
	python benchmarks/bench.py $(FILE)

# What templates and code say, into the catalogues of the other languages; what is new stands there untranslated.
LOCALES := src/insiders/report/locale
texts: env
	pybabel --quiet extract -F pyproject.toml -k say -k named:1c,2 --no-location -o $(VENV)/insiders.pot src/insiders
	pybabel --quiet update -D insiders -i $(VENV)/insiders.pot -d $(LOCALES) -w 120 \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	rm $(VENV)/insiders.pot

# Written anew when a dependency in pyproject.toml changes; holds versions and hashes, no address.
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet
locks:
	$(LOCK) --extra dev pyproject.toml -o requirements.lock
	$(LOCK) --extra dev --extra dashboard --extra postgres --extra stores --extra servers --extra umap --extra prophet --extra spark --extra auth --extra audit --extra bench pyproject.toml -o requirements-extras.lock
	echo "uv==0.13.9" | $(LOCK) - -o requirements-bootstrap.lock
