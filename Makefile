# The only commands there are; CI calls the same ones.
PYTHON := .venv/bin/python
PYTEST := .venv/bin/coverage run -p -m pytest -rs --durations=20 --durations-min=5
SEEDS := 5000

.DEFAULT_GOAL := help
.PHONY: help install demo test test-spark test-rest test-ui ui check fuzz bench docs clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## make .venv/bin/dlt-local ready (Python packages, Java, PostgreSQL, Delta jars)
	@scripts/setup.sh

demo: install ## live a few days of an insurer and watch them reach the gold tables
	@$(PYTHON) -m demo

test: install ## run every test; those of pages in a browser where Chromium can be had
	@scripts/setup_browser.sh
	@.venv/bin/pytest -q -k test_conformance
	@.venv/bin/coverage erase
	@$(MAKE) --no-print-directory -j2 test-spark test-rest
	@.venv/bin/coverage combine -q
	@.venv/bin/coverage report

# Unit tests share one Spark session. The second core runs what is slow, in another session, and
# what needs no Spark.
test-spark:
	@$(PYTEST) -m 'spark and not slow'

test-rest:
	@log=$$(mktemp) && { $(PYTEST) -m 'slow or not spark' >$$log 2>&1; code=$$?; cat $$log; rm $$log; exit $$code; }

test-ui: install ## test the pages in a browser (installs Chromium where root and apt allow it)
	@scripts/setup_browser.sh
	@.venv/bin/pytest tests/local_shim/report tests/demo

ui: ## bundle the pages of the report and of the demo (needs Node)
	@cd ui && npm ci --silent && npm run --silent build

check: install ## lint, types, import layers, docs/conformance.md
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/pytest -q -k test_conformance

fuzz: install ## search longer for a difference from the oracles (SEEDS=5000)
	@DMS_SEEDS=10 DMS_ROUNDS=25 .venv/bin/pytest tests/local_shim/dms/test_every_event.py
	@CDC_FIRST_SEED=300 CDC_SEEDS=$(SEEDS) .venv/bin/pytest tests/local_shim/cdc/test_convergence.py
	@DLT_LOCAL_FAST_PATHS=off INSURANCE_SEEDS=7,8,9 .venv/bin/pytest tests/end_to_end

bench: install ## measure against the bars, each beside a peer in the same run
	@.venv/bin/pip install -q -e '.[bench]'
	@$(PYTHON) -m benchmarks

docs: install ## build the handbook: build/handbook/index.html
	@NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict --quiet
	@echo 'open build/handbook/index.html in a browser; the search works without a server'

clean: ## forget everything the demo made
	@if [ -d .demo ] && [ -x $(PYTHON) ]; then $(PYTHON) -c "from pathlib import Path; \
	from local_shim.dms.server import forget; forget(Path('.demo/postgresql'))"; fi
	@rm -rf .demo
