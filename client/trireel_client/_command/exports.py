# SPDX-License-Identifier: Apache-2.0
"""Files that `trireel analyze` writes of the scenes: exports, thumbnails, a page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from trireel_client import Analysis, ServerPath, TrireelClient

SCENES = "scenes"


@dataclass(frozen=True)
class SceneFiles:
    """The files that a command line asks for."""

    exports: Sequence[Path]
    """Files in the formats of their suffixes."""
    thumbnails: Path | None
    """Folder for a picture of each scene."""
    page: Path | None
    """Page of HTML."""
    drop_frame: bool
    """True for drop-frame timecode at 29.97 and 59.94 fps."""

    def check(self, find: Sequence[str] | None) -> None:
        """Reject files that cannot be written before the server works for them.

        Raises:
            typer.BadParameter: if a file, its format or its folder is not possible.
            TrireelError: if a package is missing.
        """
        from trireel_client._errors import InvalidRequest
        from trireel_client._page.page import check_page_can_be_written
        from trireel_client._timeline.formats import checked_suffix
        from trireel_client._timeline.pictures import check_pictures_can_be_written

        for path in self.exports:
            check_writable(path, "--export", is_replaced=True)
            try:
                checked_suffix(path)
            except InvalidRequest as error:
                raise typer.BadParameter(str(error), param_hint="--export") from error
        if self.thumbnails is not None:
            check_writable(self.thumbnails, "--thumbnails")
            if self.thumbnails.exists() and not self.thumbnails.is_dir():
                reason = f"{str(self.thumbnails)!r} is not a folder"
                raise typer.BadParameter(reason, param_hint="--thumbnails")
            check_pictures_can_be_written()
        if self.page is not None:
            check_writable(self.page, "--html", is_replaced=True)
            check_page_can_be_written()
        if find and SCENES not in find and (self.exports or self.thumbnails or self.page):
            reason = "--export, --thumbnails and --html need the scenes: add --find scenes"
            raise typer.BadParameter(reason, param_hint="--find")

    def write(
        self, client: TrireelClient, analysis: Analysis, source: str | bytes | ServerPath, name: str
    ) -> None:
        """Write the files; raises TrireelError, and OSError if a file cannot be written.

        Args:
            name: name of the video in the exports if it is sent as bytes, and in the page.
        """
        from trireel_client._page.page import write_page
        from trireel_client._timeline.export import export_scenes
        from trireel_client._timeline.pictures import write_thumbnails

        if self.exports:
            video = name if isinstance(source, bytes) else source
            export_scenes(analysis, *self.exports, video=video, drop_frame=self.drop_frame)
        if self.thumbnails is None and self.page is None:
            return
        thumbnails = client.thumbnails(source, analysis)
        if self.thumbnails is not None:
            write_thumbnails(thumbnails, self.thumbnails)
        if self.page is not None:
            write_page(analysis, thumbnails, self.page, video=name)


def check_writable(path: Path | None, option: str, *, is_replaced: bool = False) -> None:
    """Reject a path that cannot be written; raises typer.BadParameter.

    Args:
        is_replaced: a file that is there is replaced, which only its folder has to allow.
    """
    if path is None:
        return
    if not path.parent.is_dir():
        reason = f"there is no folder {str(path.parent)!r}"
    elif not os.access(path if path.exists() and not is_replaced else path.parent, os.W_OK):
        reason = f"{str(path)!r} cannot be written"
    else:
        return
    raise typer.BadParameter(reason, param_hint=option)
