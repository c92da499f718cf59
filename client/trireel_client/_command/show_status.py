# SPDX-License-Identifier: Apache-2.0
"""A server on a terminal: which models are ready, and what it analyses videos with."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from trireel_client._servers import ServerDetails, ServerInfo

HASH_CHARACTERS = 12


def show_status(
    console: Console,
    address: str,
    server: ServerInfo,
    ready: bool,
    models: Mapping[str, bool],
    details: ServerDetails | None,
) -> None:
    """Print the server's name, its details if they are known, and which models are ready."""
    headline = Text(f"{server.name} {server.version}", style="bold")
    console.print(
        headline.append(f" at {address}", style="not bold").append(": ").append(_ready(ready))
    )
    if details is not None:
        _show_details(console, details)
    table = Table("model", "state", box=None, padding=(0, 2, 0, 0))
    for model, model_ready in models.items():
        table.add_row(model, _ready(model_ready))
    console.print(table)


def _show_details(console: Console, details: ServerDetails) -> None:
    for note in (details.checkpoint_note, details.detector_note):
        if note:
            console.print(Text(note, style="yellow"))
    tower = f"{details.image_size_px} px, {details.precision}, {details.runtime}"
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for name, value in {
        "trireel": details.version or "version not known",
        "checkpoint": f"{details.checkpoint}, weights {details.weights_sha256[:HASH_CHARACTERS]}",
        "tower": f"{tower}, embeddings {details.embedding_dim} wide",
        "text bank": _text_bank(details),
        "chunks": _chunks(details),
        "findings": ", ".join(details.findings),
        "scenes": f"{', '.join(details.scene_modes)}; threshold {details.scene_threshold:g},"
        f" alpha {details.scene_alpha:g}",
        **_detector(details),
    }.items():
        table.add_row(Text(name, "dim"), Text(value))
    console.print(table)


def _chunks(details: ServerDetails) -> str:
    if details.chunk_seconds is None:
        return "length not known"
    sampling = f"{details.chunk_seconds:g} s, {details.frames_per_chunk} frames"
    return f"{sampling}; FFmpeg {details.ffmpeg_version or 'not known'}"


def _text_bank(details: ServerDetails) -> str:
    sizes = f"{details.num_tags} tags, {details.num_descriptions} descriptions"
    digest = details.text_bank_sha256[:HASH_CHARACTERS]
    prompt = f"; tags read as {details.tag_prompt!r}" if details.tag_prompt != "{}" else ""
    return (f"{sizes}, hash {digest}" if digest else sizes) + prompt


def _detector(details: ServerDetails) -> Mapping[str, str]:
    if not details.detector:
        return {}
    return {
        "detector": f"{details.detector}, threshold {details.detector_threshold:g}",
        "labels": ", ".join(details.detector_labels),
    }


def _ready(ready: bool) -> Text:
    return Text("ready", "green") if ready else Text("not ready", "red")
