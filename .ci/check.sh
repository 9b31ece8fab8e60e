#!/usr/bin/env bash
# Everything that can be said about the code without running it.
set -euo pipefail
cd "$(dirname "$0")/.."
source .ci/tools.sh

functions=(connect message disconnect visitor admin telegram notifier maintenance)
packages=()
for name in "${functions[@]}"; do packages+=(-p "$name"); done

failed=0
fail() {
  echo "check: $1" >&2
  failed=1
}

say() {
  echo "── $1"
}

say "Source files stay under 400 lines"
while IFS= read -r file; do
  lines=$(wc -l <"$file")
  if ((lines >= 400)); then fail "$file has $lines lines"; fi
done < <(git ls-files -co --exclude-standard -- '*.rs' '*.js' '*.css' '*.html' '*.sh')

say "Nothing turns text into markup or code"
if git grep --untracked -nE 'innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(' -- static; then
  fail "static/ must build nodes and set textContent"
fi

say "No placeholder and no silenced lint outside of tests"
test_files=$(git grep --untracked -h -A1 '^#\[cfg(test)\]' -- '*.rs' | sed -n 's/^mod \([a-z_]*\);$/\1.rs/p')
while IFS= read -r file; do
  if grep -qxF "$(basename "$file")" <<<"$test_files"; then continue; fi
  # Unit tests that have no file of their own stand at the end of the file they test.
  if found=$(awk 'tests && /^mod .*[{]/ { exit } { tests = /^#\[cfg\(test\)\]/ } /\.unwrap\(\)|todo!|dbg!|unimplemented!|#!?\[allow\(/ { print FILENAME ":" FNR ": " $0 }' "$file") && [[ -n $found ]]; then
    echo "$found"
    fail "$file: handle it, or #[expect(…, reason = \"…\")]"
  fi
done < <(git ls-files -co --exclude-standard -- 'shared/*.rs' 'functions/*.rs' 'infra/*.rs')

say "The shell scripts are read by bash"
for file in .ci/run .ci/*.sh tests/*.sh; do bash -n "$file" || fail "$file"; done

say "rustfmt"
cargo fmt --all --check || fail "run: cargo fmt --all"

say "The dependency trees keep apart"
cargo fetch --locked --quiet
if cargo tree --locked -p gateway -e normal --prefix none | grep -E '^aws-(sdk|config|smithy)'; then
  fail "the gateway must link no AWS SDK"
fi
for name in "${functions[@]}"; do
  if cargo tree --locked -p "$name" -e normal --prefix none | grep -E '^sqlx'; then fail "the function $name must not link sqlx"; fi
done

say "clippy: the gateway, the tests and what they use"
cargo clippy --locked --quiet -p shared -p gateway -p tests -p load "${packages[@]}" --no-default-features --features shared/sql \
  --lib --tests --bins -- -D warnings || fail "clippy"

# Another invocation: in one, cargo would build `shared` with the features of all.
say "clippy: the eight Lambda bootstraps"
cargo clippy --locked --quiet "${packages[@]}" -- -D warnings || fail "clippy of the bootstraps"

say "cargo deny: licences, bans, sources"
need cargo-deny 0.20.2
cargo deny --offline --log-level warn check --hide-inclusion-graph licenses bans sources || fail "cargo deny"

say "cargo deny: advisories"
if timeout 60 cargo deny --log-level off fetch db >/dev/null 2>&1; then
  cargo deny --offline --log-level warn check --hide-inclusion-graph --disable-fetch advisories || fail "an advisory"
else
  echo "The advisory database is out of reach from here, so advisories were not checked."
fi

if ((failed)); then
  echo "check: failed" >&2
  exit 1
fi
echo "check: all is well"
