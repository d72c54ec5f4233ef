# Everything a fresh Debian machine with Rust needs is set up by these targets.
#
#   make run     build, get Helm if it is missing, play the demo, leave the server running
#   make test    install what the tests need, and run them all
#   make bench   measure, beside a baseline, and write target/bench/results.json
#   make lint    formatting, clippy, documentation

TOOLS := $(CURDIR)/target/tools
export PATH := $(TOOLS):$(PATH)

DATA ?= charthouse-demo
LISTEN ?= 127.0.0.1:7070

BENCHES := log evidence views export start queries authorize

.PHONY: run build test lint bench schema promise helm helms postgres verifiers oidc-provider graphql-testers clean-demo

run: helm
	cargo build --locked --package charthouse-api
	@if [ -e $(DATA)/log.db ]; then \
	    echo "The demo was played in $(DATA) already; this goes on from there. To play it again: make clean-demo run"; \
	    target/debug/charthouse serve --data $(DATA) --listen $(LISTEN); \
	else \
	    target/debug/charthouse demo --data $(DATA) --listen $(LISTEN); \
	fi

build:
	cargo build --locked --workspace

test: helms postgres verifiers oidc-provider graphql-testers build lint
	cargo test --locked --workspace

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps --document-private-items --quiet

# Of the whole workspace each time, so that what one builds serves the others.
bench: postgres
	cargo bench --locked --workspace $(BENCHES:%=--bench %) --no-run
	@set -e; for bench in $(BENCHES); do cargo bench --locked --workspace --bench $$bench; done

# The schema as a document; a test holds it true.
schema: build
	target/debug/charthouse schema > schema.graphql

# What clients are promised from now on: done when a version is released, and never to get rid of a failing test.
promise: schema
	cp schema.graphql tests/golden/schema.graphql

helm:
	@tests/setup/get-helm.sh $(TOOLS) 3

# The tests hold Charthouse to both.
helms:
	@tests/setup/get-helm.sh $(TOOLS) 3 4

verifiers:
	@tests/setup/get-verifiers.sh $(TOOLS)

oidc-provider:
	@tests/setup/get-oidc-provider.sh $(TOOLS)

graphql-testers:
	@tests/setup/get-graphql-testers.sh $(TOOLS)

postgres:
	@tests/setup/get-postgres.sh

clean-demo:
	rm -rf $(DATA)
