# SPDX-License-Identifier: Apache-2.0
"""Pictures to an MP4 file."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

import numpy as np
from numpy.typing import NDArray

from trireel_client._errors import Unsupported

if TYPE_CHECKING:
    from av.video.stream import VideoStream

# FFmpeg's libraries are built with one of these; the last one is its own.
OPTIONS = {
    "libx264": {"preset": "veryfast", "crf": "20"},
    "libopenh264": {"rc_mode": "quality"},
    "mpeg4": {"qscale": "3"},
}
PIXEL_FORMAT = "yuv420p"  # which all players know
BT709, LIMITED_RANGE = 1, 1  # numbers of FFmpeg's enumerations
NOMINAL_FPS = 25  # the times say what is true


class Encoder:
    """Writes pictures [H, W, 3] of one size with their times, counted from the first one's."""

    def __init__(self, path: Path, size_px: tuple[int, int], time_base: Fraction) -> None:
        """Open a file.

        Args:
            size_px: width and height; odd ones are stored with one pixel more.
            time_base: unit of the PTS in seconds.

        Raises:
            OSError: if the file cannot be made.
            Unsupported: if PyAV has no encoder for it.
        """
        import av
        from av.video.reformatter import VideoReformatter

        self._first_pts: int | None = None
        self._time_base = time_base
        self._size_px = tuple(px + px % 2 for px in size_px)
        self._reformatter = VideoReformatter()
        self._container = av.open(str(path), "w", format="mp4")
        try:
            self._stream = self._added_stream()
        except BaseException:
            self._container.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the file; after an error close it as it is."""
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()

    @property
    def is_empty(self) -> bool:
        """True if no picture has been written."""
        return self._first_pts is None

    def write(self, picture: NDArray[np.uint8], pts: int) -> None:
        """Write the next picture; raises OSError.

        Args:
            picture: [H, W, 3] RGB.
            pts: time of the picture, greater than that of the picture before.
        """
        import av
        from av.video.reformatter import Colorspace

        self._first_pts = pts if self._first_pts is None else self._first_pts
        width_px, height_px = self._size_px
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(picture, format="rgb24"),
            width_px,
            height_px,
            PIXEL_FORMAT,
            dst_colorspace=Colorspace.ITU709,
        )
        frame.pts, frame.time_base = pts - self._first_pts, self._time_base
        self._container.mux(self._stream.encode(frame))

    def _added_stream(self) -> "VideoStream":
        from av.codec import codecs_available

        name = next((name for name in OPTIONS if name in codecs_available), None)
        if name is None:
            raise Unsupported("PyAV has no encoder of H.264 or MPEG-4: install PyAV's own wheel")
        added = self._container.add_stream(name, rate=NOMINAL_FPS, options=OPTIONS[name])
        stream = cast("VideoStream", added)
        stream.width, stream.height = self._size_px
        stream.pix_fmt = PIXEL_FORMAT
        context = stream.codec_context
        context.time_base = self._time_base
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED_RANGE
        return stream
