# SPDX-License-Identifier: Apache-2.0
"""Encodes an edit, and reads back the PTS that the file has."""

from fractions import Fraction
from pathlib import Path

import av

from benchmarks.common.footage.clocks import TICK
from benchmarks.common.footage.edit import Edit

X264 = {"preset": "veryfast", "crf": "21", "x264-params": "threads=1:keyint=250:bframes=2"}


def encode(edit: Edit, pts: list[Fraction], video: Path) -> None:
    """Draw and encode all frames."""
    with av.open(str(video), "w", options={"movflags": "+faststart"}) as container:
        rate = Fraction(len(pts), 1) / edit.seconds
        stream = container.add_stream(
            "libx264", rate=rate.limit_denominator(1001), options={**X264, **dict(edit.options)}
        )
        stream.width, stream.height = edit.size_px
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = TICK
        for at, picture in zip(pts, edit.frames(pts), strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = round(at / TICK), TICK
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def read_pts(video: Path) -> list[Fraction]:
    """Return the PTS in seconds of every frame, from a full decode."""
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        return sorted(frame.pts * frame.time_base for frame in container.decode(stream))
