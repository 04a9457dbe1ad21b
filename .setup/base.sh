# Sourced by the scripts beside it: what they share.
set -euo pipefail

CACHE="${XDG_CACHE_HOME:-${HOME:?HOME is not set: set-up keeps what it downloads below it}/.cache}/fiftyone-migrate"
SCRIPT="$(basename "$0" .sh)"

# Says something that is not the script's answer.
log() { printf '%s: %s\n' "$SCRIPT" "$*" >&2; }

# Ends the script with one sentence.
fail() { log "$*"; exit 1; }

# One at a time, by the name given; who waited finds the work done. Held until the script ends.
lock() {
  mkdir -p "$CACHE"
  command -v flock >/dev/null || return 0
  exec 9>"$CACHE/$1.lock"
  flock 9
}

# Installs Debian packages. The lists are fetched only where the packages are not to be had as it is.
install() {
  command -v apt-get >/dev/null || fail "needs $*: install them with this system's package manager"
  local sudo=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "needs $*: install them as root"
    sudo=(sudo)
  fi
  log "installing $*"
  local get=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  "${get[@]}" install -y --no-install-recommends "$@" >&2 </dev/null && return
  "${get[@]}" update >&2 </dev/null || fail "cannot fetch the package lists: see apt-get's words above"
  "${get[@]}" install -y --no-install-recommends "$@" >&2 </dev/null \
    || fail "cannot install $*: see apt-get's words above"
}
