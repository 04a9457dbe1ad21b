#!/usr/bin/env bash
# Sees to it that there is an rclone, which uploading is measured against.
. "$(dirname "${BASH_SOURCE[0]}")/base.sh"

command -v rclone >/dev/null || install rclone >&2 </dev/null
command -v rclone >/dev/null || fail "cannot install rclone: see the words above"
