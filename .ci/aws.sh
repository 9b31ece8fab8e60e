#!/usr/bin/env bash
# The AWS side: the template before and after its translation, the build by SAM, and the stories on a small AWS on this machine.
# `.ci/aws.sh check` stops before the build.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/aws_tools.sh
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
trap 'rm -f "$translated"' EXIT
"$tools/sam/bin/python" tests/aws/translate.py template.yaml >"$translated"
cfn-lint "$translated"
"$tools/sam/bin/python" -m unittest --quiet tests/aws/test_template.py
if [[ ${1:-} == check ]]; then exit; fi

say "sam build"
# x86_64, since arm64 needs a toolchain that this machine may not have.
sam build --parameter-overrides Architecture=x86_64

need_ministack
say "The stories"
need_stories=(-p tests --no-default-features --features shared/sql)
cargo nextest run --locked --no-run "${need_stories[@]}"
"$tools/sam/bin/python" tests/aws/run.py \
  cargo nextest run --locked "${need_stories[@]}" --run-ignored only -E 'test(deployed::)'
