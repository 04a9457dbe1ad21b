#!/usr/bin/env bash
# Prints the path of a Chromium, and makes sure that its driver is there: for the tests in a browser.
. "$(dirname "${BASH_SOURCE[0]}")/base.sh"

# Ubuntu's `chromium` is an empty package that asks for a snap: what counts is what runs.
browser() { type -P chromium || type -P chromium-browser || type -P google-chrome; }

if ! browser >/dev/null || ! command -v chromedriver >/dev/null; then
  lock browser
  install chromium chromium-driver
fi
command -v chromedriver >/dev/null || fail "there is no chromedriver: install the one of this Chromium's version"
browser || fail "there is no Chromium: install it so that \`chromium\` runs"
