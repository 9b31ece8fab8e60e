#!/usr/bin/env bash
# Holds the release build against the reference relays on SQLite and PostgreSQL, both with the durability of production, and
# writes docs/benchmarks.md. QUICK=1 runs less, SOAK=seconds adds the soak; `tests/bench.sh soak` and
# `tests/bench.sh telegram` run nothing else and print their table.
set -euo pipefail
cd "$(dirname "$0")/.."

what=${1:-bench}
# 5,000 visitors are as many sockets at each end.
needed=12000
ulimit -n "$(ulimit -Hn)"
if [[ $(ulimit -n) != unlimited && $(ulimit -n) -lt $needed ]]; then
  echo "bench: $needed open files are needed and $(ulimit -n) are allowed (ulimit -n)" >&2
  exit 1
fi

target=${CARGO_TARGET_DIR:-target}
folder=$(mktemp -d "${TMPDIR:-/tmp}/parley-bench-XXXXXX")
chmod 755 "$folder"
trap 'tests/postgres.sh stop "$folder/postgres"; rm -rf "$folder"' EXIT

cargo build --locked --release -p gateway
cargo build --locked --release -p load
# A count beyond its limit is the report's to say, and the tests' to refuse.
counts= functions=
if [[ $what == bench && -z ${QUICK:-} ]]; then
  counts=$folder/counts
  tests/counts.sh "$counts" >&2 || echo "bench: a count is beyond its limit" >&2
  functions=$folder/functions
  tests/bench_lambda.sh "$functions" >&2 || echo "bench: a function is beyond its limit" >&2
fi
postgres=$(tests/postgres.sh start "$folder/postgres" durable)

settings=(
  "gateway=$target/release/gateway" "folder=$folder" "out=docs" "postgres=$postgres"
  "postmaster=$(head -1 "$folder/postgres/data/postmaster.pid")"
  "commit=$(git describe --always --dirty 2>/dev/null || echo unknown)"
  "counts=$counts" "functions=$functions" "quick=${QUICK:-}" "seconds=${SOAK:-}" "visitors=${VISITORS:-}"
)
"$target/release/load" "$what" "${settings[@]}"
