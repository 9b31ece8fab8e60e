#!/usr/bin/env bash
# A private DynamoDB-compatible server for the tests, in memory: `start FOLDER` prints its URL, `stop FOLDER` ends it and removes
# the folder. `start FOLDER ministack` starts another one, for a second opinion.
set -euo pipefail

action=${1:-} folder=${2:-} server=${3:-dynoxide}
if [[ ! $action =~ ^(start|stop)$ || -z $folder ]]; then
  echo "usage: tests/dynamodb.sh start|stop FOLDER [ministack]" >&2
  exit 2
fi

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

start() {
  mkdir -p "$folder"
  local port
  port=$(free_port)
  local url=http://127.0.0.1:$port
  if [[ $server == ministack ]]; then
    BIND_HOST=127.0.0.1 GATEWAY_PORT=$port AWS_ENDPOINT_URL=$url IOT_MTLS_ENABLED=0 ministack >"$folder/log" 2>&1 &
  else
    dynoxide serve --port "$port" >"$folder/log" 2>&1 &
  fi
  echo $! >"$folder/pid"
  # Two minutes: one of them is written in Python, and the machine may be busy.
  for _ in {1..2400}; do
    if grep -qE 'listening|Ready' "$folder/log"; then
      echo "$url"
      return
    fi
    if ! kill -0 "$(<"$folder/pid")" 2>/dev/null; then
      # Another program was quicker to take the port.
      if grep -q 'already in use' "$folder/log"; then start; return; fi
      break
    fi
    sleep 0.05
  done
  cat "$folder/log" >&2
  exit 1
}

stop() {
  if [[ -f $folder/pid ]]; then kill "$(<"$folder/pid")" 2>/dev/null || true; fi
  rm -rf "$folder"
}

"$action"
