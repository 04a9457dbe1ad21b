#!/usr/bin/env bash
# Makes sure that the toolchain in force has clippy and rustfmt.
. "$(dirname "${BASH_SOURCE[0]}")/base.sh"

there() { cargo clippy --version >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1; }

# The toolchain that .setup/wasm.sh made of Debian's parts gets Debian's.
extend() {
  local toolchain
  toolchain="$(rustc --print sysroot)"
  [ -e /usr/bin/clippy-driver ] && [ -e /usr/bin/cargo-fmt ] || install rust-web-clippy rustfmt-web
  # cargo-clippy runs the driver beside itself: a link would lead it to the system's.
  cp -f /usr/bin/cargo-clippy "$toolchain/bin/cargo-clippy"
  printf '#!/bin/sh\nexec /usr/bin/clippy-driver "$@" --sysroot %s\n' "$toolchain" >"$toolchain/bin/clippy-driver"
  chmod +x "$toolchain/bin/clippy-driver"
  ln -sf /usr/bin/cargo-fmt /usr/bin/rustfmt "$toolchain/bin/"
}

there && exit
lock lints
if [ "${RUSTUP_TOOLCHAIN:-}" = system-wasm ]; then
  extend
else
  rustup component add clippy rustfmt >&2 </dev/null || fail "cannot add clippy and rustfmt: install both for the Rust in use"
fi
there || fail "clippy or rustfmt does not run: run \`cargo clippy --version\` and \`cargo fmt --version\` to see why"
