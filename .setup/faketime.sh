#!/usr/bin/env bash
# Prints the path of libfaketime, with which a test gives a program a clock that is wrong.
. "$(dirname "${BASH_SOURCE[0]}")/base.sh"

library() {
  local it
  for it in "${LIBFAKETIME:-}" /usr/lib/*/faketime/libfaketime.so.1 /usr/{lib,lib64,local/lib}/faketime/libfaketime.so.1; do
    if [ -f "$it" ]; then echo "$it"; return; fi
  done
  return 1
}

if ! library >/dev/null; then
  lock faketime
  library >/dev/null || install libfaketime
fi
library || fail "there is no libfaketime: install it and set LIBFAKETIME to its libfaketime.so.1"
