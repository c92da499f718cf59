# SPDX-License-Identifier: Apache-2.0
"""What a server keeps outside its processes: a folder, and shared memory of the same name."""

import fcntl
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trireel_backend.errors import StartupError

FOLDER_PREFIX = "trireel-serve-"
MAKING_PREFIX = "trireel-making-"
LOCK_FILE = "lock"
PLAIN_PATH = re.compile(r"[A-Za-z0-9._+,@/-]+")
SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @property
    def models(self) -> Path:
        """Return where the assembled repository goes."""
        return self.path / "models"

    @property
    def backends(self) -> Path:
        """Return where Triton's backends go where they have to be put together."""
        return self.path / "backends"

    @property
    def python(self) -> Path:
        """Return where a Python for Triton's stubs goes if they cannot use this one."""
        return self.path / "python"

    @property
    def spool(self) -> Path:
        """Return where videos from elsewhere go where the operator names no folder."""
        return self.path / "spool"

    @property
    def admission(self) -> Path:
        """Return the folder by which launcher and models agree on a stop; it is there."""
        return self.path / "admission"

    @property
    def shm_prefix(self) -> str:
        """Return how the names of the run's shared memory regions begin."""
        return f"{self.path.name.replace('-', '_')}_"

    def remove(self) -> None:
        """Remove the folder, and the regions that a killed stub could not remove itself."""
        shutil.rmtree(self.path, ignore_errors=True)
        for region in SHARED_MEMORY.glob(f"{self.shm_prefix}*"):
            region.unlink(missing_ok=True)


@contextmanager
def run_folder() -> Iterator[RunFolder]:
    """Make a run's folder and remove it afterwards; what killed runs left is removed first.

    Raises:
        StartupError: Triton cannot start models from a folder of this name.
    """
    _check_temporary_folder(tempfile.gettempdir())
    sweep_abandoned()
    made = Path(tempfile.mkdtemp(prefix=MAKING_PREFIX))
    # The kernel lets go of the lock when its holder dies, however it dies.
    with (made / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Only now under the name that others sweep: a folder without its lock looks abandoned.
        name = made.name.replace(MAKING_PREFIX, FOLDER_PREFIX)
        run = RunFolder(made.rename(made.with_name(name)))
        try:
            run.admission.mkdir()
            yield run
        finally:
            run.remove()


def _check_temporary_folder(path: str) -> None:
    # Triton writes the path into a shell's command line, unquoted, and its stub reads it as ASCII.
    if not PLAIN_PATH.fullmatch(path):
        raise StartupError(
            f"the temporary folder is {path!r}, but Triton's Python backend takes only the"
            " characters A-Z a-z 0-9 . _ - + , @ / in its path: set TMPDIR to another folder"
        )


def sweep_abandoned() -> None:
    """Remove what runs left whose launcher was killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        try:
            with (path / LOCK_FILE).open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                RunFolder(path).remove()
        except OSError:
            continue  # alive, or just gone
