# SPDX-License-Identifier: Apache-2.0
"""One video of `trireel captions`: the request, its events as they come, and its report."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from trireel_client import (
        CaptionEvent,
        CaptionOptions,
        CaptionReport,
        ClipManifest,
        ClipWriter,
        ScreenCaption,
        TrireelClient,
    )
    from trireel_client._command.caption_screen import CaptionScreen
    from trireel_client._sources import Source

WRITE_STAGE = "write"
"""Name of the stage that this command adds: clips on their way to their place."""


@dataclass(frozen=True)
class Reading:
    """All that a video's request gave."""

    captions: list[ScreenCaption]
    """Captions in the order of their begins."""
    report: CaptionReport
    """Report of the server's stages and, if clips were written, of this command's own."""
    place: str | None
    """Place of the clips; None without clips."""
    manifest: ClipManifest | None
    """What is in the place; None without clips."""


def read_captions(
    client: TrireelClient,
    source: Source,
    video: str,
    options: CaptionOptions,
    clips: str | None,
    *,
    quiet: bool,
) -> Reading:
    """Request a video's captions, show them as they come, and write the clips.

    Args:
        video: name of the video for the manifest of the clips.
        clips: place of the clips; None for none.
        quiet: True to show the progress without the captions.

    Raises:
        TrireelError: if there is no answer, or clips cannot be written.
        typer.Exit: after Ctrl-C.
    """
    from trireel_client import open_clips
    from trireel_client._command.caption_screen import CaptionScreen

    with (
        _interruptible(clips),
        CaptionScreen(prints_captions=not quiet) as screen,
        open_clips(clips) if clips is not None else nullcontext() as writer,
        closing(client.captions(source, **options)) as events,
    ):
        run = _Run(screen, writer, video)
        for event in events:
            run.take(event)
        return run.reading()


@dataclass
class _Run:
    """The events of one request so far."""

    screen: CaptionScreen
    writer: ClipWriter | None
    video: str
    captions: list[ScreenCaption] = field(default_factory=list)
    report: CaptionReport | None = None
    manifest: ClipManifest | None = None
    written_ms: float = 0.0

    def take(self, event: CaptionEvent) -> None:
        """Show an event, and write it if it is a clip; raises ClipsNotWritten."""
        from trireel_client import CaptionProgress, CaptionReport, Clip, ScreenCaption

        if isinstance(event, ScreenCaption):
            self.captions.append(event)
            self.screen.show_caption(event)
        elif isinstance(event, CaptionProgress):
            self.screen.show_progress(event)
        elif isinstance(event, CaptionReport):
            self.report = event
            if self.writer is not None:
                with self._timed():
                    self.manifest = self.writer.finish(event, self.video)
        elif isinstance(event, Clip) and self.writer is not None:
            with self._timed():
                self.writer.add(event)

    def reading(self) -> Reading:
        """Return what the whole request gave."""
        assert self.report is not None  # a stream ends with it, or with an error
        place = None if self.writer is None else self.writer.place
        # A long text comes late, when the server knows that it is no logo.
        captions = sorted(self.captions, key=lambda caption: caption.start_seconds)
        return Reading(captions, self._with_own_stage(self.report), place, self.manifest)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.written_ms += (time.perf_counter() - begun) * 1e3

    def _with_own_stage(self, report: CaptionReport) -> CaptionReport:
        """Return a report with the stage that writes the clips."""
        from trireel_client import CaptionStage

        if self.writer is None:
            return report
        stage = CaptionStage(
            name=WRITE_STAGE,
            count=self.writer.num_clips,
            busy_ms=self.written_ms,
            wait_ms=0.0,
            starved_ms=max(0.0, report.client_ms - self.written_ms),
        )
        return replace(report, stages=(*report.stages, stage))


def print_reading(reading: Reading, video: str, as_json: bool) -> None:
    """Print the report, or everything as JSON."""
    from trireel_client._command.caption_report import show_report

    if as_json:
        typer.echo(json.dumps(_json_dict(reading), indent=2, ensure_ascii=False))
    else:
        show_report(reading.report, video, reading.place)


def _json_dict(reading: Reading) -> dict[str, Any]:
    from trireel_client._json import plain

    answer = reading.report.to_json_dict(reading.captions)
    if reading.manifest is not None:
        answer["clips"] = {"place": reading.place, "files": plain(reading.manifest.clips)}
    return answer


@contextmanager
def _interruptible(clips: str | None) -> Iterator[None]:
    """End with a sentence after Ctrl-C, and in the same way after SIGTERM."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        left = "" if clips is None else f"; no clip is left in {clips}"
        typer.echo(f"trireel: stopped{left}", err=True)
        raise typer.Exit(130) from interrupt
    finally:
        signal.signal(signal.SIGTERM, before)
