# SPDX-License-Identifier: Apache-2.0
"""One video of `trireel analyze`: the request, its progress, and its answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from trireel_client import Analysis, AnalysisOptions, ChunkAnalysis, TrireelClient
    from trireel_client._results import JsonNames
    from trireel_client._sources import Source


def ask(client: TrireelClient, source: Source, options: AnalysisOptions) -> Analysis:
    """Return the analysis of a video; raises TrireelError."""
    return client.analyze(source, **options)


def follow(client: TrireelClient, source: Source, options: AnalysisOptions) -> Analysis:
    """Stream the analysis of a video and show its progress; raises TrireelError."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from trireel_client import Analysis

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("waiting for the first chunk", total=None)
        for answer in client.stream(source, **options):
            if isinstance(answer, Analysis):
                analysis = answer
            else:
                _advance(progress, task, answer)
    return analysis  # a stream ends with the whole video, or with an error


def _advance(progress: Progress, task: TaskID, chunk: ChunkAnalysis) -> None:
    newest = chunk.tags[0].text if chunk.tags else ""
    progress.update(
        task,
        total=chunk.num_chunks,
        completed=chunk.index + 1,
        description=f"{newest}, up to {chunk.end_seconds:.1f} s",
    )


def print_answer(
    analysis: Analysis, video: str, as_json: bool, output: Path | None, names: JsonNames
) -> None:
    """Print an analysis, and write it to `output`; raises OSError if that fails.

    An analysis that cannot be written is printed as JSON, so that it is not lost.
    """
    from rich.console import Console

    from trireel_client._command.show import show_analysis

    text = json.dumps(analysis.to_json_dict(names), indent=2, ensure_ascii=False)
    failure = None
    try:
        if output is not None:
            output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        failure = error
    if as_json or failure is not None:
        typer.echo(text)
    else:
        show_analysis(Console(), video, analysis)
    if failure is not None:
        raise failure
