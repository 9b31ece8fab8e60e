#!/usr/bin/env bash
# Measures the release build on SQLite and on PostgreSQL, both with the durability of production, and prints one table.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
folder=$(mktemp -d "${TMPDIR:-/tmp}/parley-bench-XXXXXX")
chmod 755 "$folder"
trap 'tests/postgres.sh stop "$folder/postgres"; rm -rf "$folder"' EXIT
ulimit -n 16384 2>/dev/null || true

cargo build --locked --release -p gateway
cargo build --locked --release -p load
postgres=$(tests/postgres.sh start "$folder/postgres" durable)

echo "$(nproc) cores, $(uname -sr), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
"$target/release/load" "$target/release/gateway" "SQLite=sqlite://$folder/parley.db" "PostgreSQL=$postgres"
