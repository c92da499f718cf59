# SPDX-License-Identifier: Apache-2.0
"""The videos that a command line names."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from trireel_client import ServerPath

STDIN = "-"
# The containers of docs/videos.md; a file that is named by itself may have any suffix.
SUFFIXES = {
    *(".3g2", ".3gp", ".asf", ".avi", ".f4v", ".flv", ".h264", ".h265", ".hevc", ".ivf", ".m2t"),
    *(".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogg"),
    *(".ogv", ".ts", ".vob", ".webm", ".wmv"),
}


def listed(videos: Sequence[str], *, recursive: bool, server_path: bool) -> list[str]:
    """Return the videos that a command line names, those in its folders in order.

    Files and folders whose name begins with a dot are left out, and links to folders.

    Raises:
        typer.BadParameter: if a folder is named without `recursive`, or has no videos.
    """
    if server_path:
        if recursive:
            raise typer.BadParameter("--recursive lists folders of this machine, not the server's")
        return list(videos)
    if videos.count(STDIN) > 1:
        raise typer.BadParameter(f"got {STDIN} more than once: standard input holds one video")
    names: list[str] = []
    for video in videos:
        if not os.path.isdir(video):
            names.append(video)
        elif recursive:
            names += _in_folder(video)
        else:
            reason = f"{video!r} is a folder: add --recursive to analyse the videos in it"
            raise typer.BadParameter(reason)
    return names


def _in_folder(folder: str) -> list[str]:
    names = list(_walked(folder))
    if not names:
        raise typer.BadParameter(f"there are no videos in {folder!r}: give a folder of videos")
    return names


def _walked(folder: str) -> Iterator[str]:
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES and not name.startswith("."):
                yield os.path.join(path, name)


def video_source(video: str, server_path: bool) -> str | bytes | ServerPath:
    """Return the source of a video; reads standard input to its end if it is named.

    Raises:
        SourceError: if standard input is empty, or too large for one request.
        typer.BadParameter: if standard input is a terminal.
    """
    from trireel_client import ServerPath
    from trireel_client._sources import read_file_object

    if server_path:
        return ServerPath(video)
    if video != STDIN:
        return video
    if sys.stdin.isatty():
        raise typer.BadParameter("standard input is a terminal: use trireel analyze - < FILE")
    return read_file_object(sys.stdin.buffer, "standard input").data
