# SPDX-License-Identifier: Apache-2.0
"""Sample videos: drawn scenes with hard cuts at known times, and the truth about them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trireel_drawings.places import vocabulary as words
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

SAMPLE_SIZE_PX = (640, 360)
SAMPLE_RATE = Fraction(25)  # frames a second
SAMPLE_SEED = HELD_OUT_SEED + 900_000
SMOOTHNESS = 2  # oversampling of the drawings
X264_OPTIONS = {
    "preset": "slow",
    "crf": "27",
    "x264-params": "threads=1:bframes=3:keyint=100",  # one thread, so that the bytes repeat
}


@dataclass(frozen=True)
class Segment:
    """One take of a video."""

    tag: str
    """Place, one of TAGS."""
    description: str
    """Activity, one of the descriptions of the place."""
    frames: int
    """Number of frames."""
    seed: int
    """Seed of the scene."""


SAMPLE: tuple[Segment, ...] = (
    Segment("city street", words.TRAFFIC, 205, SAMPLE_SEED),
    Segment("kitchen", words.COOKING, 333, SAMPLE_SEED + 1),
    Segment("office", words.TYPING, 121, SAMPLE_SEED + 2),
    Segment("gym", words.LIFTING, 353, SAMPLE_SEED + 3),
    Segment("beach", words.RUNNING, 95, SAMPLE_SEED + 4),
    Segment("warehouse", words.FORKLIFT, 76, SAMPLE_SEED + 5),
    Segment("restaurant", words.SERVING, 92, SAMPLE_SEED + 6),
)
"""Seven places in 51 s; kitchen and gym each fill a 10 s chunk, most others share one."""


def cut_seconds(segments: Sequence[Segment], rate: Fraction = SAMPLE_RATE) -> list[Fraction]:
    """Return the exact times of the start, of every cut and of the end."""
    return [Fraction(0), *(frames / rate for frames in accumulate(s.frames for s in segments))]


def truth(segments: Sequence[Segment], rate: Fraction = SAMPLE_RATE) -> list[dict[str, object]]:
    """Return place and activity of each segment with its times, as the file beside a video."""
    return [
        {
            "start_seconds": float(start),
            "end_seconds": float(end),
            "tag": segment.tag,
            "description": segment.description,
        }
        for segment, (start, end) in zip(
            segments, pairwise(cut_seconds(segments, rate)), strict=True
        )
    ]


def write_video(
    path: Path,
    segments: Sequence[Segment],
    *,
    size_px: tuple[int, int] = SAMPLE_SIZE_PX,
    rate: Fraction = SAMPLE_RATE,
    options: dict[str, str] | None = None,
) -> None:
    """Draw the segments one after another and encode them with H.264 into an MP4 file.

    Args:
        path: The file to write.
        segments: Scenes in order; the cuts between them are hard.
        size_px: (width, height), both even.
        rate: Frames a second.
        options: Options of libx264 instead of X264_OPTIONS.
    """
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options=options or X264_OPTIONS)
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        for image in draw_frames(segments, size_px, rate):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def draw_frames(
    segments: Sequence[Segment], size_px: tuple[int, int], rate: Fraction
) -> Iterator[NDArray[np.uint8]]:
    """Yield every frame (uint8 [H, W, 3], RGB) of the segments in order."""
    for segment in segments:
        scene = draw_scene(segment.seed, segment.tag, segment.description)
        for index in range(segment.frames):
            yield scene.frame(float(index / rate), size_px, oversampling=SMOOTHNESS)


def write_sample(path: Path) -> Path:
    """Write the sample video and, next to it, its truth; return the path of the truth."""
    write_video(path, SAMPLE)
    truth_path = path.with_suffix(".truth.json")
    truth_path.write_text(json.dumps(truth(SAMPLE), indent=2) + "\n", encoding="utf-8")
    return truth_path
