# SPDX-License-Identifier: Apache-2.0
"""An analysis on a terminal, for people to read."""

from collections.abc import Iterable, Mapping
from pathlib import PurePath

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from trireel_client._command.timeline import colours_of_tags, timeline, top_tag
from trireel_client._results import Analysis, Caption, ChunkAnalysis, ServerInfo, Tag, Timing

BAR_COLUMNS = 20
ON_GPU = " (cuda)"  # ends the name of a decoder that is one
TAGS_IN_ROW = 3


def show_analysis(console: Console, video: str, analysis: Analysis) -> None:
    """Print a whole video's analysis."""
    for block in (
        _headline(video, analysis),
        _tags(analysis.tags),
        _caption(analysis.caption),
        timeline(analysis, console.width),
        _chunks(analysis.chunks),
        _timing(analysis.timing, analysis.client_ms),
    ):
        console.print(block)
        console.print()


def show_status(
    console: Console, address: str, server: ServerInfo, ready: bool, models: Mapping[str, bool]
) -> None:
    """Print the server's name and which models are ready."""
    headline = Text(f"{server.name} {server.version}", style="bold")
    console.print(
        headline.append(f" at {address}", style="not bold").append(": ").append(_ready(ready))
    )
    table = Table("model", "state", box=None, padding=(0, 2, 0, 0))
    for model, model_ready in models.items():
        table.add_row(model, _ready(model_ready))
    console.print(table)


def _ready(ready: bool) -> Text:
    return Text("ready", "green") if ready else Text("not ready", "red")


def _headline(video: str, analysis: Analysis) -> Text:
    chunks = _counted(analysis.num_chunks, "chunk")
    cuts = _counted(len(analysis.scene_changes), "cut")
    server = analysis.server
    facts = [
        f"{analysis.duration_seconds:.2f} s",
        chunks,
        cuts,
        f"by {server.name} {server.version}",
    ]
    if len(analysis.video_stream_indices) > 1:
        others = ", ".join(str(index) for index in analysis.video_stream_indices)
        facts.append(f"stream {analysis.stream_index} (video streams: {others})")
    if analysis.decoder.endswith(ON_GPU):
        facts.append(f"decoded by {analysis.decoder}")
    # A name that is not UTF-8 cannot be printed as it is.
    name = (PurePath(video).name or video).encode(errors="replace").decode()
    headline = Text(name, style="bold")
    headline.append(f"  {', '.join(facts)}", style="not bold dim")
    for warning in _warnings(analysis):
        headline.append(f"  {warning}", style="not bold yellow")
    return headline


def _warnings(analysis: Analysis) -> Iterable[str]:
    if not analysis.is_complete:
        yield "the file was cut off: this is the part that is there"
    if analysis.damaged_packets:
        yield f"{_counted(analysis.damaged_packets, 'damaged packet')} skipped"


def _tags(tags: Iterable[Tag]) -> RenderableType:
    table = Table("tag", "", "cosine", "probability", box=None, padding=(0, 2, 0, 0))
    for tag in tags:
        table.add_row(
            Text(tag.text, "bold"), _score_bar(tag.score), f"{tag.score:.3f}", _percent(tag)
        )
    return table


def _score_bar(score: float) -> Text:
    columns = round(min(1.0, max(0.0, score)) * BAR_COLUMNS)
    return Text("█" * columns, "cyan").append("░" * (BAR_COLUMNS - columns), "dim")


def _caption(caption: Caption) -> Text:
    quoted = Text(f"“{caption.text}”", style="italic")
    return quoted.append(f"  {caption.score:.3f}, {_percent(caption)}", style="not italic dim")


def _chunks(chunks: tuple[ChunkAnalysis, ...]) -> RenderableType:
    colours = colours_of_tags(chunks)
    table = Table("seconds", "tags", "caption", "cuts", box=None, padding=(0, 2, 0, 0))
    for chunk in chunks:
        span = f"{chunk.start_seconds:.1f}-{chunk.end_seconds:.1f}"
        names = Text(", ".join(tag.text for tag in chunk.tags[:TAGS_IN_ROW]))
        names.stylize(colours[top_tag(chunk)], 0, len(top_tag(chunk)))
        cuts = ", ".join(f"{cut.timestamp_seconds:.2f}" for cut in chunk.scene_changes)
        table.add_row(span, names, Text(chunk.caption.text), cuts)
    return table


def _timing(timing: Timing, client_ms: float) -> RenderableType:
    stages = {
        "fetch": timing.fetch_ms,
        "extract": timing.extract_ms,
        "encode": timing.encode_ms,
        "decode": timing.decode_ms,
        "total": timing.total_ms,
        "round trip": client_ms,
    }
    line = Text("ms  ", style="dim")
    for name, ms in stages.items():
        line.append(f"{name} ", "dim").append(f"{ms:.1f}  ", "not dim")
    return Group(line)


def _percent(text: Tag | Caption) -> str:
    return f"{text.probability:.1%}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
