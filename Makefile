# Crypto market data and forecasts on Apache Airflow. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

UV_VERSION := 0.13.8
PYTHON ?= $(shell for p in python3 python3.12 python3.11 python3.13; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo "$$p" && break; done)
PY := .venv/bin/python
STACK := $(PY) -m include.cli stack
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy

.PHONY: help install demo up down status sql env dag-test quote market coverage forecasts reconcile verify-forecasts models report report-metrics budgets archive export replay new-venue test lint lint-python lint-sql test-fast audit backup backups restore-backup bench bench-ingest bench-features bench-feature-memory bench-training bench-archive bench-backfill bench-calibration bench-receiver bench-task-start bench-api soak prove-alerts prove-celery prove-containers prove-recovery canary docs pictures lock lock-check clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-21s %s\n", $$1, $$2}' Makefile

install: .venv/.complete ## install everything into .venv, from the lock

# The stamp is written last: an interrupted install is taken up again.
.venv/.complete: requirements.lock Makefile
	@test -n "$(PYTHON)" || { echo "error: Python 3.11, 3.12 or 3.13 is needed; install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "installing into .venv ($$($(PYTHON) --version), $$(grep -c '==' requirements.lock) packages from requirements.lock)" >&2
	@$(PY) -c '' 2>/dev/null || "$(PYTHON)" -m venv --clear .venv || { echo "error: $(PYTHON) cannot make a virtual environment (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(PY) -m uv --version 2>/dev/null | grep -q ' $(UV_VERSION)' || $(PY) -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@VIRTUAL_ENV="$(CURDIR)/.venv" $(PY) -m uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	@touch .venv/.complete

demo: install ## the whole pipeline on replayed data, then the UI until Ctrl-C (ONCE=1 ends by itself)
	@$(STACK) demo $(if $(ONCE),--once)

up: install ## start the stack in the background, against the real exchanges
	@$(STACK) up $(if $(WORLD),--world $(WORLD))

down: install ## stop the stack
	@$(STACK) down

status: install ## what runs, and where
	@$(STACK) status

sql: install ## make sql Q="select …": CSV from the warehouse
	@$(STACK) sql "$$Q"
sql: export Q := $(Q)

env: install ## eval "$(make -s env)": settings for `airflow dags test` (DATABASE=live: for the scheduler's own database)
	@$(STACK) env $(if $(DATABASE),--database $(DATABASE))

dag-test: install ## make dag-test DAG=ohlcv_backfill DATE=2024-06-01
	@settings="$$($(STACK) env)"; eval "$$settings"; $(PY) -m airflow dags test "$(DAG)" $(DATE)

# Commands on the warehouse of the stack that is up: make coverage ARGS="--months"
market coverage forecasts reconcile verify-forecasts models report budgets archive export: install
	@settings="$$($(STACK) env)"; eval "$$settings"; $(PY) -m include.cli $@ $(if $(filter models archive,$@),$(or $(ARGS),list),$(ARGS))

quote: install ## make quote ARGS="--from 2018-01-01 --to 2025-01-01": what a backfill will cost
	@$(PY) -m include.cli backfill-quote $(ARGS)

market: ## what is known of the markets, and how far it can be trusted (ARGS="--market binance:BTC/USDT --from 2024-01-01")
coverage: ## is every candle there, or its absence explained? (ARGS="--months --certificate FILE")
forecasts: ## the newest forecasts, or why there are none; the scoreboard; who serves (ARGS="--json")
reconcile: ## do the venues agree?
verify-forecasts: ## is every sealed forecast as it was sealed? (ARGS="--heads FILE")
models: ## who serves, on what evidence (ARGS="rollback binance:BTC/USDT log_return/24")
report: ## forecasts, calibration, scoreboard and promotions as an HTML page (ARGS="--out FILE")
archive: ## months that left for files (ARGS="list|verify|restore --month 2023-01 --act")
export: ## public views as CSV files (ARGS="ohlcv crypto_prices --from 2024-01-01 --to 2024-02-01 --out FOLDER")
budgets: ## request budgets and circuits (ARGS="--reset-circuit binance")

replay: install ## the replay exchange alone: make replay ARGS="--synthetic --port 9009"
	@$(PY) -m include.cli replay $(ARGS)

report-metrics: install ## the README's figures of forecasts: make report-metrics MARKET_DATA_DIR=… (ARGS="--quick")
	@$(PY) -m include.cli report-metrics $(ARGS)

new-venue: install ## the first files of another exchange: make new-venue NAME=bitstamp
	@$(PY) -m include.cli new-venue "$(NAME)"

test: install ## lint, types, and every test
	@$(MAKE) -j 2 lint
	@$(PY) -m pytest -n 2 --no-loadscope-reorder $(ARGS)

test-fast: install ## the tests that start no whole stack
	@$(PY) -m pytest -n 2 --no-loadscope-reorder -m "not stack" $(ARGS)

lint: lint-python lint-sql lock-check ## ruff, mypy, sqlfluff, locks

lint-python: install
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

lint-sql: install
	@$(PY) -m sqlfluff lint --disable-progress-bar sql

# One resolution for everything; the image's requirements.txt is its part without the development tools.
COMPILE := $(PY) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-annotate --no-header --quiet

lock: install ## resolve anew after a change in pyproject.toml (UPGRADE=--upgrade for newer versions)
	@$(COMPILE) --group dev $(UPGRADE) -o requirements.lock
	@$(COMPILE) --constraints requirements.lock -o requirements.txt

lock-check: install ## requirements.lock and requirements.txt are what pyproject.toml says
	@fresh="$$(mktemp -d)"; trap 'rm -rf "$$fresh"' EXIT; cp requirements.lock requirements.txt "$$fresh"; \
	$(COMPILE) --group dev -o "$$fresh/requirements.lock"; \
	$(COMPILE) --constraints "$$fresh/requirements.lock" -o "$$fresh/requirements.txt"; \
	for each in requirements.lock requirements.txt; do \
		diff -q "$$each" "$$fresh/$$each" >/dev/null || { echo "error: $$each is not what pyproject.toml says: run make lock" >&2; exit 1; }; done

audit: install ## known vulnerabilities of what is locked (it says NOT AUDITED where it was not; ARGS="--service pypi")
	@$(PY) deploy/audit_dependencies.py $(ARGS)

backup: install ## dump and check every database (ARGS="--verify": restore each into a scratch database too)
	@$(PY) -m include.cli backup $(ARGS)

backups: install ## what there is to restore, and is it sound?
	@$(PY) -m include.cli backups $(ARGS)

restore-backup: install ## make restore-backup FILE=….dump (ARGS="--replace", or --database NAME beside)
	@test -n "$(FILE)" || { echo "error: make restore-backup FILE=….dump" >&2; exit 1; }
	@$(PY) -m include.cli restore-backup "$(FILE)" $(ARGS)

bench: install ## every benchmark
	@for each in benchmarks/bench_*.py; do echo "== $$each"; $(PY) -m "benchmarks.$$(basename "$$each" .py)"; done

bench-ingest: install ## wire to PostgreSQL, beside ccxt and freqtrade (ARGS="--only rest --runs 3")
	@$(PY) -m benchmarks.bench_ingest $(ARGS)

bench-features: install ## features beside plain ta: an hour, a full recompute, windows, a revision (ARGS="--quick")
	@$(PY) -m benchmarks.bench_features $(ARGS)

bench-feature-memory: install ## features of 50 instruments of 70,000 hours: memory and time (ARGS="--instruments 5")
	@$(PY) -m benchmarks.bench_feature_memory $(ARGS)

bench-training: install ## three markets trained on 70,000 hours each, and the hour's forecasts: time, memory, equal hashes (ARGS="--quick")
	@$(PY) -m benchmarks.bench_training $(ARGS)

bench-archive: install ## two years archived, dropped and restored: rows a second, equal hashes (ARGS="--months 6")
	@$(PY) -m benchmarks.bench_archive $(ARGS)

bench-backfill: install ## seven years through the scheduler: where the time goes
	@$(PY) -m benchmarks.bench_backfill $(ARGS)

bench-task-start: install ## what a task pays before its first line, with and without its libraries loaded before
	@$(PY) -m benchmarks.bench_task_start $(ARGS)

bench-receiver: install ## 10,000 StatsD packets a second for 10 s: lost, memory, time of a page (ARGS="--rate 20000")
	@$(PY) -m benchmarks.bench_receiver $(ARGS)

bench-api: install ## answers of the data API of a stack that is up, beside a bare FastAPI route (ARGS="--askers 8")
	@$(PY) -m benchmarks.data_api $(ARGS)

soak: install ## hours of operation at many times their speed, beside the budget of a month (ARGS="--hours 720")
	@$(PY) -m benchmarks.soak $(ARGS)

bench-calibration: install ## coverage and width of intervals: make bench-calibration MARKET_DATA_DIR=… (ARGS="--quick")
	@$(PY) -m benchmarks.bench_calibration $(ARGS)

prove-celery: install ## seven years by LocalExecutor and by two Celery workers: make prove-celery MARKET_DATA_DIR=… (needs redis-server)
	@$(PY) -m benchmarks.prove_celery $(ARGS)

prove-containers: install ## the services of the compose files in namespaces, without an engine (Linux, root; ARGS="postgres redis")
	@$(PY) -m benchmarks.prove_containers $(ARGS)

prove-recovery: install ## kill -9 of each part during a backfill: make prove-recovery MARKET_DATA_DIR=… (ARGS="--executor LocalExecutor")
	@$(PY) -m benchmarks.prove_recovery $(ARGS)

prove-alerts: install ## every alert fired once and resolved: cause, seconds to fire and to resolve (ARGS="--only CandlesStale")
	@$(PY) -m benchmarks.prove_alerts $(ARGS)

canary: install ## simulated markets through the whole judgement: no false promotion, planted skill found (ARGS="--worlds 20")
	@$(PY) -m benchmarks.canary $(ARGS)

docs: install ## regenerate the reference pages, Grafana's dashboards and sql_exporter's configuration
	@$(PY) -m include.features.reference
	@$(PY) -m include.metrics.dashboard
	@$(PY) -m include.metrics.sql_exporter
	@$(PY) -m include.metrics.reference

pictures: install ## redraw the docs' pictures from a stack that is up (needs Chromium)
	@PYTHONPATH=plugins $(PY) -m docs.pictures.make_pictures $(if $(TO),--to $(TO))

clean: ## remove .venv and var; stops the stack first
	@if $(PY) -c 'import psutil, psycopg, requests, yaml' 2>/dev/null; then $(STACK) down; fi # an interrupted install can run nothing
	@rm -rf .venv var
