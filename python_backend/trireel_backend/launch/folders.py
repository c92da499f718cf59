# SPDX-License-Identifier: Apache-2.0
"""What the models are told of the folders that one run of a server uses."""

from collections.abc import Mapping
from pathlib import Path

from trireel_backend.errors import StartupError
from trireel_backend.launch.run_folder import RunFolder
from trireel_backend.sources.settings import FolderSettings
from trireel_backend.system.paths import path_text
from trireel_backend.wire.parameters import read_settings

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def folder_parameters(
    given: Mapping[str, str], *, media: Path, spool: Path, run: RunFolder
) -> dict[str, str]:
    """Return the models' parameters: those given, and the folders of this run.

    Args:
        given: by name, what the operator says; the folders are not theirs to say here.
        media, spool: folders of the videos that are there, and of those that come from elsewhere.

    Raises:
        StartupError: a folder is missing, or a limit of what may be fetched makes no sense.
    """
    parameters = {
        **given,
        "media_root": _text(media.resolve()),
        "media_root_id": folder_id(media),
        "spool": _text(spool.resolve()),
        "admission": str(run.admission),
    }
    read_settings(FolderSettings, parameters).folders()  # better now than in every model's log
    return parameters


def _text(folder: Path) -> str:
    """Return a path as a parameter; raises StartupError, since parameters are UTF-8."""
    text = path_text(folder)
    if any("\udc80" <= character <= "\udcff" for character in text):
        raise StartupError(f"folder {text!r} has a name that is not UTF-8: rename it")
    return text


def folder_id(folder: Path) -> str:
    """Return what a folder has on this machine alone: boot id, device, inode; "" where unknown.

    Its name is not enough: a container has a /media too, and a forwarded port is on loopback.
    """
    try:
        boot, status = BOOT_ID.read_text().strip(), folder.stat()
    except OSError:
        return ""
    return f"{boot}:{status.st_dev}:{status.st_ino}"
