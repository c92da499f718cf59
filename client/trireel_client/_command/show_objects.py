# SPDX-License-Identifier: Apache-2.0
"""The objects of a video on a terminal: labels on screen, and tracks."""

from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from trireel_client._findings import Objects, TimeSpan

MOST_TRACKS = 30
MOST_SPANS = 6


def object_blocks(objects: Objects) -> Iterator[RenderableType]:
    """Yield a table of the labels on screen, and one of the tracks."""
    yield _labels(objects)
    if objects.tracks:
        yield _tracks(objects)


def object_counts(objects: Objects) -> str:
    """Return the objects in few words: tracks by label, or labels if there are no tracks."""
    if not objects.tracks:
        return ", ".join(on_screen.label for on_screen in objects.labels_on_screen)
    counts = Counter(track.label for track in objects.tracks)
    return ", ".join(
        label if count == 1 else f"{label} x{count}" for label, count in counts.most_common()
    )


def _labels(objects: Objects) -> RenderableType:
    if not objects.labels_on_screen:
        return Text("no objects on any frame", style="dim")
    table = Table("on screen", "seconds", box=None, padding=(0, 2, 0, 0))
    for on_screen in objects.labels_on_screen:
        table.add_row(Text(on_screen.label, "bold"), _spans(on_screen.intervals))
    return table


def _tracks(objects: Objects) -> RenderableType:
    """Return a table of the first tracks; the JSON has all of them."""
    columns = ("track", "label", "seconds", "best score", "best at")
    table = Table(*columns, box=None, padding=(0, 2, 0, 0))
    for track in objects.tracks[:MOST_TRACKS]:
        table.add_row(
            str(track.track_id),
            Text(track.label, "bold"),
            f"{track.start_seconds:.2f}-{track.end_seconds:.2f}",
            f"{track.score:.0%}",
            f"{track.best.timestamp_seconds:.2f} s",
        )
    left_out = len(objects.tracks) - MOST_TRACKS
    if left_out > 0:
        table.caption = f"{left_out} more tracks are in the JSON"
    return table


def _spans(spans: Iterable[TimeSpan]) -> str:
    texts = [f"{span.start_seconds:.2f}-{span.end_seconds:.2f}" for span in spans]
    left_out = len(texts) - MOST_SPANS
    more = f" and {left_out} more" if left_out > 0 else ""
    return ", ".join(texts[:MOST_SPANS]) + more
