# SPDX-License-Identifier: Apache-2.0
"""An analysis on a terminal, for people to read."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from trireel_client._command.caption_lines import caption_line
from trireel_client._command.show_objects import object_blocks
from trireel_client._command.timeline import colours_of_tags, timeline, top_tag
from trireel_client._findings import Caption, Interval, Quality, SceneDescription, Shot, Tag
from trireel_client._guesses import GUESSES, has_guesses, worded
from trireel_client._results import Analysis, ChunkAnalysis, Timing

BAR_COLUMNS = 20
ON_GPU = " (cuda)"  # ends the name of a decoder that is one
TAGS_IN_ROW = 3


def show_analysis(console: Console, video: str, analysis: Analysis) -> None:
    """Print a whole video's analysis."""
    for block in _blocks(video, analysis, console.width):
        console.print(block)
        console.print()


def _blocks(video: str, analysis: Analysis, width: int) -> Iterator[RenderableType]:
    yield _headline(video, analysis)
    if analysis.checkpoint_note:
        yield Text(analysis.checkpoint_note, style="yellow")
    if analysis.tags:
        yield _tags(analysis.tags)
    if analysis.caption is not None:
        yield _caption(analysis.caption)
    if analysis.tags or _has_scenes(analysis):
        yield timeline(analysis, width)
    if analysis.summary:
        yield Text(analysis.summary)
    if analysis.descriptions:
        yield _descriptions(analysis.descriptions)
    if analysis.quality is not None:
        yield _quality(analysis.quality)
    if analysis.objects is not None:
        yield from object_blocks(analysis.objects)
    if analysis.shots:
        yield _scenes(analysis)
    if analysis.captions:
        yield Text("\n".join(map(caption_line, analysis.captions)))
    yield _chunks(analysis.chunks)
    if has_guesses(analysis):
        yield Text(GUESSES, style="dim")
    yield _timing(analysis.timing, analysis.client_ms)


def _has_scenes(analysis: Analysis) -> bool:
    return bool(analysis.chunks[0].scene_trace)


def _headline(video: str, analysis: Analysis) -> Text:
    chunks = _counted(analysis.num_chunks, "chunk")
    facts = [f"{analysis.duration_seconds:.2f} s", chunks]
    if _has_scenes(analysis):
        facts.append(_counted(len(analysis.scene_changes), "cut"))
    facts.append(f"by {analysis.server.name} {analysis.server.version}")
    if analysis.checkpoint:
        facts.append(f"checkpoint {analysis.checkpoint}")
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
            Text(worded(tag), "bold"), _score_bar(tag.score), f"{tag.score:.3f}", _percent(tag)
        )
    return table


def _score_bar(score: float) -> Text:
    columns = round(min(1.0, max(0.0, score)) * BAR_COLUMNS)
    return Text("█" * columns, "cyan").append("░" * (BAR_COLUMNS - columns), "dim")


def _caption(caption: Caption) -> Text:
    quoted = Text(f"“{worded(caption)}”", style="italic")
    return quoted.append(f"  {caption.score:.3f}, {_percent(caption)}", style="not italic dim")


def _descriptions(descriptions: Iterable[SceneDescription]) -> Text:
    lines = []
    for each in descriptions:
        span = f"{each.start_seconds:.2f}-{each.end_seconds:.2f} s  "
        lines.append(Text(span, style="dim").append(each.text, "not dim"))
    return Text("\n").join(lines)


def _quality(quality: Quality) -> Text:
    black = Text("black   ", style="dim").append(_spans(quality.black_intervals), "not dim")
    frozen = Text("frozen  ", style="dim").append(_spans(quality.freeze_intervals), "not dim")
    return Text("\n").join([black, frozen])


def _spans(intervals: Iterable[Interval]) -> str:
    spans = ", ".join(f"{begin:.2f}-{end:.2f}" for begin, end in intervals)
    return f"{spans} s" if spans else "nowhere"


def _scenes(analysis: Analysis) -> RenderableType:
    """Return a table of the scenes: their seconds, how they begin, their tags and captions."""
    kinds = {change.timestamp_seconds: change.kind for change in analysis.scene_changes}
    rows = [_scene_row(shot, kinds.get(shot.start_seconds, "")) for shot in analysis.shots]
    table = Table("scene", *rows[0], box=None, padding=(0, 2, 0, 0))
    for number, row in enumerate(rows, 1):
        table.add_row(str(number), *row.values())
    return table


def _scene_row(shot: Shot, kind: str) -> dict[str, RenderableType]:
    """Return the cells of a scene by the names of their columns."""
    row: dict[str, RenderableType] = {
        "seconds": f"{shot.start_seconds:.2f}-{shot.end_seconds:.2f}",
        "begins with": Text(kind),
    }
    if shot.tags:
        row["tags"] = Text(", ".join(worded(tag) for tag in shot.tags[:TAGS_IN_ROW]))
    if shot.caption is not None:
        row["caption"] = Text(worded(shot.caption))
    return row


def _chunks(chunks: tuple[ChunkAnalysis, ...]) -> RenderableType:
    """Return a table with the columns of those findings that the chunks hold."""
    colours = colours_of_tags(chunks)
    rows = [_chunk_row(chunk, colours) for chunk in chunks]
    table = Table(*rows[0], box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*row.values())
    return table


def _chunk_row(chunk: ChunkAnalysis, colours: Mapping[str, str]) -> dict[str, RenderableType]:
    """Return the cells of a chunk by the names of their columns."""
    row: dict[str, RenderableType] = {
        "seconds": f"{chunk.start_seconds:.1f}-{chunk.end_seconds:.1f}"
    }
    if chunk.tags:
        names = Text(", ".join(worded(tag) for tag in chunk.tags[:TAGS_IN_ROW]))
        names.stylize(colours[top_tag(chunk)], 0, len(top_tag(chunk)))
        row["tags"] = names
    if chunk.caption is not None:
        row["caption"] = Text(worded(chunk.caption))
    if chunk.scene_trace:
        row["cuts"] = ", ".join(f"{cut.timestamp_seconds:.2f}" for cut in chunk.scene_changes)
    if chunk.quality is not None:
        row["black"] = f"{chunk.quality.black_share:.0%}"
        row["frozen"] = f"{chunk.quality.frozen_share:.0%}"
        row["sharpness"] = f"{chunk.quality.sharpness:.1f}"
        row["luma"] = f"{chunk.quality.luma:.1f}"
    return row


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
