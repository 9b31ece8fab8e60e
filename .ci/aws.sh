#!/usr/bin/env bash
# The AWS side: the template before and after its translation, the build by SAM, and the stories on a small AWS on this machine.
# `.ci/aws.sh check` stops before the build, `.ci/aws.sh deploy` after the stories on the deployed stack.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/tools.sh
source .ci/aws_tools.sh
need cargo-nextest 0.9.148
export AWS_DEFAULT_REGION=us-east-1
# Nothing here may reach a real account.
export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null

say() {
  echo "── $1"
}

need_sam
say "The template, as it stands and as AWS translates it"
sam validate --lint
translated=$(mktemp "${TMPDIR:-/tmp}/parley-template-XXXXXX.json")
server= figures=
clean_up() {
  rm -f "$translated" "$figures"
  if [[ -n $server ]]; then tests/dynamodb.sh stop "$server"; fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM
"$tools/sam/bin/python" tests/aws/translate.py template.yaml >"$translated"
cfn-lint "$translated"
"$tools/sam/bin/python" -m unittest --quiet tests/aws/test_template.py
if [[ ${1:-} == check ]]; then exit; fi

say "sam build"
# x86_64, since arm64 needs a toolchain that this machine may not have. The optimiser takes minutes for each function, and the
# stories see nothing of what it does; `make deploy` leaves it on.
CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
  sam build --parameter-overrides Architecture=x86_64

need_ministack
say "The stories"
stories=(cargo nextest run --locked "${selection[@]}" --test it)
"${stories[@]}" --no-run
"$tools/sam/bin/python" tests/aws/run.py "${stories[@]}" --run-ignored only -E 'test(deployed::)'

need_packages valgrind
need_dynoxide
say "What each bootstrap costs"
figures=$(mktemp "${TMPDIR:-/tmp}/parley-figures-XXXXXX.tsv")
server=$(mktemp -d "${TMPDIR:-/tmp}/parley-dynamodb-XXXXXX")
TEST_DYNAMODB_URL=$(tests/dynamodb.sh start "$server") \
  "$tools/sam/bin/python" tests/aws/bench_lambda.py "$figures" .aws-sam/build/*/bootstrap
tests/dynamodb.sh stop "$server"
# Built without the optimiser, programs are larger and slower than those that are deployed; tests/bench_lambda.sh counts these.
python3 tests/counts/judge.py "$figures" tests/counts/not_optimised.tsv

if [[ ${1:-} == deploy ]]; then exit; fi

say "What every store must do, on another DynamoDB as a second opinion, and on S3"
server=$(mktemp -d "${TMPDIR:-/tmp}/parley-dynamodb-XXXXXX")
second=$(PATH=$tools/ministack/bin:$PATH tests/dynamodb.sh start "$server" ministack)
# The storms and what counts units are held by one server.
# It knows its owner by these, and checks what is signed with them.
AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 \
  TEST_STORES=dynamodb TEST_DYNAMODB_URL=$second TEST_S3_ENDPOINT=$second "${stories[@]}" -E 'test(conformance::) - test(storms::) - test(budget::) - test(bill::) - test(flat::)'
tests/dynamodb.sh stop "$server"

say "The same functions behind cargo lambda watch, with the gateway in front of them"
server=$(mktemp -d "${TMPDIR:-/tmp}/parley-dynamodb-XXXXXX")
TEST_DYNAMODB_URL=$(tests/dynamodb.sh start "$server")
export TEST_DYNAMODB_URL
cargo build --locked "${selection[@]}" --bin gateway --test it
"$tools/sam/bin/python" tests/aws/invoke.py "${CARGO_TARGET_DIR:-target}/debug/gateway" \
  "${stories[@]}" --run-ignored only -E 'test(=deployed::a_visitor_an_admin_and_an_operator_talk_to_each_other)'
