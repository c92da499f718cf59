# SPDX-License-Identifier: Apache-2.0
"""A video as one line of a terminal: its chunks as coloured stretches, its cuts above them."""

from collections.abc import Sequence

from rich.text import Text

from trireel_client._results import Analysis, ChunkAnalysis

COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red", "bright_cyan", "bright_magenta")
CUT_MARK = "▼"


def timeline(analysis: Analysis, width: int) -> Text:
    """Return four lines of `width` columns: the cuts' seconds, their marks, the bar, its scale."""
    span = _Span(analysis.chunks, width)
    times = [cut.timestamp_seconds for cut in analysis.scene_changes]
    start, end = span.start_seconds, span.end_seconds
    scale = f"{start:.1f} s".ljust(width - len(f"{end:.1f} s")) + f"{end:.1f} s"
    return Text("\n").join(
        [
            Text(_labels(times, span), style="bold"),
            Text(_marks(times, span), style="bold red"),
            _bar(analysis.chunks, span),
            Text(scale, style="dim"),
        ]
    )


def colours_of_tags(chunks: Sequence[ChunkAnalysis]) -> dict[str, str]:
    """Return a colour for each top tag of the chunks."""
    tags = dict.fromkeys(top_tag(chunk) for chunk in chunks)
    return {tag: COLOURS[i % len(COLOURS)] for i, tag in enumerate(tags)}


def top_tag(chunk: ChunkAnalysis) -> str:
    """Return a chunk's best tag."""
    return chunk.tags[0].text if chunk.tags else ""


class _Span:
    """The time that a line of `width` columns covers."""

    def __init__(self, chunks: Sequence[ChunkAnalysis], width: int) -> None:
        self.start_seconds = chunks[0].start_seconds
        self.end_seconds = chunks[-1].end_seconds
        self.width = width

    def column(self, seconds: float) -> int:
        """Return the column of a time; that of the end is one past the last."""
        length_seconds = self.end_seconds - self.start_seconds
        share = (seconds - self.start_seconds) / length_seconds if length_seconds > 0 else 0.0
        return min(self.width, max(0, round(share * self.width)))


def _labels(times_seconds: Sequence[float], span: _Span) -> str:
    """Return each cut's seconds over its mark, without a label that would touch the last one."""
    line = ""
    for seconds in times_seconds:
        label = f"{seconds:.1f}"
        column = min(span.column(seconds), span.width - len(label))
        if column > len(line) or not line:
            line = line.ljust(column) + label
    return line


def _marks(times_seconds: Sequence[float], span: _Span) -> str:
    columns = {min(span.column(seconds), span.width - 1) for seconds in times_seconds}
    return "".join(CUT_MARK if i in columns else " " for i in range(span.width)).rstrip()


def _bar(chunks: Sequence[ChunkAnalysis], span: _Span) -> Text:
    colours = colours_of_tags(chunks)
    bar = Text()
    for run in _runs(chunks):
        columns = span.column(run[-1].end_seconds) - len(bar)
        tag = top_tag(run[0])
        label = tag if len(tag) + 2 <= columns else tag[: max(0, columns - 2)]
        bar.append(label.center(max(0, columns)), style=f"black on {colours[tag]}")
    return bar


def _runs(chunks: Sequence[ChunkAnalysis]) -> list[list[ChunkAnalysis]]:
    """Group neighbouring chunks with the same top tag, which share one label."""
    runs: list[list[ChunkAnalysis]] = []
    for chunk in chunks:
        if runs and top_tag(runs[-1][0]) == top_tag(chunk):
            runs[-1].append(chunk)
        else:
            runs.append([chunk])
    return runs
