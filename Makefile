# What a person types. Each target sets up what it needs first, which takes no time when it is there.

WITH := .setup/with
# The browser's half must not be built for the host together with the server's; the builder of the site is big and
# changes little, so it is not built again with what the others need.
# Always the same packages and features, whatever is built of them: otherwise Cargo builds leptos anew for each.
HOST := --workspace --exclude hydrate --exclude site --features tests/browser
PROGRAM := $(or $(CARGO_TARGET_DIR),target)/debug/fiftyone-migrate
# A database of the project's own, whatever the user has configured for theirs.
DEMO := env -u FIFTYONE_DATABASE_URI -u FIFTYONE_DATABASE_NAME -u FIFTYONE_DISABLE_MIGRATIONS FIFTYONE_DATABASE_ADMIN=true FIFTYONE_CONFIG_PATH=$(CURDIR)/.data/config.json FIFTYONE_DATABASE_DIR=$(CURDIR)/.data/mongo

.DEFAULT_GOAL := help
.PHONY: help setup site run test e2e kills crashes torture screenshots parity compare bench bench-media bench-moves bench-web check fmt doc clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: ## get everything that the other targets need
	@$(WITH) wasm lints mongod browser axe faketime stores judge --

site: ## build what the browser downloads
	@$(WITH) wasm -- cargo run -p site

run: site ## serve the app with a demo deployment on 127.0.0.1:8051
	@$(WITH) wasm -- cargo build $(HOST) --bin fiftyone-migrate
	@$(DEMO) $(WITH) mongod -- $(PROGRAM) serve --demo

# Many tests wait for a lease to run out: more of them than there are cores go side by side.
test: site ## run the tests
	@RUST_TEST_THREADS=$${RUST_TEST_THREADS:-4} $(WITH) wasm mongod browser axe faketime stores -- cargo test --no-fail-fast $(HOST)
	@$(WITH) wasm -- cargo test -p site
	@$(MAKE) --no-print-directory compare

e2e: site ## run the tests in a browser
	@$(WITH) wasm mongod browser axe -- cargo test $(HOST) --test read_status

kills: site ## kill the program and the server at any moment: KILLS=200 SEED=..
	@KILLS=$(or $(KILLS),200) $(WITH) wasm mongod -- cargo test $(HOST) --test engine kills:: -- --nocapture

crashes: site ## cut off every revision and repair after each of its writes, both ways: SEED=..
	@CRASHES=all $(WITH) wasm mongod -- cargo test $(HOST) --test engine_crashes -- --include-ignored --nocapture

torture: site ## race for the lease, depose primaries and put servers to sleep, for minutes: SEED=..
	@$(WITH) wasm mongod faketime -- cargo test $(HOST) --test engine -- --ignored --nocapture

screenshots: e2e ## make the picture in README anew
	@cp $(or $(CARGO_TARGET_DIR),target)/screenshots/overview-desktop-light.png tests/e2e/screenshots/overview.png

parity: site ## compare with the real FiftyOne: CASES=5000 SEED=..
	@$(WITH) wasm -- cargo build $(HOST) --bin fiftyone-migrate
	@$(MAKE) --no-print-directory compare

# The same with the program as it was built last, which the tests have just done.
compare:
	@$(WITH) mongod judge -- sh -c '"$$JUDGE" tests/parity/run.py && "$$JUDGE" tests/parity/moves.py'

bench: ## measure against the real FiftyOne: ROUNDS=3 ONLY=small-0.18.0
	@$(WITH) wasm mongod -- cargo build --release -p server -p engine --bin fiftyone-migrate --example floor
	@$(WITH) mongod judge -- sh -c '"$$JUDGE" tests/bench/run.py'

bench-media: ## measure uploading against rclone: FILES=20000 LARGE=2048 ROUNDS=3
	@$(WITH) wasm mongod -- cargo build --release -p server --bin fiftyone-migrate
	@$(WITH) mongod stores rclone judge -- sh -c 'FIFTYONE_MIGRATE_BIN="$${CARGO_TARGET_DIR:-target}/release/fiftyone-migrate" "$$JUDGE" tests/bench/media.py'

bench-moves: ## measure importing against the real FiftyOne: SAMPLES=100000 ROUNDS=3
	@$(WITH) wasm mongod -- cargo build --release -p server --bin fiftyone-migrate
	@$(WITH) mongod judge -- sh -c 'FIFTYONE_MIGRATE_BIN="$${CARGO_TARGET_DIR:-target}/release/fiftyone-migrate" "$$JUDGE" tests/bench/moves.py'

bench-web: site ## measure the web app: lists, watchers, page weights and how pages feel
	@$(WITH) wasm mongod browser -- cargo bench $(HOST) --bench web

check: site ## check format, lints on both targets and docs
	@$(WITH) wasm lints -- cargo fmt --all --check
	@$(WITH) wasm lints -- cargo clippy $(HOST) --all-targets -- -D warnings
	@$(WITH) wasm lints -- cargo clippy -p site --all-targets -- -D warnings
	@$(WITH) wasm lints -- cargo clippy -p hydrate --target wasm32-unknown-unknown -- -D warnings
	@RUSTDOCFLAGS=-Dwarnings $(WITH) wasm -- cargo doc $(HOST) --no-deps --document-private-items --quiet

fmt: ## format everything
	@$(WITH) wasm lints -- cargo fmt --all

doc: ## build the docs of the code
	@$(WITH) wasm -- cargo doc $(HOST) --no-deps --document-private-items

clean: ## remove what was built, and the demo's database
	cargo clean
	rm -rf .data
