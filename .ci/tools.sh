# Sourced: programs for the checks and tests, pinned, in target/tools when the machine has none of its own.
# The wheels hold the built programs, which takes seconds; from source it takes minutes.

tools=$PWD/target/tools
export PATH="$PATH:$tools/bin"

# What the Rust tests are, for cargo and nextest: the same words everywhere, so that nothing is compiled twice. Without the
# functions' default feature their Lambda binaries stay out of the build.
selection=(-p shared -p gateway -p tests -p connect -p message -p disconnect -p visitor -p admin -p telegram -p notifier
  -p maintenance --no-default-features --features shared/sql)

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
  # What .cargo/config.toml leaves out of SQLite is left out of ours only.
  LIBSQLITE3_FLAGS="" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    cargo install --quiet --locked --root "$tools" --version 3.2.0 dynoxide-rs --no-default-features \
    --features native-sqlite,http-server,cli
}

# need_packages PACKAGE…: what Debian has.
need_packages() {
  local missing=() package
  for package; do has "$package" >/dev/null || missing+=("$package"); done
  if ((${#missing[@]} > 0)); then install_packages "${missing[@]}"; fi
}

has() {
  case $1 in
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' || command -v initdb ;;
    chromium) command -v chromium || [[ -n ${CHROMIUM:-} ]] ;;
    *) command -v "$1" ;;
  esac
}

install_packages() {
  echo "Installing with apt: $*"
  local as_root=()
  if [[ $(id -u) != 0 ]]; then as_root=(sudo); fi
  "${as_root[@]}" apt-get update -qq </dev/null
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes --no-install-recommends "$@" </dev/null >/dev/null
}
