# SPDX-License-Identifier: Apache-2.0
"""Find Triton in the nvidia-pytriton wheel, and prepare an environment for its Python stub."""

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
    """The parts of the installed wheel that Trireel uses."""

    server: Path
    """Path of the tritonserver binary."""
    python_backend: Path
    """Folder of the Python backend, without a stub."""
    stub: Path
    """Path of the stub for the running Python's version."""
    libraries: Path
    """Folder of the shared libraries that the binaries link to."""


def find_wheel() -> Wheel:
    """Return the wheel's parts.

    Raises:
        MissingPart: if the wheel is not installed, or lacks a part for this Python.
    """
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        raise MissingPart("the tritonserver wheel is not installed: run scripts/setup serve")
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
    """Return the folder of the shared libpython, None if the system's loader finds it.

    Raises:
        MissingPart: if this Python was built without a shared library, and none is installed.
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
    """Fill `target/python` as Triton expects it: the backend and the stub in one folder.

    Its entries are links, because a temporary folder may be on a file system without execution.
    """
    folder = target / "python"
    folder.mkdir(parents=True)
    for part in (*wheel.python_backend.iterdir(), wheel.stub):
        if part.name != "__pycache__":
            (folder / part.name).symlink_to(part.resolve())


def server_environment(wheel: Wheel, python: Path | None = None) -> dict[str, str]:
    """Return the environment variables that lead server and stubs to libraries and this Python.

    Args:
        python: folder for a virtual environment, made if the stubs cannot use this Python's own.
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
        # The stub embeds Python and finds its packages through the first python on PATH.
        "PATH": os.pathsep.join([str(programs), os.environ.get("PATH", "")]),
    }


def make_ascii_python(folder: Path) -> Path:
    """Make a virtual environment that links to this one's packages; return its bin folder.

    The stub's Python reads the .pth files of its environment as ASCII, and does not start if one
    of them names a folder "ü". The new .pth file names links with ASCII names instead.
    """
    programs, links = folder / "bin", folder / "packages"
    site = folder / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    for directory in (programs, links, site):
        directory.mkdir(parents=True)
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
    """Return the search path of a new Python of this environment, without the standard library."""
    code = "import sys; print('\\0'.join(sys.path), end='')"
    output = subprocess.check_output([sys.executable, "-P", "-X", "utf8", "-c", code])
    folders = [Path(os.fsdecode(entry)) for entry in output.split(b"\0")]
    platform = Path(sysconfig.get_path("platstdlib"))
    standard = (Path(sysconfig.get_path("stdlib")), platform, platform / "lib-dynload")
    return [folder for folder in folders if folder.is_dir() and folder not in standard]
