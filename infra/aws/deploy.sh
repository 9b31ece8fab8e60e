#!/usr/bin/env bash
# Builds the functions, deploys the stack, puts the pages in their place: infra/aws/deploy.sh [CONFIG_ENV]
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/aws_tools.sh
need_sam
environment=${1:-default}

sam build --config-env "$environment"
# Without parameters of its own this environment has never been set up.
guided=()
if ! grep -q "^\[$environment\.deploy\.parameters\]" samconfig.toml; then guided=(--guided); fi
sam deploy --config-env "$environment" "${guided[@]}"
"$tools/sam/bin/python" infra/aws/stack.py pages --config-env "$environment"
