#!/usr/bin/env bash
# Makes sure that there is a C compiler: Rust links with it, and a few packages have parts in C.
. "$(dirname "${BASH_SOURCE[0]}")/base.sh"

command -v cargo >/dev/null || fail "there is no Rust: install it as https://rustup.rs says"
command -v cc >/dev/null || install gcc libc6-dev
