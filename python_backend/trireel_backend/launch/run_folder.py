# SPDX-License-Identifier: Apache-2.0
"""The files of one run of a server: a folder, and shared memory of the same name."""

import contextlib
import fcntl
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trireel_backend.errors import StartupError

FOLDER_PREFIX = "trireel-serve-"
MAKING_PREFIX = "trireel-making-"
LOCK_FILE = "lock"
PLAIN_PATH = re.compile(r"[A-Za-z0-9._+,@/-]+")
OTHERS = stat.S_IRWXG | stat.S_IRWXO
SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @property
    def models(self) -> Path:
        """Return the folder of the assembled model repository."""
        return self.path / "models"

    @property
    def backends(self) -> Path:
        """Return the folder of Triton's backends, for a Triton that has no such folder itself."""
        return self.path / "backends"

    @property
    def python(self) -> Path:
        """Return the folder of a Python for Triton's stubs, for use if they cannot use this one."""
        return self.path / "python"

    @property
    def spool(self) -> Path:
        """Return the folder of uploads and fetched videos, for use if the operator names none."""
        return self.path / "spool"

    @property
    def admission(self) -> Path:
        """Return the folder through which launcher and models agree on a stop; it exists."""
        return self.path / "admission"

    @property
    def shm_prefix(self) -> str:
        """Return the prefix of the names of the run's shared memory regions."""
        return f"{self.path.name.replace('-', '_')}_"

    def remove(self) -> None:
        """Remove the folder, and the memory regions that a killed stub could not remove."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.remove_regions()

    def close_regions(self) -> None:
        """Close the run's shared memory regions to other users.

        Boost makes them readable for all, whatever the umask is.
        """
        for region in SHARED_MEMORY.glob(f"{self.shm_prefix}*"):
            with contextlib.suppress(OSError):  # a model has just removed it
                if region.lstat().st_mode & OTHERS:
                    region.chmod(stat.S_IRUSR | stat.S_IWUSR)

    def remove_regions(self) -> None:
        """Remove the run's shared memory regions, if no server uses them."""
        for region in SHARED_MEMORY.glob(f"{self.shm_prefix}*"):
            region.unlink(missing_ok=True)


@contextlib.contextmanager
def run_folder() -> Iterator[RunFolder]:
    """Yield a run's folder and remove it afterwards; first remove the folders of killed runs.

    Raises:
        StartupError: if Triton cannot start models from a folder of this name.
    """
    _check_temporary_folder(tempfile.gettempdir())
    sweep_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=MAKING_PREFIX))
    # The kernel releases the lock when its holder dies, however it dies.
    with (folder / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Other runs sweep folders of the final name whose lock is free: rename it only now.
        name = folder.name.replace(MAKING_PREFIX, FOLDER_PREFIX)
        run = RunFolder(folder.rename(folder.with_name(name)))
        try:
            run.admission.mkdir()
            yield run
        finally:
            run.remove()


def _check_temporary_folder(path: str) -> None:
    # Triton writes the path into a shell's command line, unquoted, and its stub reads it as ASCII.
    if not PLAIN_PATH.fullmatch(path):
        raise StartupError(
            f"the temporary folder is {path!r}, but Triton's Python backend accepts only the"
            " characters A-Z a-z 0-9 . _ - + , @ / in its path: set TMPDIR to another folder"
        )


def sweep_abandoned() -> None:
    """Remove the folders and memory regions of runs whose launcher was killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        try:
            with (path / LOCK_FILE).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                RunFolder(path).remove()
        except OSError:
            continue  # still in use, or already removed
