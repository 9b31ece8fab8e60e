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

# install_in FOLDER PACKAGE…: ends the run when it fails, since what comes after would fail in ways that tell nothing of this.
install_in() {
  local folder=$tools/$1 attempt
  shift
  if [[ "$(cat "$folder/installed" 2>/dev/null)" == "$*" ]]; then return; fi
  echo "Installing into ${folder#"$PWD/"}: $*"
  for attempt in 1 2 3; do
    # Half an environment is in the way of a whole one.
    rm -rf "$folder"
    if python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --no-compile --disable-pip-version-check "$@" \
      && echo "$*" >"$folder/installed"; then return; fi
    echo "Attempt $attempt of 3 to install into $folder has failed; free there: $(free_space "$folder")." >&2
    if ((attempt < 3)); then sleep 5; fi
  done
  echo "Could not install $* into $folder. Without it nothing on AWS's side can be tested." >&2
  exit 1
}

# free_space FOLDER: of the file systems that an installation writes to. A folder that is not there yet lies in one that is.
free_space() {
  local folder=$1
  until [[ -d $folder ]]; do folder=$(dirname "$folder"); done
  df -h --output=avail,target "$folder" "${TMPDIR:-/tmp}" | awk 'NR > 1 && !seen[$2]++ { printf "%s%s on %s", sep, $1, $2; sep = ", " }'
}
