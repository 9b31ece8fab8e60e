#!/usr/bin/env bash
# Measures what each Lambda bootstrap costs, beside the least that a Lambda function can be, and prints one table.
# `tests/bench_lambda.sh FILE` also leaves the figures in FILE: name, figure, limit, goal, with tabs between them.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/tools.sh
source .ci/aws_tools.sh
need_packages valgrind
need_sam
need_dynoxide

tables=$(mktemp -d "${TMPDIR:-/tmp}/parley-dynamodb-XXXXXX")
figures=$(mktemp "${TMPDIR:-/tmp}/parley-bench-XXXXXX.tsv")
trap 'tests/dynamodb.sh stop "$tables"; rm -f "$figures"' EXIT
TEST_DYNAMODB_URL=$(tests/dynamodb.sh start "$tables")
export TEST_DYNAMODB_URL

functions=(hello connect message disconnect visitor admin telegram notifier maintenance)
# As cargo-lambda builds them.
CARGO_PROFILE_RELEASE_PANIC=abort cargo build --locked --release "${functions[@]/#/-p}"
"$tools/sam/bin/python" tests/aws/bench_lambda.py "$figures" "${functions[@]/#/${CARGO_TARGET_DIR:-target}/release/}"
if (($#)); then cp "$figures" "$1"; fi
python3 tests/counts/judge.py "$figures"
