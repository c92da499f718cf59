# SPDX-License-Identifier: Apache-2.0
"""Files that `trireel analyze` writes of the objects: a drawn video and a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from trireel_client._command.exports import check_writable
from trireel_client._command.videos import STDIN

if TYPE_CHECKING:
    from trireel_client import Analysis

OBJECTS = "objects"


@dataclass(frozen=True)
class ObjectFiles:
    """The files of objects that a command line asks for."""

    draw: Path | None
    """Video with boxes to write."""
    coco: Path | None
    """Data set in COCO's format to write."""

    def check(self, find: Sequence[str] | None, video: str, server_path: bool) -> None:
        """Reject files that cannot be written before the server works for them.

        Raises:
            typer.BadParameter: if a file, its name or the video is not possible.
            TrireelError: if a package is missing.
        """
        check_writable(self.coco, "--coco", is_replaced=True)
        if self.draw is not None:
            _check_draw(self.draw, video, server_path)
        if (self.draw or self.coco) and OBJECTS not in (find or ()):
            reason = "--draw and --coco need the objects: add --find objects"
            raise typer.BadParameter(reason, param_hint="--find")

    def write(self, analysis: Analysis, video: str) -> None:
        """Write the files; raises TrireelError, and OSError if a file cannot be written."""
        from trireel_client._objects.coco import export_coco
        from trireel_client._objects.draw import draw_objects

        if self.coco is not None:
            export_coco(analysis, self.coco, video=video)
        if self.draw is not None:
            draw_objects(analysis, video, self.draw)


def _check_draw(output: Path, video: str, server_path: bool) -> None:
    from trireel_client._errors import InvalidRequest
    from trireel_client._objects.draw import check_can_draw, check_output
    from trireel_client._sources import is_uri

    check_writable(output, "--draw", is_replaced=True)
    if server_path or video == STDIN or is_uri(video):
        reason = "paints on a file of this machine: name VIDEO by such a path"
        raise typer.BadParameter(reason, param_hint="--draw")
    check_can_draw()
    try:
        check_output(Path(video), output)
    except InvalidRequest as error:
        raise typer.BadParameter(str(error), param_hint="--draw") from error
