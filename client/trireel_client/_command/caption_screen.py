# SPDX-License-Identifier: Apache-2.0
"""Captions and the progress of all stages on a terminal, while they come."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from trireel_client._captions import TOTAL_STAGE
from trireel_client._command.caption_lines import caption_line

if TYPE_CHECKING:
    from trireel_client import CaptionProgress, CaptionStage, ScreenCaption

VIDEO = "video"


class CaptionScreen:
    """Captions on standard output; below them, or on standard error, a bar for each stage."""

    def __init__(self, *, prints_captions: bool) -> None:
        """Prepare the screen.

        Args:
            prints_captions: False to show the progress alone, on standard error.
        """
        self._prints = prints_captions
        self._is_one = prints_captions and sys.stdout.isatty()
        console = Console(stderr=not self._is_one)
        self._progress = Progress(
            TextColumn("{task.description:>10}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=console,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not console.is_terminal,
            transient=True,  # the report follows
        )
        self._tasks: dict[str, TaskID] = {}
        self._begun_seconds = time.monotonic()

    def __enter__(self) -> Self:
        self._progress.start()
        self._update(VIDEO, 0.0, None, "waiting for the server")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show_caption(self, caption: ScreenCaption) -> None:
        """Print a caption that has ended."""
        line = caption_line(caption)
        if self._is_one:
            self._progress.console.print(Text(line), soft_wrap=True)
        elif self._prints:
            typer.echo(line)

    def show_progress(self, progress: CaptionProgress) -> None:
        """Show how far the video is, and how busy each stage is."""
        elapsed_seconds = max(1e-3, time.monotonic() - self._begun_seconds)
        if progress.duration_seconds is not None and progress.position_seconds is not None:
            done = max(0.0, progress.position_seconds - (progress.start_seconds or 0.0))
            note = f"{done:.0f} of {progress.duration_seconds:.0f} s"
            note += f", {done / elapsed_seconds:.1f} x as fast as it plays"
            self._update(VIDEO, done, progress.duration_seconds, note)
        for stage in progress.stages:
            if stage.name == TOTAL_STAGE:
                continue
            busy_seconds = min(stage.busy_ms / 1e3, elapsed_seconds)
            self._update(stage.name, busy_seconds, elapsed_seconds, _note(stage, elapsed_seconds))

    def _update(self, name: str, completed: float, total: float | None, note: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=total, note=note)
        self._progress.update(self._tasks[name], completed=completed, total=total, note=note)


def _note(stage: CaptionStage, elapsed_seconds: float) -> str:
    busy = stage.busy_ms / 1e3 / elapsed_seconds
    return f"{busy:4.0%} busy, {stage.count}, {stage.count / elapsed_seconds:.1f}/s"
