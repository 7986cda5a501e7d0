# Every target is safe to repeat. Downloads are kept in .cache/. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export TALLYHOUSE_ENGINE_LIBRARY ?= $(CURDIR)/.cache/engine/libchdb.so
RELEASE := target/release/tallyhouse

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# GEO=--no-city fetches countries only (small); DEMO=0 leaves the demo site out; ARGS are more flags for serve.
run: export TALLYHOUSE_DATA_DIR ?= $(CURDIR)/data
run: export TALLYHOUSE_GEO_DIR ?= $(CURDIR)/.cache/geo
run: build ## Set up everything and start Tallyhouse on 127.0.0.1:8080 with its own ClickHouse
	@ci/fetch geo $(GEO)
	@[ "$(DEMO)" = 0 ] || $(RELEASE) demo
	@exec $(RELEASE) serve $(ARGS)

build: engine frontend ## Build the release binary with tracker and dashboard inside
	@cargo build --release --locked

test: setup ## Set up what the tests need (Chromium too) and run them all
	@ci/test

setup: engine frontend ## Fetch the engine, GeoIP files and Chromium; build tracker and dashboard
	@ci/fetch geo $(GEO)
	@ci/chromium

engine: ## Fetch the ClickHouse library (checksum pinned)
	@ci/fetch engine

frontend: ## Build tracker and dashboard
	@ci/frontend

check: frontend ## The gates: format, lints, sizes
	@ci/check

chaos: engine frontend ## kill -9 rounds against acked events; ROUNDS=100
	@cargo test --release --locked --test chaos -- kill9 $(or $(ROUNDS),100) --write docs/reliability.md

bench: engine frontend ## Ingest and end-to-end speed beside a bare handler; writes docs/performance.md
	@cargo test --release --locked --test soak -- bench --write docs/performance.md

clean: ## Remove build results, keep downloads and data
	@cargo clean && rm -rf web/dist tracker/dist

.PHONY: help run build test setup engine frontend check chaos bench clean
