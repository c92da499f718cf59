# SPDX-License-Identifier: Apache-2.0
"""The line on the terminal that a video is drawn as."""

import pytest
from rich.console import Console
from unit.client.scripted import whole_video

from trireel_client import ServerInfo
from trireel_client._command.timeline import timeline
from trireel_client._flows.parse import parse_analysis
from trireel_schema.catalogue import DEFAULT_FINDINGS


def drawn(num_chunks: int, width: int) -> list[str]:
    analysis = parse_analysis(
        whole_video(num_chunks),
        DEFAULT_FINDINGS,
        stream_id="",
        server=ServerInfo("triton", ""),
        client_ms=0.0,
    )
    return timeline(analysis, width).plain.split("\n")


def test_timeline_is_to_scale() -> None:
    labels, marks, bar, scale = drawn(3, 60)
    assert [i for i, mark in enumerate(marks) if mark == "▼"] == [28, 48]  # 13.75 and 23.75 of 30
    assert labels.split() == ["13.8", "23.8"]
    assert labels.index("13.8") == 28
    assert len(bar) == 60
    assert bar.split() == ["beach", "kitchen", "beach"]
    assert scale.startswith("0.0 s")
    assert scale.endswith("30.0 s")
    assert len(scale) == 60


@pytest.mark.parametrize("width", [10, 37, 200])
@pytest.mark.parametrize("num_chunks", [1, 3, 50])
def test_timeline_fits_any_width(num_chunks: int, width: int) -> None:
    for line in drawn(num_chunks, width):
        assert len(line) <= max(width, 14)
    assert len(drawn(num_chunks, width)[2]) == width


def test_timeline_is_coloured() -> None:
    analysis = parse_analysis(
        whole_video(),
        DEFAULT_FINDINGS,
        stream_id="",
        server=ServerInfo("triton", ""),
        client_ms=0.0,
    )
    console = Console(force_terminal=True, color_system="standard", width=60)
    with console.capture() as captured:
        console.print(timeline(analysis, 60))
    assert "\x1b[" in captured.get()
