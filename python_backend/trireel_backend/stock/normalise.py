# SPDX-License-Identifier: Apache-2.0
"""Bring videos into one form: square, one frame rate, H.264, without sound."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.filter import Graph

from trireel_backend.errors import NotAVideo

SIZE_PX = 384
FRAME_RATE = Fraction(30)
ENCODER_OPTIONS = {"crf": "23", "preset": "veryfast"}


@dataclass(frozen=True)
class Form:
    """The form of a normalised video."""

    size_px: int = SIZE_PX
    """Width and height in pixels; pictures are squashed, as the tower sees them."""
    frame_rate: Fraction = FRAME_RATE
    """Frames per second."""
    most_seconds: float | None = None
    """Longest duration, after which a video is cut; None for no limit."""


def normalise(source: Path, target: Path, form: Form) -> None:
    """Re-encode a video in one form.

    Raises:
        NotAVideo: if the file has no video stream, or cannot be decoded.
    """
    try:
        with av.open(str(source)) as video, av.open(str(target), "w", format="mp4") as output:
            if not video.streams.video:
                raise NotAVideo(f"{source.name} has no video stream")
            frames = video.decode(video.streams.video[0])
            stream = output.add_stream("libx264", form.frame_rate, options=ENCODER_OPTIONS)
            stream.width = stream.height = form.size_px
            stream.pix_fmt = "yuv420p"
            stream.time_base = 1 / form.frame_rate
            for frame in _filter(frames, video.streams.video[0], form):
                output.mux(stream.encode(frame))
            output.mux(stream.encode())
    except av.error.FFmpegError as error:
        raise NotAVideo(f"{source.name} cannot be decoded: {error}") from error


def _filter(
    frames: Iterator[av.VideoFrame], stream: av.VideoStream, form: Form
) -> Iterator[av.VideoFrame]:
    """Yield frames scaled and resampled to the form's frame rate, counted from 0."""
    graph = Graph()
    node = graph.add_buffer(template=stream)
    steps = [("scale", f"{form.size_px}:{form.size_px}"), ("setsar", "1")]
    steps.append(("fps", f"fps={form.frame_rate}:start_time=0"))
    steps.append(("format", "yuv420p"))
    if form.most_seconds is not None:
        steps.append(("trim", f"duration={form.most_seconds}"))
    for name, arguments in (*steps, ("buffersink", "")):
        step = graph.add(name, arguments or None)
        node.link_to(step)
        node = step
    graph.configure()
    first_pts: int | None = None
    with suppress(av.error.EOFError):  # the graph ends if a longer video is cut
        for frame in frames:
            if frame.pts is None:
                continue
            first_pts = frame.pts if first_pts is None else first_pts
            frame.pts -= first_pts
            graph.push(frame)
            yield from _output_frames(graph)
        graph.push(None)
    yield from _output_frames(graph)


def _output_frames(graph: Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        assert isinstance(frame, av.VideoFrame)
        yield frame
