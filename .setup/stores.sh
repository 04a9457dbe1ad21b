#!/usr/bin/env bash
# Prints the folder with servers that speak as object stores do, for tests: moto (S3) and Azurite (Azure).
. "$(dirname "${BASH_SOURCE[0]}")/base.sh"

MOTO=5.2.5
AZURITE=3.35.0
STORES="$CACHE/stores-$MOTO-$AZURITE"

ready() {
  [ -x "$STORES/venv/bin/moto_server" ] \
    && [ -x "$STORES/node_modules/.bin/azurite-blob" ] && [ -e "$STORES/whole" ]
}

fetch() {
  rm -rf "$STORES"
  command -v npm >/dev/null || install nodejs npm
  command -v python3 >/dev/null || install python3 python3-venv
  python3 -m venv "$STORES/venv" 2>/dev/null || { install python3-venv && python3 -m venv "$STORES/venv"; } || return 1
  log "fetching moto $MOTO and azurite $AZURITE"
  "$STORES/venv/bin/python" -m pip install -q "moto[server]==$MOTO" || return 1
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$STORES" "azurite@$AZURITE" || return 1
  touch "$STORES/whole"
}

if ! ready; then
  lock stores
  ready || fetch >&2 </dev/null || fail "cannot install the servers of object stores: see the words above"
  ready || fail "the servers of object stores are not whole in \`$STORES\`: remove that folder and try again"
fi
echo "$STORES"
