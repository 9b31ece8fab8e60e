# Sourced: programs for the checks and tests, pinned, in target/tools when the machine has none of its own.
# The wheels hold the built programs, which takes seconds; from source it takes minutes.

tools=$PWD/target/tools
export PATH="$PATH:$tools/bin"

# need PROGRAM VERSION
need() {
  if command -v "$1" >/dev/null; then return; fi
  echo "Installing $1 $2 into target/tools"
  python3 -m venv "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check "astral-dev-toolchain-$1==$2" \
    || cargo install --locked --root "$tools" --version "$2" "$1"
}

# The DynamoDB-compatible server that the tests run on. Only from source; its own release profile, which optimises the whole
# program at once, takes five minutes.
need_dynoxide() {
  if command -v dynoxide >/dev/null; then return; fi
  echo "Installing dynoxide 3.2.0 into target/tools"
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    cargo install --quiet --locked --root "$tools" --version 3.2.0 dynoxide-rs --no-default-features \
    --features native-sqlite,http-server,cli
}
