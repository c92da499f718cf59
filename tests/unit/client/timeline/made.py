# SPDX-License-Identifier: Apache-2.0
"""Analyses with scenes at exact times, as a server answers them."""

from collections.abc import Sequence
from fractions import Fraction

from trireel_client import (
    Analysis,
    Caption,
    ChunkAnalysis,
    SceneChange,
    ServerInfo,
    Shot,
    Tag,
    Timing,
)

NTSC_30, NTSC_60 = Fraction(30000, 1001), Fraction(60000, 1001)
ODD_NAMES = ('a "b" & <c>', "it's\na --> b", "קיץ שמח", "🏖️ café", "]]> &amp; %20 #1")


def analysis_of(
    ticks: Sequence[int],
    *,
    time_base: Fraction,
    rate: Fraction | None = None,
    is_vfr: bool = False,
    start_ticks: int = 0,
    captions: Sequence[str] = (),
    tags: Sequence[Sequence[str]] = (),
) -> Analysis:
    """Return an analysis of scenes between these times in units of the time base.

    Args:
        ticks: bounds of the scenes from the video's first frame on.
        start_ticks: PTS of that frame.
    """
    bounds = [float((start_ticks + tick) * time_base) for tick in ticks]
    shots = tuple(
        Shot(
            start_seconds=bounds[i],
            end_seconds=bounds[i + 1],
            tags=tuple(Tag(text, 0.5, 0.5) for text in (tags[i] if tags else ())),
            caption=Caption(captions[i], 0.5, 0.5) if captions else None,
            representative_seconds=bounds[i],
        )
        for i in range(len(bounds) - 1)
    )
    return Analysis(
        stream_id="id",
        start_seconds=bounds[0],
        duration_seconds=bounds[-1] - bounds[0],
        time_base=time_base,
        stream_index=0,
        video_stream_indices=(0,),
        frame_rate=rate,
        is_vfr=is_vfr,
        picture_size_px=(1920, 1080),
        decoder="h264",
        scene_changes=tuple(cut_at(bound) for bound in bounds[1:-1]),
        shots=shots,
        chunks=(chunk_of(bounds, time_base),),
        timing=Timing(1.0, 1.0, 1.0, 1.0, 1.0),
        embedding_dim=8,
        server=ServerInfo("triton", "2.51.0"),
        client_ms=1.0,
    )


def cut_at(seconds: float, kind: str = "cut") -> SceneChange:
    """Return a scene change."""
    return SceneChange(
        timestamp_seconds=seconds,
        score=0.9,
        chunk_index=0,
        frame_index=0,
        kind=kind,
        begin_seconds=seconds,
        end_seconds=seconds,
    )


def chunk_of(bounds: Sequence[float], time_base: Fraction) -> ChunkAnalysis:
    """Return the one chunk of a video with a sampled frame at the begin of each scene."""
    return ChunkAnalysis(
        index=0,
        start_seconds=bounds[0],
        duration_seconds=bounds[-1] - bounds[0],
        frame_timestamps_seconds=tuple(bounds[:-1]),
        frame_pts=tuple(round(Fraction(bound) / time_base) for bound in bounds[:-1]),
        time_base=time_base,
        scene_trace=(0.0,) * (len(bounds) - 1),
        damaged_packets=0,
        num_chunks=1,
    )


def ntsc(frames: Sequence[int], rate: Fraction = NTSC_30, **texts: Sequence) -> Analysis:
    """Return an analysis of scenes between frames of a constant rate."""
    ticks = [frame * rate.denominator for frame in frames]
    return analysis_of(ticks, time_base=Fraction(1, rate.numerator), rate=rate, **texts)
