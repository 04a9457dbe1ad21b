#!/usr/bin/env bash
# Prints the path of axe.min.js, which looks for faults of accessibility; from npm, once.
. "$(dirname "${BASH_SOURCE[0]}")/base.sh"

VERSION=4.10.3
KEPT="$CACHE/axe-$VERSION/node_modules/axe-core/axe.min.js"

if [ ! -s "$KEPT" ]; then
  lock axe
  command -v npm >/dev/null || install nodejs npm
  log "fetching axe-core $VERSION"
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$CACHE/axe-$VERSION" "axe-core@$VERSION" >&2 </dev/null \
    || fail "cannot get axe-core $VERSION from npm: see npm's words above"
fi
echo "$KEPT"
