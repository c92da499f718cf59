# SPDX-License-Identifier: Apache-2.0
"""Clips and a report, as a client receives them."""

from fractions import Fraction

from trireel_client import CaptionReport, Clip, ServerInfo, open_clips


def made_clip(index: int, size_bytes: int = 1000) -> Clip:
    """Return a clip of 5 s with bytes of its own."""
    return Clip(
        index=index,
        start_seconds=5.0 * index,
        end_seconds=5.0 * (index + 1),
        num_frames=50,
        data=bytes([index % 256]) * size_bytes,
    )


def write_and_fail(place: object, error: BaseException, count: int = 1, **options: int) -> None:
    """Write some clips, then raise an error."""
    with open_clips(place) as writer:
        for index in range(count):
            writer.add(made_clip(index, **options))
        raise error


def made_report(num_clips: int) -> CaptionReport:
    """Return the report of a video with so many clips."""
    return CaptionReport(
        stream_id="id",
        start_seconds=0.0,
        duration_seconds=5.0 * num_clips,
        time_base=Fraction(1, 12_800),
        region=(0.0, 0.75, 1.0, 0.25),
        picture_size_px=(640, 360),
        is_complete=True,
        num_captions=0,
        num_clips=num_clips,
        num_clip_frames=50 * num_clips,
        stages=(),
        server=ServerInfo("triton", "2.51.0"),
        client_ms=100.0,
    )
