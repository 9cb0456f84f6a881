#!/usr/bin/env bash
# The management API of the running example against its own OpenAPI document: requests that fit it and requests
# that do not, made up by schemathesis. Usage: tests/openapi.sh [EXAMPLES], for each operation, default 30.
set -euo pipefail
cd "$(dirname "$0")/.."
examples=${1:-30}
target=${CARGO_TARGET_DIR:-target}
venv=$target/schemathesis
if [ ! -x "$venv/bin/schemathesis" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet 'schemathesis>=4.32,<5'
fi

cargo build --quiet --example axum_server --features axum,management
log=$(mktemp) config=$(mktemp --suffix .toml)
"$target/debug/examples/axum_server" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log" "$config"' EXIT
for _ in $(seq 100); do
  grep -q '^listening on' "$log" && break
  sleep 0.1
done
url=$(grep -m1 -oE 'http://[0-9.:]+' "$log")

login='X-Demo-User: ada'
# A policy under which much is possible: what can't be made can't be changed, rotated or deleted either.
version=$(curl --silent --fail --header "$login" --dump-header - --output /dev/null "$url/manage/policy" |
  tr -d '\r' | awk 'tolower($1) == "etag:" { print $2 }')
curl --silent --fail --show-error --output /dev/null --request PUT "$url/manage/policy" \
  --header "$login" --header "if-match: $version" --header 'content-type: application/json' --data '{
    "api_in_plan": true, "api_enabled": true, "require_expiry": false, "default_lifetime": null,
    "max_lifetime": null, "max_keys_per_owner": 1000, "max_overlap": 604800, "name_pattern": null,
    "scope_ceiling": ["invoices:read", "invoices:write"], "roles": { "analyst": ["invoices:read"] },
    "default_rate": null, "extensive_use": null, "retention": 7776000, "event_retention": 34560000 }'

# Ids that there are. Made-up ones are almost all of nothing, and what is behind an absent key is not seen.
post() { curl --silent --fail --header "$login" --header 'content-type: application/json' --data "$2" "$url/manage$1"; }
id() { python3 -c 'import json, sys; made = json.load(sys.stdin); print(made.get("key", made)["id"])'; }
key=$(post /keys '{ "name": "attacked" }' | id)
account=$(post /accounts '{ "name": "attacked", "role": "analyst" }' | id)
cp tests/openapi.toml "$config"
cat >>"$config" <<END

[[operations]]
include-path-regex = "^/keys/.id."
parameters = { id = "$key" }

[[operations]]
include-path-regex = "^/accounts/.id."
parameters = { id = "$account" }
END

attack() {
  local settings=$1
  shift
  "$venv/bin/schemathesis" --config-file "$settings" run "$url/manage/openapi.json" \
    --url "$url/manage" --header "$login" --checks all --max-examples "$examples" \
    --request-timeout 10 --no-color "$@"
}
printf '\n-- one key and one account, while they live\n'
attack "$config" --include-path-regex '.id.' --exclude-method DELETE --exclude-operation-id revoke_key \
  --phases examples,coverage,fuzzing
# The policy comes last: made-up ones turn the rest off.
printf '\n-- everything but the policy\n'
attack tests/openapi.toml --exclude-operation-id set_policy
printf '\n-- the policy\n'
attack tests/openapi.toml --include-operation-id set_policy
kill -0 "$server" || {
  printf 'the server did not survive it:\n' >&2
  cat "$log" >&2
  exit 1
}
