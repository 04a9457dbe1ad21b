#!/usr/bin/env bash
# Prints the name of a Rust toolchain that compiles for the browser, to be set as RUSTUP_TOOLCHAIN.
# An empty line means that the one in force does.
#
# Ordinarily rustup adds the target. Where it fetches nothing (RUSTUP_AUTO_INSTALL=0, or no way to its
# site), Debian's compiler and its library's sources serve: the library is compiled for wasm once, and
# a folder of links to Debian's toolchain becomes a toolchain of its own, which then needs no flags.
. "$(dirname "${BASH_SOURCE[0]}")/base.sh"

TARGET=wasm32-unknown-unknown
NAME=system-wasm
HOME_OF_NAME="${XDG_DATA_HOME:-$HOME/.local/share}/rust-toolchains/$NAME"
RUSTC=/usr/bin/rustc
CARGO=/usr/bin/cargo

# Whether a compiler has the standard library for wasm.
has_target() {
  local libraries
  libraries="$("$@" --print target-libdir --target "$TARGET" 2>/dev/null)" || return 1
  compgen -G "$libraries/libstd-*.rlib" >/dev/null
}

# What the library was compiled by: an upgrade of the system's compiler makes it worthless.
identity() {
  "$RUSTC" -vV 2>/dev/null | sed -n 's/^\(release\|commit-hash\|LLVM version\): //p' | tr '\n' ' '
  dpkg-query -W -f='${Package}=${Version} ' rustc-web rustc 2>/dev/null || true
}

is_built() {
  [ -x "$HOME_OF_NAME/bin/rustc" ] && [ "$(cat "$HOME_OF_NAME/.stamp" 2>/dev/null)" = "$(identity)" ] \
    && has_target "$HOME_OF_NAME/bin/rustc"
}

link() {
  command -v rustup >/dev/null || fail "this Rust has no $TARGET and there is no rustup to add it: install rustup"
  local linked="${RUSTUP_HOME:-$HOME/.rustup}/toolchains/$NAME"
  [ "$(readlink -f "$linked")" = "$(readlink -f "$HOME_OF_NAME")" ] || rustup toolchain link "$NAME" "$HOME_OF_NAME" >&2
  echo "$NAME"
}

# Whether rustup has added the target to the toolchain in force.
added() {
  [ "${RUSTUP_AUTO_INSTALL:-1}" != 0 ] && command -v rustup >/dev/null || return 1
  log "adding $TARGET"
  timeout 120 rustup target add "$TARGET" >&2 </dev/null && has_target rustc
}

install_sources() {
  local sysroot
  sysroot="$("$RUSTC" --print sysroot 2>/dev/null || true)"
  if [ -x "$RUSTC" ] && [ -x "$CARGO" ] && command -v wasm-ld >/dev/null \
    && [ -f "$sysroot/lib/rustlib/src/rust/library/Cargo.lock" ]; then
    return
  fi
  install rustc-web cargo-web rust-web-src lld
}

# Compiles the standard library into $WORK/target.
compile() {
  log "compiling the standard library for $TARGET, once"
  mkdir -p "$WORK/seed/src"
  printf '#![no_std]\n' >"$WORK/seed/src/lib.rs"
  cat >"$WORK/seed/Cargo.toml" <<'MANIFEST'
[package]
name = "seed"
version = "0.0.0"
edition = "2021"
[workspace]
[profile.release]
opt-level = 3
panic = "abort"
codegen-units = 1 # smaller code in everything that links it
MANIFEST
  # The sources' place is named in messages of panics: it becomes what it is everywhere else.
  (
    cd "$WORK/seed"
    env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_RUSTFLAGS -u RUSTUP_TOOLCHAIN \
      RUSTC_BOOTSTRAP=1 RUSTC="$RUSTC" RUSTC_WRAPPER= CARGO_TARGET_DIR="$WORK/target" CARGO_INCREMENTAL=0 \
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="-Cembed-bitcode=yes -Zunstable-options --remap-path-prefix=$1=/rustc/std/library" \
      "$CARGO" build -q --release --target "$TARGET" -Zbuild-std-features=panic-unwind \
      -Zbuild-std=core,alloc,std,panic_abort,panic_unwind,proc_macro,test >&2 </dev/null
  ) || fail "Debian's Rust could not compile its own library for $TARGET: see its words above"
}

# A compiler finds its library beside itself, even through a link: a script tells it where to look. And to link
# with LLD, as the official compilers do: the tests are many programs, and it takes a third of the time for each.
script() {
  local new="$2.$$" words='case "$*" in *wasm32*) ;; *) set -- "$@" -Clink-arg=-fuse-ld=lld ;; esac'
  [ "${1##*/}" = rustc ] && command -v ld.lld >/dev/null || words=:
  printf '#!/bin/sh\n%s\nexec %s --sysroot %s "$@"\n' "$words" "$1" "$HOME_OF_NAME" >"$new"
  chmod +x "$new"
  if cmp -s "$new" "$2"; then rm "$new"; else mv "$new" "$2"; fi
}

# Puts the toolchain together in $WORK/toolchain.
assemble() {
  local sysroot="$1" host="$2" made="$WORK/toolchain" linker entry
  local ours="$made/lib/rustlib"
  mkdir -p "$made/bin" "$ours/$TARGET/lib" "$ours/$host/bin"
  script "$RUSTC" "$made/bin/rustc"
  script "$(dirname "$RUSTC")/rustdoc" "$made/bin/rustdoc"
  ln -s "$CARGO" "$made/bin/cargo"
  for entry in "$sysroot/lib/rustlib/"*; do
    case "${entry##*/}" in "$TARGET" | "$host") ;; *) ln -s "$entry" "$ours/" ;; esac
  done
  ln -s "$sysroot/lib/rustlib/$host/lib" "$ours/$host/lib"
  for entry in "$sysroot/lib/rustlib/$host/bin/"*; do
    case "$entry" in */rust-lld | *"*") ;; *) ln -s "$entry" "$ours/$host/bin/" ;; esac
  done
  # rustup's linker is as new as the compiler; Debian's serves too.
  linker="$(rustup run stable rustc --print sysroot 2>/dev/null </dev/null || true)/lib/rustlib/$host/bin/rust-lld"
  [ -x "$linker" ] || linker="$(command -v wasm-ld)"
  printf '#!/bin/sh\n[ "$1" != -flavor ] || shift 2\nexec %s -flavor wasm "$@"\n' "$linker" >"$ours/$host/bin/rust-lld"
  chmod +x "$ours/$host/bin/rust-lld"
  find "$WORK/target/$TARGET/release/deps" -name '*.rlib' ! -name 'libseed-*' -exec cp {} "$ours/$TARGET/lib/" \;
  printf '%s' "$(identity)" >"$made/.stamp"
}

build() {
  local sysroot host
  sysroot="$("$RUSTC" --print sysroot)"
  host="$("$RUSTC" -vV | sed -n 's/^host: //p')"
  mkdir -p "$(dirname "$HOME_OF_NAME")"
  WORK="$(mktemp -d "$HOME_OF_NAME.XXXXXX")"
  trap 'rm -rf "$WORK"' EXIT
  compile "$(readlink -f "$sysroot/lib/rustlib/src/rust")/library"
  assemble "$sysroot" "$host"
  rm -rf "$HOME_OF_NAME"
  mv "$WORK/toolchain" "$HOME_OF_NAME"
  is_built || fail "the toolchain in $HOME_OF_NAME does not find its library: remove the folder and try again"
}

if has_target rustc; then echo "${RUSTUP_TOOLCHAIN:-}"; exit; fi
# One that was put together before this file was changed gets the scripts of today.
if is_built; then script "$RUSTC" "$HOME_OF_NAME/bin/rustc"; link; exit; fi
lock wasm
if is_built; then link; exit; fi
if added; then echo "${RUSTUP_TOOLCHAIN:-}"; exit; fi
install_sources
build
link
