# SPDX-License-Identifier: Apache-2.0
"""A video with the boxes of its objects, painted on every frame."""

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from trireel_client._errors import (
    InvalidRequest,
    SourceNotFound,
    UnreadableSource,
    Unsupported,
)
from trireel_client._files import whole_file
from trireel_client._findings import Detection, Objects
from trireel_client._objects.encoder import Encoder
from trireel_client._objects.paint import Painter
from trireel_client._objects.requested import detections_by_frame, objects_of, picture_size_of
from trireel_client._objects.upright import UprightPictures
from trireel_client._results import Analysis

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

SUFFIX = ".mp4"
MOST_BACK_SECONDS = 1.0
"""Longest step back of PTS that is a fault of single frames, which are left out."""
PACKAGES = "videos with boxes need PyAV and Pillow: install them with `pip install av pillow`"


def draw_objects(
    analysis: Analysis, video: str | os.PathLike[str], output: str | os.PathLike[str]
) -> None:
    """Write a copy of a video with a box, a label and the id of its track for each object.

    The copy is an MP4 file (H.264) of the upright picture in square pixels. Its frames have the
    video's own times, counted from the first frame; a variable frame rate stays. A box stays until
    the next frame that the detector looked at. Sound is left out. The file appears when it is
    complete.

    Args:
        video: file of this machine that was analysed.
        output: file to write, named *.mp4.

    Raises:
        InvalidRequest: if objects were not requested, or `output` is not named *.mp4.
        SourceError: if the video cannot be read or decoded.
        Unsupported: if PyAV or Pillow is missing, or the server did not report the picture's size.
        OSError: if the output cannot be written.
    """
    check_can_draw()
    objects, size_px = objects_of(analysis), picture_size_of(analysis)
    source, target = Path(video), Path(output)
    check_output(source, target)
    with whole_file(target) as partial:
        _draw(objects, size_px, source, analysis.stream_index, partial)


def check_can_draw() -> None:
    """Raise Unsupported if PyAV or Pillow is not installed."""
    try:
        import av  # noqa: F401
        import PIL.ImageDraw  # noqa: F401
    except ImportError as error:
        raise Unsupported(PACKAGES) from error


def check_output(video: Path, output: Path) -> None:
    """Check the two names; raises InvalidRequest, and SourceNotFound if there is no such video."""
    if output.suffix.lower() != SUFFIX:
        raise InvalidRequest(f"{str(output)!r} is no name of a drawn video: give one in {SUFFIX}")
    if not video.is_file():
        raise SourceNotFound(f"there is no file {str(video)!r} on this machine to paint boxes on")
    if output.exists() and output.samefile(video):
        raise InvalidRequest(f"{str(output)!r} is the video itself: give another name")


def _draw(
    objects: Objects, size_px: tuple[int, int], video: Path, stream_index: int, output: Path
) -> None:
    import av

    painter, pictures, shown = Painter(*size_px), UprightPictures(*size_px), ShownObjects(objects)
    try:
        # A clock that begins again would otherwise be taken for one that wraps after 26 hours.
        options = {"correct_ts_overflow": "0"}
        container = av.open(os.fspath(video), metadata_errors="replace", options=options)
    except av.FFmpegError as error:
        raise UnreadableSource(f"{str(video)!r} cannot be read: {error.strerror}") from error
    with container:
        stream = _stream(container, stream_index, video)
        time_base = stream.time_base or Fraction(1, 1000)
        with Encoder(output, size_px, time_base) as encoder:
            for frame, pts in rising(_frames(container, stream), time_base, video):
                # Half a unit more, since seconds are rounded.
                detections = shown.at(float((pts + Fraction(1, 2)) * time_base))
                encoder.write(painter.paint(pictures.picture(frame), detections), pts)
            if encoder.is_empty:
                raise UnreadableSource(f"no frame of {str(video)!r} can be decoded")


class ShownObjects:
    """The detections that are painted on a frame: those of the last frame looked at."""

    def __init__(self, objects: Objects) -> None:
        self._frames = detections_by_frame(objects)
        self._times = list(self._frames)

    def at(self, seconds: float) -> Sequence[Detection]:
        """Return the detections at a time; none before the first frame looked at."""
        position = bisect_right(self._times, seconds)
        return self._frames[self._times[position - 1]] if position else ()


def _stream(container: "InputContainer", index: int, video: Path) -> "VideoStream":
    for stream in container.streams.video:
        if stream.index == index:
            stream.thread_type = "AUTO"
            return stream
    raise UnreadableSource(f"{str(video)!r} has no video stream {index}, which was analysed")


def rising(
    frames: Iterable["VideoFrame"], time_base: Fraction, video: Path
) -> Iterator[tuple["VideoFrame", int]]:
    """Yield frames with their PTS, which rise; single frames that step back are left out.

    Raises:
        UnreadableSource: if the times begin again.
    """
    last: int | None = None
    for frame in frames:
        if frame.pts is None:
            continue
        if last is None or frame.pts > last:
            last = frame.pts
            yield frame, last
        elif (last - frame.pts) * time_base > MOST_BACK_SECONDS:
            raise UnreadableSource(
                f"the times of {str(video)!r} begin again after {float(last * time_base):.2f} s:"
                " boxes can be painted on files whose times rise"
            )


def _frames(container: "InputContainer", stream: "VideoStream") -> Iterator["VideoFrame"]:
    """Yield all frames of a stream; packets that cannot be decoded are skipped."""
    import av

    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            yield from packet.decode()
        except StopIteration:
            return
        except av.error.InvalidDataError:  # a damaged part
            continue
