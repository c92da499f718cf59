# SPDX-License-Identifier: Apache-2.0
"""Several videos of `trireel analyze`: a line for each, as soon as it is answered."""

from __future__ import annotations

import csv
import enum
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import typer

from trireel_client._command.sentences import sentence
from trireel_client._command.show_objects import object_counts
from trireel_client._command.videos import video_source
from trireel_client._findings import Caption, Objects, Tag
from trireel_client._guesses import worded

if TYPE_CHECKING:
    from trireel_client import Analysis, AnalysisOptions, TrireelClient, TrireelError
    from trireel_client._results import JsonNames

TAGS_IN_LINE = 3
COLUMNS = (
    "video",
    "duration_seconds",
    "num_chunks",
    "num_scene_changes",
    "tags",
    "caption",
    "caption_probability",
    "num_tracks",
    "labels",
    "is_complete",
    "error",
)


class Form(enum.Enum):
    """How the answers are printed."""

    LINES = "lines"
    JSON = "json"
    CSV = "csv"


def analyze_many(
    client: TrireelClient,
    videos: Sequence[str],
    server_path: bool,
    options: AnalysisOptions,
    form: Form,
    output: Path | None,
    names: JsonNames,
) -> None:
    """Analyse videos one after another, and print a line for each.

    A video that cannot be analysed has a line with its error. If the server cannot be used at all,
    the rest of the videos is left out.

    Args:
        server_path: True if the videos are paths in the server's media folder.
        output: file that gets what `form` prints: JSON if it prints lines.
        names: names of the fields of the JSON.

    Raises:
        typer.Exit: with 1 if a video was not analysed.
        TrireelError: if the server cannot be used.
        OSError: if `output` cannot be written.
    """
    failures = 0
    with ExitStack() as stack:
        file = None
        if output is not None:
            file = stack.enter_context(output.open("w", encoding="utf-8", newline=""))
        if form is Form.CSV:
            _print(_csv_line(COLUMNS), file)
        for video, analysis, error in _answers(client, videos, server_path, options):
            failures += error is not None
            _report(video, analysis, error, form, file, names)
    if failures:
        typer.echo(f"trireel: {failures} of {len(videos)} videos were not analysed", err=True)
        raise typer.Exit(1)


def _answers(
    client: TrireelClient, videos: Sequence[str], server_path: bool, options: AnalysisOptions
) -> Iterator[tuple[str, Analysis | None, TrireelError | None]]:
    from trireel_client import NotAllowed, ServerFull, ServerUnavailable, TlsFailed, TrireelError

    for number, video in enumerate(videos):
        try:
            yield video, client.analyze(video_source(video, server_path), **options), None
        except (NotAllowed, TlsFailed, ServerUnavailable) as error:
            if isinstance(error, ServerFull):
                yield video, None, error
                continue
            left = f"{len(videos) - number} of {len(videos)} videos were not analysed"
            raise type(error)(f"{sentence(error)}; {left}") from error
        except TrireelError as error:
            yield video, None, error


def _report(
    video: str,
    analysis: Analysis | None,
    error: TrireelError | None,
    form: Form,
    file: IO[str] | None,
    names: JsonNames,
) -> None:
    """Print the line of one video, and write it to `file`."""
    name = video.encode(errors="replace").decode()  # a name that is not UTF-8 is not text
    reason = "" if error is None else sentence(error)
    if reason:
        typer.echo(f"trireel: {_printable(name)}: {reason}", err=True)
    found = {"error": reason} if analysis is None else analysis.to_json_dict(names)
    json_line = json.dumps({"video": name, **found}, ensure_ascii=False) + "\n"
    if form is Form.CSV:
        _print(_csv_line(_row(name, analysis, reason)), file)
    elif form is Form.JSON:
        _print(json_line, file)
    else:
        if analysis is not None:
            typer.echo(_line(name, analysis))
        if file is not None:
            file.write(json_line)


def _print(line: str, file: IO[str] | None) -> None:
    typer.echo(line, nl=False)
    if file is not None:
        file.write(line)
        file.flush()


def _line(name: str, analysis: Analysis) -> str:
    cuts = len(analysis.scene_changes)
    facts = [f"{analysis.duration_seconds:.2f} s", f"{cuts} cut{'' if cuts == 1 else 's'}"]
    if not analysis.is_complete:
        facts.append("cut off")
    facts += [worded(tag) for tag in analysis.tags[:TAGS_IN_LINE]]
    if analysis.objects is not None:
        facts.append(object_counts(analysis.objects) or "no objects")
    line = f"{name}  {', '.join(facts)}"
    if analysis.caption is not None:
        line += f"  “{worded(analysis.caption)}”"
    return _printable(line)


def _printable(text: str) -> str:
    """Replace what a terminal would obey: names and texts come from others."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _row(name: str, analysis: Analysis | None, reason: str) -> Sequence[Any]:
    if analysis is None:
        return (name, *[""] * (len(COLUMNS) - 2), reason)
    caption: Caption | None = analysis.caption
    tags: Sequence[Tag] = analysis.tags
    objects: Objects | None = analysis.objects
    return (
        name,
        analysis.duration_seconds,
        analysis.num_chunks,
        len(analysis.scene_changes),
        "; ".join(tag.text for tag in tags),
        "" if caption is None else caption.text,
        "" if caption is None else caption.probability,
        "" if objects is None else len(objects.tracks),
        "" if objects is None else "; ".join(each.label for each in objects.labels_on_screen),
        str(analysis.is_complete).lower(),
        "",
    )


def _csv_line(cells: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
