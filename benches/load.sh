#!/usr/bin/env bash
# What a verification costs a server under full load: the example server under wrk, the same route with a key
# and without one, in turns, and the server's memory meanwhile. Usage: benches/load.sh [SECONDS [ROUNDS]]
#
# SECONDS is the length of each turn (default 10), ROUNDS how often each route has one (default 3). For the
# memory after ten minutes of load: benches/load.sh 60 5
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-10}
rounds=${2:-3}
command -v wrk >/dev/null || {
  printf 'wrk is missing: install it (on Debian: apt-get install wrk)\n' >&2
  exit 1
}

cargo build --quiet --release --example axum_server --features axum,management
log=$(mktemp)
"${CARGO_TARGET_DIR:-target}/release/examples/axum_server" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT
for _ in $(seq 100); do
  grep -q '^listening on' "$log" && break
  sleep 0.1
done
url=$(grep -m1 -oE 'http://[0-9.:]+' "$log")
token=$(grep -m1 -oE 'Bearer [A-Za-z0-9_]+' "$log" | cut -d' ' -f2)

memory() { awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$server/status"; }
rate() { wrk --threads 1 --connections 64 --duration "${seconds}s" "$@" | awk '/^Requests\/sec/ { print $2 }'; }
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

status() { curl --silent --output /dev/null --write-out '%{http_code}' "$@"; }
[ "$(status "$url/invoices" --header "authorization: Bearer $token")" = 200 ]
[ "$(status "$url/invoices")" = 401 ]
[ "$(status "$url/public")" = 200 ]

printf '%s turns of %s s for each route, 64 connections\n' "$rounds" "$seconds"
printf 'memory before: %s MiB\n' "$(memory)"
with="" without=""
for round in $(seq "$rounds"); do
  a=$(rate "$url/public")
  b=$(rate --header "authorization: Bearer $token" "$url/invoices")
  without+="$a"$'\n' with+="$b"$'\n'
  printf 'turn %s: %s requests/s without a key, %s with one, memory %s MiB\n' "$round" "$a" "$b" "$(memory)"
done
a=$(printf '%s' "$without" | median)
b=$(printf '%s' "$with" | median)
awk -v a="$a" -v b="$b" 'BEGIN { printf "medians: %s without, %s with: each request takes %.3f of the time\n", a, b, a / b }'
