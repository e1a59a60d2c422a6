#!/usr/bin/env bash
# Makes sure that a Chromium stands at the given path, for the browser tests.
set -euo pipefail
chromium=${1:?usage: chromium.sh PATH}
[ -x "$chromium" ] && exit 0
echo "Chromium is missing at $chromium: installing Debian's package."
if ! command -v apt-get >/dev/null; then
  echo "This is no Debian: install Chromium yourself and say where it is, as in: make test CHROMIUM=/path/to/chromium" >&2
  exit 1
fi
sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "Installing it needs root: run 'apt-get install chromium' as root, then make test." >&2; exit 1; }
  sudo=(sudo)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${sudo[@]}" apt-get update -qq && DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends chromium fonts-noto-core; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "Installing chromium failed; the lines above are apt's. Mend that, or say where a Chromium is: make test CHROMIUM=/path/to/chromium" >&2
  exit 1
fi
[ -x "$chromium" ] || { echo "The package is installed, but there is no $chromium: say where it is, as in: make test CHROMIUM=/path/to/chromium" >&2; exit 1; }
