#!/bin/sh
# Make .venv ready for `demo` (what a user needs) or `dev` (all extras and the tools), from uv.lock and nothing else.
# A stamp in .venv makes the second call a matter of milliseconds.
set -eu
UV_VERSION=0.13.8
PYTHONS="python3.13 python3.12 python3.11 python3"

mode=${1:-dev}
case $mode in
    demo) wanted="--no-dev --extra demo" ;;
    dev) wanted="--group dev --all-extras" ;;
    *) echo "environment.sh: say demo or dev, not $mode." >&2; exit 2 ;;
esac
cd "$(dirname "$0")/.."

refuse() {
    printf 'modelward: %s\n' "$@" >&2
    exit 1
}

fits() { # a Python that runs and is of a version Modelward is made for
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

find_python() {
    lacking=""
    for candidate in ${PYTHON:-$PYTHONS}; do
        fits "$candidate" || continue
        if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
        lacking=${lacking:-$candidate}
    done
    if [ -n "$lacking" ]; then
        version=$("$lacking" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        refuse "$lacking cannot make a virtual environment: its modules venv and ensurepip are not installed." \
            "On Debian or Ubuntu:  apt-get install python$version-venv   Then run the same command again."
    fi
    refuse "No Python 3.11, 3.12 or 3.13 was found (looked for: ${PYTHON:-$PYTHONS})." \
        "Install one (Debian or Ubuntu: apt-get install python3 python3-venv), or name it:  make $mode PYTHON=/path/to/python3.12"
}

key="$mode $(cksum <uv.lock) $(cksum <pyproject.toml) uv $UV_VERSION"
stamp=.venv/.made-for-$mode
if [ -x .venv/bin/modelward ] && fits .venv/bin/python && [ "$(cat "$stamp" 2>/dev/null)" = "$key" ]; then
    exit 0
fi

# Without a home that can be written, caches go into the checkout.
if [ -z "${HOME:-}" ] || [ ! -d "$HOME" ] || [ ! -w "$HOME" ]; then
    mkdir -p .uv/home
    HOME=$PWD/.uv/home
    export HOME
fi

if ! fits .venv/bin/python || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    echo "modelward: making .venv with $("$python" --version 2>&1)" >&2
    "$python" -m venv --clear .venv
fi
if [ "$(.venv/bin/uv --version 2>/dev/null | cut -d' ' -f2)" != "$UV_VERSION" ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input "uv==$UV_VERSION"
fi
echo "modelward: installing what uv.lock lists ($mode)" >&2
unset VIRTUAL_ENV CONDA_PREFIX
install() {
    # shellcheck disable=SC2086 # the options are words
    UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON=.venv/bin/python UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 \
        .venv/bin/uv sync --quiet --frozen --inexact "$@" $wanted
}
# Behind a company's proxy only the system's own certificates lead out; on a bare container only uv's do.
install 2>.venv/install.log || install --system-certs || {
    cat .venv/install.log >&2
    exit 1
}
echo "$key" >"$stamp"
