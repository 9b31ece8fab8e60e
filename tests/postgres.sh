#!/usr/bin/env bash
# A private PostgreSQL for the tests: `start FOLDER` prints the URL to connect to, `stop FOLDER` ends it and removes the folder.
# `start FOLDER durable` keeps the server's own settings: a measurement must pay for what production pays for.
set -euo pipefail

action=${1:-} folder=${2:-} durable=${3:-}
if [[ ! $action =~ ^(start|stop)$ || -z $folder ]]; then
  echo "usage: tests/postgres.sh start|stop FOLDER" >&2
  exit 2
fi

# Debian keeps the server's programs out of the PATH.
programs=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
export PATH="${programs:+$programs:}$PATH"

# PostgreSQL refuses to run as root.
as_server() {
  if [[ $(id -u) == 0 ]]; then
    (cd / && exec runuser -u postgres -- env PATH="$PATH" "$@")
  else
    "$@"
  fi
}

free_port() {
  node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })'
}

start() {
  mkdir -p "$folder"
  if [[ $(id -u) == 0 ]]; then chown postgres "$folder"; fi
  # ICU's order differs from SQLite's byte order: a query that forgets this fails here first.
  as_server initdb --pgdata="$folder/data" --username=parley --auth=trust --encoding=UTF8 \
    --locale-provider=icu --icu-locale=en --locale=C.UTF-8 --no-sync >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
  # Test data live for one run: what a power cut does to them matters to nobody.
  local hasty="-c fsync=off -c synchronous_commit=off -c full_page_writes=off"
  if [[ -n $durable ]]; then hasty=; fi
  local port
  port=$(free_port)
  until as_server pg_ctl --pgdata="$folder/data" --wait --silent --log="$folder/log" --options="-p $port -k $folder \
    -c listen_addresses=127.0.0.1 -c max_connections=300 $hasty" start >&2; do
    # Another program was quicker to take the port.
    grep -q 'Address already in use' "$folder/log" || { cat "$folder/log" >&2; exit 1; }
    rm "$folder/log"
    port=$(free_port)
  done
  as_server createdb --host=127.0.0.1 --port="$port" --username=parley parley >&2
  echo "postgres://parley@127.0.0.1:$port/parley"
}

stop() {
  if [[ -f $folder/data/postmaster.pid ]]; then
    as_server pg_ctl --pgdata="$folder/data" --wait --silent --mode=immediate stop >&2 || true
  fi
  rm -rf "$folder" "$folder.log"
}

"$action"
