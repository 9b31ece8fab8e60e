#!/usr/bin/env bash
# What Parley costs in figures that a slow machine does not change, held against their limits: instructions, system calls, memory,
# and what a bill of AWS counts. `tests/counts.sh FILE` also leaves them in FILE: name, figure, limit, goal, with tabs between them.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/tools.sh
need_package valgrind valgrind
need_package strace strace
need cargo-nextest 0.9.148
need_dynoxide

file=$(realpath -m "${1:-${CARGO_TARGET_DIR:-target}/counts.tsv}")
folder=$(mktemp -d "${TMPDIR:-/tmp}/parley-counts-XXXXXX")
tables=
clean_up() {
  if [[ -n $tables ]]; then tests/dynamodb.sh stop "$tables"; fi
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
# Each of 5,000 visitors is a file here and one in the gateway.
ulimit -n 16384 2>/dev/null || ulimit -n "$(ulimit -Hn)"
: >"$file"

cargo build --locked --release -p gateway -p counts
release=${CARGO_TARGET_DIR:-target}/release
"$release/counts" "$release/gateway" "$folder" "$file"

if [[ -z ${TEST_DYNAMODB_URL:-} ]]; then
  tables=$(mktemp -d "${TMPDIR:-/tmp}/parley-dynamodb-XXXXXX")
  TEST_DYNAMODB_URL=$(tests/dynamodb.sh start "$tables")
  export TEST_DYNAMODB_URL
fi
# As .ci/test.sh has built them.
selection=(-p shared -p gateway -p tests -p connect -p message -p disconnect -p visitor -p admin -p telegram -p notifier
  -p maintenance --no-default-features --features shared/sql)
COUNTS_FILE=$file cargo nextest run --locked "${selection[@]}" -E 'test(conformance::bill::) + test(conformance::flat::)'

python3 tests/counts/judge.py "$file"
