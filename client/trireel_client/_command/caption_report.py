# SPDX-License-Identifier: Apache-2.0
"""The report of `trireel captions`: each stage, and the one that bounds the rest."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trireel_client._captions import TOTAL_STAGE, CaptionReport, CaptionStage

ADVICE = {
    "fetch": "put the video where the server reads it faster",
    "extract": "look at fewer frames (--fps), or give the server more extractors",
    "compare": "look at fewer frames (--fps), or at a smaller region (--crop)",
    "read": "look at the captions alone (--crop or --find-region), or serve the models on a GPU",
    "encode": "choose a faster encoder (--clip-cpu-used 8), or give the server more cores: each"
    " encodes a clip",
    "write": "choose a nearer or faster place for the clips",
}
"""What makes a stage faster, by its name."""


def show_report(report: CaptionReport, video: str, place: str | None) -> None:
    """Print the report.

    Args:
        place: where the clips are; None without clips.
    """
    console = Console()
    console.print()
    console.print(Text(_headline(report, video), style="bold"), soft_wrap=True)
    if place is not None:
        clips = _counted(report.num_clips, "clip")
        console.print(
            Text(f"{clips} of {report.num_clip_frames} frames in {place}"), soft_wrap=True
        )
    if not report.is_complete:
        console.print(Text("the file is cut off: this is the part that is there", style="yellow"))
    if report.stages:
        console.print(_table(report))
        console.print(Text(_verdict(report)), soft_wrap=True)


def _headline(report: CaptionReport, video: str) -> str:
    seconds = report.client_ms / 1e3
    speed = report.duration_seconds / seconds if seconds else 0.0
    return (
        f"{video}: {_counted(report.num_captions, 'caption')} in {report.duration_seconds:.1f} s of"
        f" video, read in {seconds:.1f} s ({speed:.1f} x as fast as it plays)"
    )


def _table(report: CaptionReport) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("stage")
    for column in ("count", "per second", "busy", "waited for input", "waited for room"):
        table.add_column(column, justify="right")
    for stage in report.stages:
        if stage.name == TOTAL_STAGE:
            continue
        table.add_row(
            stage.name,
            str(stage.count),
            f"{stage.count / max(report.client_ms / 1e3, 1e-3):.1f}",
            _seconds(stage.busy_ms),
            _seconds(stage.starved_ms),
            _seconds(stage.wait_ms),
        )
    return table


def _verdict(report: CaptionReport) -> str:
    stage = report.bounding_stage
    if stage is None:
        return ""
    advice = ADVICE.get(stage.name)
    more = "" if advice is None else f". To go faster, {advice}"
    return f"{stage.name} bounds the rest{_because(stage, report)}{more}."


def _because(stage: CaptionStage, report: CaptionReport) -> str:
    if stage.waited_ms is None:
        return ": it has the most work"
    share = stage.waited_ms / max(report.client_ms, 1e-3)
    return f": it waited for others for {share:.0%} of the time"


def _seconds(ms: float | None) -> str:
    return "" if ms is None else f"{ms / 1e3:.1f} s"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
