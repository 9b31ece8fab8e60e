#!/usr/bin/env bash
# Every test: Rust stories on SQLite, a PostgreSQL and a DynamoDB-compatible server started here, front-end modules in node, both pages in Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/tools.sh

say() {
  echo "── $1"
}

folder= tables= figures= build=
clean_up() {
  if [[ -n $build ]]; then kill "$build" 2>/dev/null || true; fi
  rm -f "$figures"
  if [[ -n $folder ]]; then tests/postgres.sh stop "$folder"; fi
  if [[ -n $tables ]]; then tests/dynamodb.sh stop "$tables"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

need_packages postgresql chromium
need cargo-nextest 0.9.148
need_dynoxide

say "Installing what the browser tests use: playwright-core and axe-core, from tests/browser/package-lock.json"
npm ci --prefix tests/browser --no-audit --no-fund --loglevel=error

say "Starting a private PostgreSQL"
folder=$(mktemp -d "${TMPDIR:-/tmp}/parley-postgres-XXXXXX")
chmod 755 "$folder"
TEST_POSTGRES_URL=$(tests/postgres.sh start "$folder")
export TEST_POSTGRES_URL

say "Starting a private DynamoDB-compatible server"
tables=$(mktemp -d "${TMPDIR:-/tmp}/parley-dynamodb-XXXXXX")
TEST_DYNAMODB_URL=$(tests/dynamodb.sh start "$tables")
export TEST_DYNAMODB_URL

say "Rust"
# Stories kill the program itself, and the browsers talk to it. At once with the tests, or it would be compiled apart from them.
cargo build --locked "${selection[@]}" --bin gateway --tests
# Stories wait most of the time. What is said of this build is said by tests/counts.sh, which goes on with it.
nice -n 19 cargo build --locked --profile lean -p gateway -p counts >/dev/null 2>&1 &
build=$!
figures=$(mktemp "${TMPDIR:-/tmp}/parley-figures-XXXXXX.tsv")
COUNTS_FILE=$figures cargo nextest run --locked "${selection[@]}" --no-fail-fast

say "Front-end modules"
node --test --test-reporter=spec tests/front/*.test.js

# Beside a compiler two people's pages are too slow for what stands there for seconds only.
wait "$build" || true
build=

say "Both pages in Chromium"
browser=(tests/browser/*.test.js)
if [[ -n ${SCREENSHOTS:-} ]]; then browser+=(tests/browser/screenshots.js); fi
node --test --test-concurrency=1 --test-reporter=spec "${browser[@]}"

say "What it costs: figures of the stories above and of the programs, against their limits"
tests/counts.sh "$figures" lean
