#!/usr/bin/env bash
# What the tests do in small, in any size: power cuts, bit flips, kills, schedules, histories and
# random operations. A size of 1 takes minutes on two cores, 20 a few hours.
#
#   tests/campaigns.sh [SIZE [CAMPAIGN...]]
#
# CAMPAIGN: cuts, flips, faults, kills, schedules, histories, model. Without any, all of them.
set -euo pipefail
cd "$(dirname "$0")/.."

size=${1:-1}
shift || true
[ "$#" -gt 0 ] || set -- cuts flips faults kills schedules histories model

run() { cargo test --quiet --all-features --test "$@"; }

git log -1 --format='commit %h'
for campaign in "$@"; do
  printf '\n== %s (%s s)\n' "$campaign" "$SECONDS"
  case $campaign in
    cuts) KEYWRIGHT_CUTS=$((100000 * size)) run crash power_cut -- --nocapture ;;
    flips) KEYWRIGHT_FLIPS=$((40000 * size)) run crash bit_flipped -- --nocapture ;;
    faults) KEYWRIGHT_ROUNDS=$((200 * size)) run file_store faults -- --nocapture ;;
    kills) KEYWRIGHT_ROUNDS=$((200 * size)) run kill -- --nocapture ;;
    schedules) KEYWRIGHT_SCHEDULES=$((1200 * size)) run schedules ;;
    histories) KEYWRIGHT_HISTORIES=$((1500 * size)) run linear -- --nocapture ;;
    model) KEYWRIGHT_OPS=$((60000 * size)) run model -- --nocapture ;;
    *)
      printf 'there is no campaign %s\n' "$campaign" >&2
      exit 1
      ;;
  esac
done
