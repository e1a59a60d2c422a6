#!/usr/bin/env bash
# Asks govulncheck whether the code calls anything with a known vulnerability.
# Its database is on the network; where that cannot be reached nothing was
# checked, and the script says so instead of failing or passing silently.
set -uo pipefail
tool=${1:?usage: vulnerabilities.sh GOVULNCHECK}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"$tool" ./... >"$log" 2>&1
code=$?
if [ $code -ne 0 ] && grep -qiE 'dial tcp|no such host|connection refused|lookup|Forbidden|proxyconnect|fetching vulnerabilities' "$log"; then
  echo "NOT CHECKED for known vulnerabilities: the database cannot be reached from here (set GOVULNDB to a copy)."
  exit 0
fi
cat "$log"
exit $code
