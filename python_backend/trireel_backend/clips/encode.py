# SPDX-License-Identifier: Apache-2.0
"""One clip: RGB frames to the bytes of a WebM file."""

import errno
import io
import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from trireel_backend.clips.options import CODECS, VP9, ClipOptions
from trireel_backend.clips.times import MS
from trireel_backend.errors import StageFailed

USUAL_FRAME_MS = 100  # of a single frame, which has no next one


def encode_clip(frames: NDArray[np.uint8], times_ms: Sequence[int], options: ClipOptions) -> bytes:
    """Return a WebM file of some frames; the same arguments always give the same bytes.

    The first frame is a keyframe, so the clip plays alone. One thread encodes; encode clips side
    by side to use more.

    Args:
        frames: [f, h, w, 3] RGB, as `check_frames` accepts them.
        times_ms: [f] result of `clip_times_ms`: PTS of the frames in the file.

    Raises:
        StageFailed: if the encoder fails.
        MemoryError: if there is not enough memory.
    """
    file = io.BytesIO()
    try:
        with av.open(file, "w", format="webm", options={"fflags": "+bitexact"}) as container:
            encoder = CODECS[options.codec].encoder
            added = container.add_stream(encoder, _rate(times_ms), _encoder_options(options))
            stream = cast(VideoStream, added)
            _set_up(stream, *frames.shape[1:3])
            for frame in itertools.chain(_video_frames(frames, times_ms), [None]):
                container.mux(stream.encode(frame))
    except av.error.FFmpegError as error:
        if error.errno == errno.ENOMEM:
            raise MemoryError from error
        raise StageFailed(
            f"{len(frames)} frames of {frames.shape[2]} x {frames.shape[1]} cannot be encoded as"
            f" {options.codec}: {error.strerror}"
        ) from error
    return file.getvalue()


def _encoder_options(options: ClipOptions) -> dict[str, str]:
    shared = {"crf": str(options.crf), "flags": "+bitexact"}
    if options.codec == VP9:
        return shared | {"deadline": options.deadline, "cpu-used": str(options.cpu_used)}
    return shared | {"preset": str(options.cpu_used), "svtav1-params": "lp=1"}


def _rate(times_ms: Sequence[int]) -> Fraction:
    """Return the mean frame rate, from which encoders take the usual length of a frame."""
    length_ms = times_ms[-1] - times_ms[0]
    return (
        Fraction(1000 * (len(times_ms) - 1), length_ms) if length_ms else 1 / (USUAL_FRAME_MS * MS)
    )


def _set_up(stream: VideoStream, height_px: int, width_px: int) -> None:
    stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
    stream.bit_rate = 0  # quality alone decides
    context = stream.codec_context
    context.time_base = MS
    context.thread_count = 1
    context.colorspace = int(Colorspace.ITU709)
    context.color_range = int(ColorRange.MPEG)
    context.color_primaries = int(ColorPrimaries.BT709)
    context.color_trc = int(ColorTrc.BT709)


def _video_frames(frames: NDArray[np.uint8], times_ms: Sequence[int]) -> Iterator[av.VideoFrame]:
    reformatter = VideoReformatter()
    for pixels, time_ms in zip(frames, times_ms, strict=True):
        frame = reformatter.reformat(
            av.VideoFrame.from_ndarray(pixels, format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts, frame.time_base = time_ms, MS
        yield frame
