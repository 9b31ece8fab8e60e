#!/usr/bin/env bash
# Every test: Rust stories on SQLite, a PostgreSQL and a DynamoDB-compatible server started here, front-end modules in node, both pages in Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/tools.sh

say() {
  echo "── $1"
}

need_packages() {
  local missing=()
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || missing+=(postgresql)
  command -v chromium >/dev/null || [[ -n ${CHROMIUM:-} ]] || missing+=(chromium)
  if ((${#missing[@]} > 0)); then install_packages "${missing[@]}"; fi
}

folder= tables=
clean_up() {
  if [[ -n $folder ]]; then tests/postgres.sh stop "$folder"; fi
  if [[ -n $tables ]]; then tests/dynamodb.sh stop "$tables"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM

need_packages
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

# Without the functions' default feature their Lambda binaries and the AWS SDK stay out of the build.
selection=(-p shared -p gateway -p tests -p connect -p message -p disconnect -p visitor -p admin -p telegram -p notifier
  -p maintenance --no-default-features --features shared/sql)

say "Rust"
# Stories kill the program itself, and the browsers talk to it.
cargo build --locked "${selection[@]}" --bin gateway
cargo nextest run --locked "${selection[@]}" --no-fail-fast

say "Front-end modules"
node --test --test-reporter=spec tests/front/*.test.js

say "Both pages in Chromium"
browser=(tests/browser/*.test.js)
if [[ -n ${SCREENSHOTS:-} ]]; then browser+=(tests/browser/screenshots.js); fi
node --test --test-concurrency=1 --test-reporter=spec "${browser[@]}"
