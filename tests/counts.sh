#!/usr/bin/env bash
# What Parley costs in figures that a slow machine does not change, held against their limits: instructions, system calls, memory,
# and what a bill of AWS counts. `tests/counts.sh FILE` also leaves them in FILE: name, figure, limit, goal, with tabs between them.
# `tests/counts.sh FILE lean` is for `make test`: programs on which the optimiser spends less time, and their figures are added to
# FILE, where the stories have left theirs.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/tools.sh
need_packages valgrind strace

file=$(realpath -m "${1:-${CARGO_TARGET_DIR:-target}/counts.tsv}")
profile=${2:-release}
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
if [[ $profile == release ]]; then
  : >"$file"
elif [[ ! -s $file ]]; then
  echo "counts: no story has left a figure in $file" >&2
  exit 1
fi

cargo build --locked --profile "$profile" -p gateway -p counts
programs=${CARGO_TARGET_DIR:-target}/$profile
"$programs/counts" "$programs/gateway" "$folder" "$file"

if [[ $profile == release ]]; then
  need cargo-nextest 0.9.148
  need_dynoxide
  if [[ -z ${TEST_DYNAMODB_URL:-} ]]; then
    tables=$(mktemp -d "${TMPDIR:-/tmp}/parley-dynamodb-XXXXXX")
    TEST_DYNAMODB_URL=$(tests/dynamodb.sh start "$tables")
    export TEST_DYNAMODB_URL
  fi
  COUNTS_FILE=$file cargo nextest run --locked "${selection[@]}" --test it \
    -E 'test(conformance::bill::) + test(conformance::flat::)'
fi

python3 tests/counts/judge.py "$file"
