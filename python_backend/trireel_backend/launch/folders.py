# SPDX-License-Identifier: Apache-2.0
"""The parameters that give the models the folders of one run of a server."""

import json
from collections.abc import Mapping
from pathlib import Path

from trireel_backend.errors import StartupError
from trireel_backend.launch.run_folder import RunFolder
from trireel_backend.sources.settings import FolderSettings
from trireel_backend.system.paths import path_text
from trireel_backend.wire.parameters import PRIVATE_VARIABLE, read_settings

PRIVATE_PARAMETERS = ("media_root", "spool", "admission", "backends")
"""Parameters with paths of this machine; clients can read a model's config."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def folder_parameters(
    values: Mapping[str, str], *, media: Path, spool: Path, run: RunFolder
) -> dict[str, str]:
    """Return the models' parameters: the operator's values, and the folders of this run.

    Args:
        values: the operator's values by parameter name; those for folders are overwritten.
        media: folder of the videos that requests name by path.
        spool: folder of uploads and fetched videos.

    Raises:
        StartupError: if a folder is missing, or a limit for fetched videos is invalid.
    """
    parameters = {
        **values,
        "media_root": _text(media.resolve()),
        "media_root_id": folder_id(media),
        "spool": _text(spool.resolve()),
        "admission": str(run.admission),
    }
    read_settings(
        FolderSettings, parameters
    ).folders()  # fail here rather than in every model's log
    return parameters


def split_private(parameters: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the parameters for the models' configs, and environment variables for the others."""
    public = {name: v for name, v in parameters.items() if name not in PRIVATE_PARAMETERS}
    private = {name: v for name, v in parameters.items() if name in PRIVATE_PARAMETERS}
    return public, {PRIVATE_VARIABLE: json.dumps(private)}


def _text(folder: Path) -> str:
    """Return a path as a parameter's value.

    Raises:
        StartupError: if the path is not UTF-8, which parameters must be.
    """
    text = path_text(folder)
    if any("\udc80" <= character <= "\udcff" for character in text):
        raise StartupError(f"folder {text!r} has a name that is not UTF-8: rename it")
    return text


def folder_id(folder: Path) -> str:
    """Return an identity that only this machine's folder has: boot id, device, inode.

    Returns "" if it is unknown. The folder's name is not enough: a container has a /media too,
    and a forwarded port is on loopback.
    """
    try:
        boot, status = BOOT_ID.read_text().strip(), folder.stat()
    except OSError:
        return ""
    return f"{boot}:{status.st_dev}:{status.st_ino}"
