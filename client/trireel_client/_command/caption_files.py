# SPDX-License-Identifier: Apache-2.0
"""Subtitle files that `trireel captions` writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trireel_client._command.exports import check_writable

if TYPE_CHECKING:
    from trireel_client import CaptionReport, ScreenCaption


@dataclass(frozen=True)
class CaptionFiles:
    """The files that a command line asks for."""

    srt: Path | None
    """File for SubRip."""
    vtt: Path | None
    """File for WebVTT."""

    def check(self) -> None:
        """Reject files that cannot be written; raises typer.BadParameter."""
        check_writable(self.srt, "--srt", is_replaced=True)
        check_writable(self.vtt, "--vtt", is_replaced=True)

    def write(self, captions: Sequence[ScreenCaption], report: CaptionReport) -> None:
        """Write the files, each of which appears when it is complete; raises OSError."""
        from trireel_client._files import write_whole
        from trireel_client._timeline.cues import caption_cues
        from trireel_client._timeline.srt import srt
        from trireel_client._timeline.webvtt import webvtt

        cues = caption_cues(captions, report.start_seconds, report.time_base)
        for path, writer in ((self.srt, srt), (self.vtt, webvtt)):
            if path is not None:
                write_whole(path, writer(cues).encode())
