#!/usr/bin/env bash
# Installs what tests of pages need beside Python packages: Chromium, and the packages of ui/
# (axe-core, esbuild). `make test` runs it. It is silent about what is there, and never fails: tests
# of what cannot be had are skipped with the reason.
set -uo pipefail
cd "$(dirname "$0")/.."

LOG=.venv/browser.log

# needed NAME WHAT: runs `install_NAME` unless `has_NAME`.
needed() {
  "has_$1" && return
  printf 'Installing %s for the tests of pages …\n' "$2" >&2
  "install_$1" >"$LOG" 2>&1
  "has_$1" || printf '%s could not be installed; tests that need it are skipped. See %s\n' "$2" "$LOG" >&2
}

has_chromium() { command -v chromedriver >/dev/null; }
install_chromium() {
  [ "$(id -u)" = 0 ] && command -v apt-get || return
  apt-get -q -o Acquire::Retries=1 update
  DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install \
    chromium chromium-driver fonts-dejavu-core
}

has_ui() { [ ui/node_modules/.package-lock.json -nt ui/package-lock.json ]; }
install_ui() { (cd ui && npm ci --no-audit --no-fund --fetch-retries=1); }

needed chromium Chromium
needed ui 'the packages of ui/'
