# SPDX-License-Identifier: Apache-2.0
"""Giving packets to a decoder, and holding the frames that come out of it."""

from collections.abc import Sequence

import av
from av.video.frame import VideoFrame

from trireel_backend.extraction.reading.full_decode import Damage
from trireel_backend.extraction.reading.gaps import Gaps, Keep
from trireel_backend.extraction.reading.opening import OpenedVideo, VideoFile
from trireel_backend.extraction.reading.packets import DecodingReader, TimedPacket

EARLIEST_PTS = -(2**63)
# Decoders that take `skip_frame` from packet to packet; others read it once, if at all.
SKIPPING_DECODERS = frozenset(
    ("h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "vc1", "vp8", "vp9")
)


class FeedingReader(DecodingReader):
    """An open video, and frames that came out of its decoder."""

    def __init__(self, file: VideoFile, damage: Damage, opened: OpenedVideo | None = None) -> None:
        """Take over an opened file, or open it; raises what `open_video` does."""
        super().__init__(file, damage, opened)
        self._can_skip = self._packets.codec.name in SKIPPING_DECODERS
        self._fed: set[int] = set()  # PTS of packets given to the decoder, as far as of interest
        self._frames: dict[int, VideoFrame] = {}  # what came out of it, by PTS, likewise
        self._wanted: set[int] = set()  # PTS of frames that are yet to come out
        self._interesting_from = EARLIEST_PTS  # PTS from which on others may be wanted
        self.gaps = Gaps()
        """What passes by between frames on screen, if it is kept."""
        self._keep_as: Keep | None = None

    def _feed(self, ahead: TimedPacket, *, skip_unreferred: bool) -> None:
        codec = self._packets.codec
        if self._can_skip:
            codec.skip_frame = "NONREF" if skip_unreferred else "DEFAULT"
        if ahead.is_shown:
            self._fed.add(ahead.pts)
        frames = self._packets.decode(ahead)
        if frames is None:
            self._damage.add(ahead.seconds)
        else:
            self._keep(frames)

    def _drain(self) -> None:
        """Take out what the decoder still holds, and make it ready for a keyframe."""
        codec = self._packets.codec
        if self._fed:
            try:
                self._keep(codec.decode(None))
            except av.error.FFmpegError:
                self._damage.add(self._packets.read_up_to_seconds)
        codec.flush_buffers()
        self._fed.clear()

    def _keep(self, frames: Sequence[VideoFrame]) -> None:
        # A frame that is let go at once gives its memory to the next, while it is in the cache.
        for frame in frames:
            pts = frame.pts
            if pts is None:
                continue
            if frame.is_corrupt:
                self._damage.add(self._packets.seconds(pts))
            if pts in self._wanted or pts >= self._interesting_from:
                self._frames[pts] = frame
            if self._keep_as is not None and self.gaps.wants(pts):
                self.gaps.keep(pts, self._keep_as(frame))

    def _forget_before(self, pts: int) -> None:
        self._wanted = {wanted for wanted in self._wanted if wanted >= pts}
        self._fed = {fed for fed in self._fed if fed >= pts}
        self._frames = {out: frame for out, frame in self._frames.items() if out >= pts}
