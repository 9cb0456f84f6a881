#!/usr/bin/env bash
# How long a revoked key lives on: three nodes, each a process of its own with a cache, on one PostgreSQL,
# in good times and in bad. Prints a table; it fails where a node accepted a key too late.
#
#   tests/revocations.sh [N]
#
# N keys are revoked where all is well (default 10,000), a twentieth of that where only the hints fail, and a
# fiftieth in each of the other scenarios. An answer may be 500 ms old. Times are in ms, as coarse as the
# nodes ask: 1 to 2.
set -euo pipefail
cd "$(dirname "$0")/.."
export KEYWRIGHT_REVOCATIONS=${1:-10000}

printf '| scenario | revoked | p50 | p99 | max | accepted too late | unavailable answers | back after |\n'
printf '|---|---|---|---|---|---|---|---|\n'
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cargo test --release --quiet --all-features --test nodes -- --nocapture --test-threads=1 2>&1 |
  tee "$log" | grep --line-buffered '^| ' || true
grep -q '^test result: ok' "$log" || {
  cat "$log" >&2
  exit 1
}
