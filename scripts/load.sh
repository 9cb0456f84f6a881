#!/usr/bin/env bash
# What a verification costs a server under full load: the example server under wrk, a route with a key and one
# without, in turns, in requests a second and in the server's own time for each, and its memory meanwhile.
# Usage: benches/load.sh [SECONDS [ROUNDS]]
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
trap 'kill "$server" 2>/dev/null || true; rm -f "$log" "$log.wrk"' EXIT
for _ in $(seq 100); do
  grep -q '^listening on' "$log" && break
  sleep 0.1
done
url=$(grep -m1 -oE 'http://[0-9.:]+' "$log")
token=$(grep -m1 -oE 'Bearer [A-Za-z0-9_]+' "$log" | cut -d' ' -f2)

memory() { awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$server/status"; }
# In clock ticks, of which there are so many in a second.
spent() { awk '{ print $14 + $15 }' "/proc/$server/stat"; }
ticks=$(getconf CLK_TCK)
# Requests a second, and microseconds of the server's time for each. Where wrk takes as much of the machine as the
# server does, the second figure is the one that says what a request costs.
turn() {
  local before requests
  before=$(spent)
  wrk --threads 1 --connections 64 --duration "${seconds}s" "$@" >"$log.wrk"
  requests=$(awk '/requests in/ { print $1 }' "$log.wrk")
  awk -v ticks="$(($(spent) - before))" -v hz="$ticks" -v n="$requests" '
    /^Requests\/sec/ { printf "%s %.3f\n", $2, ticks / hz * 1e6 / n }' "$log.wrk"
}
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

status() { curl --silent --output /dev/null --write-out '%{http_code}' "$@"; }
[ "$(status "$url/invoices" --header "authorization: Bearer $token")" = 200 ]
[ "$(status "$url/invoices")" = 401 ]
[ "$(status "$url/public")" = 200 ]

printf '%s turns of %s s for each route, 64 connections\n' "$rounds" "$seconds"
printf 'memory before: %s MiB\n' "$(memory)"
rates_without="" rates_with="" costs_without="" costs_with=""
for round in $(seq "$rounds"); do
  read -r rate_a cost_a < <(turn "$url/public")
  read -r rate_b cost_b < <(turn --header "authorization: Bearer $token" "$url/invoices")
  rates_without+="$rate_a"$'\n' rates_with+="$rate_b"$'\n'
  costs_without+="$cost_a"$'\n' costs_with+="$cost_b"$'\n'
  printf 'turn %s: without a key %s requests/s, %s us each; with one %s requests/s, %s us each; memory %s MiB\n' \
    "$round" "$rate_a" "$cost_a" "$rate_b" "$cost_b" "$(memory)"
done
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", b / a }'; }
a=$(printf '%s' "$rates_without" | median) b=$(printf '%s' "$rates_with" | median)
printf 'median requests/s: %s without, %s with, ratio %s\n' "$a" "$b" "$(ratio "$a" "$b")"
a=$(printf '%s' "$costs_without" | median) b=$(printf '%s' "$costs_with" | median)
printf 'median us of the server for each: %s without, %s with, ratio %s\n' "$a" "$b" "$(ratio "$a" "$b")"
