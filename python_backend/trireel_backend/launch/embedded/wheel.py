# SPDX-License-Identifier: Apache-2.0
"""Where the nvidia-pytriton wheel keeps Triton, and what its Python stub needs to run."""

import ctypes.util
import importlib.util
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from trireel_backend.errors import MissingPart


@dataclass(frozen=True)
class Wheel:
    """The parts of the installed wheel that are used."""

    server: Path
    """The tritonserver binary."""
    python_backend: Path
    """Folder of the Python backend, without a stub."""
    stub: Path
    """The stub for the running Python."""
    libraries: Path
    """Folder of the shared libraries the binaries were built against."""


def find_wheel() -> Wheel:
    """Return the wheel's parts; raises MissingPart."""
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        raise MissingPart(
            "the tritonserver wheel is not installed: pip install 'trireel-backend[embedded]'"
        )
    package = Path(spec.origin).parent
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    wheel = Wheel(
        server=package / "tritonserver/bin/tritonserver",
        python_backend=package / "tritonserver/backends/python",
        stub=package / f"tritonserver/python_backend_stubs/{version}/triton_python_backend_stub",
        libraries=package.parent / "nvidia_pytriton.libs",
    )
    for part in (wheel.server, wheel.python_backend, wheel.stub, wheel.libraries):
        if not part.exists():
            raise MissingPart(
                f"{part} is not there: the nvidia-pytriton wheel has no Triton for Python"
                f" {version} on this machine (Linux x86-64, Python 3.11 or 3.12)"
            )
    return wheel


def find_libpython() -> Path | None:
    """Return the folder of the shared libpython, None where the system's loader knows it.

    Raises:
        MissingPart: this Python was built without a shared library, and none is installed.
    """
    name = f"libpython{sys.version_info.major}.{sys.version_info.minor}.so.1.0"
    prefixes = (sysconfig.get_config_var("LIBDIR"), f"{sys.base_prefix}/lib")
    for folder in (Path(prefix) for prefix in prefixes if prefix):
        if (folder / name).is_file():
            return folder
    if ctypes.util.find_library(f"python{sys.version_info.major}.{sys.version_info.minor}"):
        return None
    raise MissingPart(
        f"{name} is not there, and Triton's Python backend cannot start without it: install"
        f" libpython{sys.version_info.major}.{sys.version_info.minor} (Debian, Ubuntu) or use a"
        " Python built with --enable-shared"
    )


def make_backend_folder(wheel: Wheel, target: Path) -> None:
    """Lay out `target/python` as Triton wants it: the backend and the stub side by side.

    They are links: a temporary folder may be on a file system that executes nothing.
    """
    folder = target / "python"
    folder.mkdir(parents=True)
    for part in (*wheel.python_backend.iterdir(), wheel.stub):
        if part.name != "__pycache__":
            (folder / part.name).symlink_to(part.resolve())


def server_environment(wheel: Wheel, python: Path | None = None) -> dict[str, str]:
    """Return the environment in which server and stubs find their libraries and this Python.

    Args:
        python: folder to make if the stubs cannot use this Python's environment as it is.
    """
    libpython = find_libpython()
    libraries = [str(path) for path in (wheel.libraries, libpython) if path is not None]
    inherited = os.environ.get("LD_LIBRARY_PATH")
    programs = Path(sys.executable).parent
    if python is not None and not all(entry.isascii() for entry in sys.path):
        programs = make_ascii_python(python)
    return {
        **os.environ,
        "LD_LIBRARY_PATH": os.pathsep.join([*libraries, *([inherited] if inherited else [])]),
        # The stub embeds Python and finds this environment's packages by the first python on PATH.
        "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", "")]),
    }


def make_ascii_python(folder: Path) -> Path:
    """Make a virtual environment that links to this one's packages; return its programs.

    The stub's Python reads the .pth files of its environment as ASCII, and does not start if one
    of them names a folder "ü": here a .pth file names links to such folders.
    """
    programs, links = folder / "bin", folder / "packages"
    site = folder / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    for made in (programs, links, site):
        made.mkdir(parents=True)
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    (programs / "python3").symlink_to(base)
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\n", encoding="utf-8")
    names = []
    for index, entry in enumerate(_package_folders()):
        link = links / str(index)
        link.symlink_to(entry)
        names.append(f"{link}\n")
    (site / "trireel.pth").write_text("".join(names), encoding="ascii")
    return programs


def _package_folders() -> list[Path]:
    """Return what a new Python of this environment searches beside its standard library."""
    code = "import sys; print('\\0'.join(sys.path), end='')"
    search = subprocess.check_output([sys.executable, "-P", "-X", "utf8", "-c", code])
    folders = [Path(os.fsdecode(entry)) for entry in search.split(b"\0")]
    standard = Path(sysconfig.get_path("platstdlib"))
    known = (Path(sysconfig.get_path("stdlib")), standard, standard / "lib-dynload")
    return [folder for folder in folders if folder.is_dir() and folder not in known]
