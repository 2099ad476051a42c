#!/bin/sh
# Makes the virtual environment, or says in one line what is missing.
# usage: make_venv.sh PYTHON VENV
set -u
python=$1
venv=$2

stop() {
    echo "make: $1" >&2
    exit 1
}

# The python3 of some systems is older than ours; look for one that fits.
fits() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}
for candidate in "$python" python3.13 python3.12 python3.11; do
    if fits "$candidate"; then
        found=$candidate
        break
    fi
done
[ -n "${found:-}" ] || stop "Python 3.11, 3.12 or 3.13 is needed and none was found. Install one (Debian 12: apt install python3), or name it: make up PYTHON=/path/to/python3.12"

if "$found" -m venv "$venv" >/dev/null 2>&1 && [ -x "$venv/bin/pip" ]; then
    exit 0
fi
# Debian and Ubuntu keep ensurepip in a package of its own. A pip elsewhere can stand in for it.
rm -rf "$venv"
if "$found" -m pip --version >/dev/null 2>&1 &&
    "$found" -m venv --without-pip "$venv" >/dev/null 2>&1 &&
    "$found" -m pip --python "$venv/bin/python" install --quiet pip >/dev/null 2>&1; then
    exit 0
fi
rm -rf "$venv" 2>/dev/null
# With ensurepip there the reason is another one, and no package of the system would help.
if "$found" -c 'import ensurepip' 2>/dev/null; then
    why=$("$found" -m venv "$venv" 2>&1 | tail -n 1)
    stop "$found cannot make a virtual environment in $venv: ${why:-it gave no reason}. Put that right and try again."
fi
version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing python$version-venv, which Debian keeps apart from Python…" >&2
    apt-get install -y -qq --no-upgrade "python$version-venv" >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -y -qq --no-upgrade "python$version-venv"; } >/dev/null 2>&1
    "$found" -m venv "$venv" >/dev/null 2>&1 && exit 0
    rm -rf "$venv"
fi
stop "$found cannot make a virtual environment: its venv module is not installed. Run: apt install python$version-venv"
