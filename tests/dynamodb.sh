#!/usr/bin/env bash
# A private DynamoDB-compatible server for the tests, in memory: `start FOLDER` prints its URL, `stop FOLDER` ends it and removes
# the folder.
set -euo pipefail

action=${1:-} folder=${2:-}
if [[ ! $action =~ ^(start|stop)$ || -z $folder ]]; then
  echo "usage: tests/dynamodb.sh start|stop FOLDER" >&2
  exit 2
fi

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

start() {
  mkdir -p "$folder"
  local port
  port=$(free_port)
  dynoxide serve --port "$port" >"$folder/log" 2>&1 &
  echo $! >"$folder/pid"
  for _ in {1..100}; do
    if grep -q listening "$folder/log"; then
      echo "http://127.0.0.1:$port"
      return
    fi
    kill -0 "$(<"$folder/pid")" || break
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
