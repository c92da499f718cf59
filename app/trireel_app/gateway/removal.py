# SPDX-License-Identifier: Apache-2.0
"""The removal of a video with all that belongs to it."""

from pathlib import Path

from trireel_app.gateway.intake.folder import UploadFolder
from trireel_app.index.keeper import Keeper
from trireel_app.jobs.uploads import UploadRow
from trireel_app.jobs.watched_jobs import WatchedJobs


def remove_video(keeper: Keeper, folder: UploadFolder, jobs: WatchedJobs, video: UploadRow) -> None:
    """Remove a video's job, results, rows of the index, files, events and row; LibraryError.

    A removal that was cut off can be repeated: the row goes last.
    """
    # Without its job, a worker that analyses it now removes what it puts.
    jobs.erase(video)
    if keeper.library.checkpoint() is not None:
        keeper.remove(video.id)
    folder.remove(video.id)
    _remove_file(folder.root, video.path)
    jobs.forget(video)


def _remove_file(folder: Path, name: str) -> None:
    """Remove an uploaded file; nothing outside of `folder`."""
    path = Path(name)
    if name and path.resolve().is_relative_to(folder):
        path.unlink(missing_ok=True)
