#!/usr/bin/env bash
# Installs whatever the checks and tests need and this machine lacks: before anything long, so that it fails early.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/tools.sh
source .ci/aws_tools.sh

need_packages postgresql chromium valgrind strace
need_sam
need_ministack
need cargo-deny 0.20.2
need cargo-nextest 0.9.148
need_dynoxide
