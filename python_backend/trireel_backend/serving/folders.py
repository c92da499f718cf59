# SPDX-License-Identifier: Apache-2.0
"""What the models are told of the folders that one run of a server uses."""

from collections.abc import Mapping
from pathlib import Path

from trireel_backend.serving.run_folder import RunFolder
from trireel_backend.settings import FolderSettings, read_settings


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
        "media_root": str(media.resolve()),
        "spool": str(spool.resolve()),
        "admission": str(run.admission),
    }
    read_settings(FolderSettings, parameters).folders()  # better now than in every model's log
    return parameters
