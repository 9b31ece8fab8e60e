#!/usr/bin/env bash
# Builds the functions, deploys the stack, puts the pages in their place: infra/aws/deploy.sh CONFIG_ENV [ARGUMENT OF sam deploy]…
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/aws_tools.sh
need_sam
environment=$1
shift

sam build --config-env "$environment"
sam deploy --config-env "$environment" "$@"
"$tools/sam/bin/python" infra/aws/stack.py pages --config-env "$environment"
