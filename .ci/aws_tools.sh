# Sourced: what AWS's side of the repository is built, checked and tried with, pinned, in target/tools.

tools=$PWD/target/tools
export SAM_CLI_TELEMETRY=0

# The SAM CLI, cargo-lambda with zig to link by, cfn-lint.
need_sam() {
  export PATH="$tools/sam/bin:$PATH"
  install_in sam aws-sam-cli==1.170.0 cfn-lint==1.58.0 cargo-lambda==1.9.2 ziglang
}

# A small AWS on one machine. Apart from SAM's, since the two want different versions of one library.
need_ministack() {
  install_in ministack ministack==1.5.33 'aws-sam-translator==1.115.*'
}

# install_in FOLDER PACKAGE…
install_in() {
  local folder=$tools/$1
  shift
  if [[ "$(cat "$folder/installed" 2>/dev/null)" == "$*" ]]; then return; fi
  echo "Installing into ${folder#"$PWD/"}: $*"
  python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --disable-pip-version-check "$@"
  echo "$*" >"$folder/installed"
}
