# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it: makes .venv once and keeps it as the project's files say.
#   need_environment serve   what runs the server and the client
#   need_environment test    that, the export tools (torch) and what checks the code

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$ROOT/.venv"
# pip writes the path into the scripts of .venv, for a shell to read, and PATH is split at colons.
case "$ROOT" in
*[\":\\\`\$]* | *$'\n'*)
    echo "Trireel lies in '$ROOT', but a path with one of \" : \\ \` \$ cannot be used: move it to another folder." >&2
    exit 1
    ;;
esac
# onnxruntime reports on its use from 1.29 on, unless told not to.
export ORT_DISABLE_TELEMETRY=1

usable_python() {
    "$1" -c 'import sys, venv; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.12 python3.11}; do
        if usable_python "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "Trireel needs Python 3.11 or 3.12 with venv (Debian: python3-venv); set PYTHON to one." >&2
    return 1
}

pip_install() {
    "$VENV/bin/python" -m pip install -qq --disable-pip-version-check \
        --constraint "$ROOT/constraints.txt" "$@"
}

# Stamps hold the hash of what decided the installation, so that a change installs again.
need_environment() {
    local kind="$1" stamp="$VENV/.trireel-$1" wanted python
    wanted="$(cat "$ROOT"/constraints.txt "$ROOT"/requirements-test.txt "$ROOT"/*/pyproject.toml | sha256sum)"
    if [[ -f "$stamp" && "$(cat "$stamp")" == "$wanted" ]]; then
        return
    fi
    echo "Setting up .venv ($kind), once." >&2
    python="$(find_python)"
    # A set-up that was cut off may have left a folder without pip.
    "$VENV/bin/python" -m pip --version &>/dev/null || "$python" -m venv --clear "$VENV"
    # The build backend is installed by its pin and used without isolation: no unpinned download.
    pip_install hatchling editables
    # In one call: a package that needs another finds it here, and no package index is asked for it.
    local packages=(--editable "$ROOT/schema" --editable "$ROOT/python_backend[embedded]")
    packages+=(--editable "$ROOT/client[load-test]")
    if [[ "$kind" == test ]]; then
        packages+=(--editable "$ROOT/python_backend[embedded,openvino]")
        packages+=(--editable "$ROOT/export" --editable "$ROOT/drawings" --requirement "$ROOT/requirements-test.txt")
    fi
    pip_install --no-build-isolation "${packages[@]}"
    echo "$wanted" >"$stamp"
}

# Prometheus and promtool, which no package index has, into .venv/bin; root is not needed.
need_prometheus() {
    local work
    if [[ -x "$VENV/bin/promtool" && -x "$VENV/bin/prometheus" ]]; then
        return
    fi
    if { command -v prometheus && command -v promtool; } >/dev/null; then
        ln -sf "$(command -v prometheus)" "$(command -v promtool)" "$VENV/bin/"
        return
    fi
    if ! { command -v apt-get && command -v dpkg-deb; } >/dev/null; then
        echo "The tests need prometheus and promtool on PATH: https://prometheus.io/download" >&2
        return 1
    fi
    echo "Fetching prometheus from the distribution's packages, once." >&2
    work="$(mktemp -d)"
    mkdir -p "$work"/{state/lists,cache/archives}/partial
    # State and cache of its own: the system's need root.
    local apt=(apt-get -qq -o "Dir::State=$work/state" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=)
    (cd "$work" && "${apt[@]}" update && "${apt[@]}" download prometheus && dpkg-deb -x ./*.deb .)
    cp "$work"/usr/bin/{prometheus,promtool} "$VENV/bin/"
    rm -r "$work"
}
