# SPDX-License-Identifier: Apache-2.0
"""Reading a video stream's packets from a keyframe on, without decoding them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from av.packet import Packet, PacketSideData
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from trireel_backend.extraction.reading.full_decode import Damage
from trireel_backend.extraction.reading.opening import (
    PALETTE,
    OpenedVideo,
    VideoFile,
    can_seek,
    decoder_name,
    further_back,
    open_video,
    seek,
    time_base,
    times_are_guessed,
)

SEEK_AHEAD_SECONDS = 10.0  # a time further on than this is sought, not read up to
NEVER_SECONDS = float("-inf")


class TimesUnknown(Exception):
    """A packet has no PTS, so it cannot be told before decoding when it is on screen."""


@dataclass(slots=True)  # frozen, a hundred thousand of them would take seconds
class TimedPacket:
    """A packet that was read and not yet given to the decoder."""

    packet: "Packet[VideoStream]"
    pts: int
    seconds: float


class PacketReader:
    """An open video whose packets are read in the order they are stored."""

    def __init__(self, file: VideoFile, opened: OpenedVideo | None = None) -> None:
        """Take over an opened file, or open it; raises what `open_video` does."""
        self._file = file
        self._take(opened or open_video(file))
        self._at_start = opened is None
        self._packets: Iterator[Packet[VideoStream]] = iter(())
        self.read_up_to_seconds = NEVER_SECONDS
        """No packet to come is on screen before this."""

    def _take(self, opened: OpenedVideo) -> None:
        self._container, self.stream = opened
        self.time_base = time_base(self.stream)
        self._numerator, self._denominator = self.time_base.as_integer_ratio()
        self._has_palette = self.stream.codec_context.pix_fmt == PALETTE
        self._palette: PacketSideData | None = None

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    @property
    def codec(self) -> VideoCodecContext:
        """The decoder; another one after a `place` that led back to the start."""
        return self.stream.codec_context

    def check_times(self) -> None:
        """Raise TimesUnknown where the container's PTS are not to be believed."""
        if times_are_guessed(self._container, self.stream):
            raise TimesUnknown

    def is_far_ahead(self, seconds: float) -> bool:
        """Tell whether seeking to a time beats reading up to it."""
        return can_seek(self._container) and seconds > self.read_up_to_seconds + SEEK_AHEAD_SECONDS

    def seconds(self, pts: int) -> float:
        """Return a PTS in seconds: the same float as by a Fraction, for a fiftieth of its time."""
        return pts * self._numerator / self._denominator

    def place(self, seconds: float) -> TimedPacket | None:
        """Go to a keyframe from which the frame on screen at a time can be decoded.

        Returns the packet of that keyframe, None where nothing follows.
        """
        back_off_seconds = 0.0
        while True:
            from_start = not seek(self._container, self.stream, seconds - back_off_seconds)
            if from_start and not self._at_start:
                self._container.close()
                self._take(open_video(self._file))
            self._at_start = False
            self.read_up_to_seconds = NEVER_SECONDS
            self._packets = self.demuxed()
            first = self.read()
            while not from_start and first is not None and not first.packet.is_keyframe:
                first = self.read()  # a seek by bytes ends anywhere
            if from_start or (first is not None and first.seconds <= seconds):
                return first
            back_off_seconds = further_back(back_off_seconds)

    def demuxed(self) -> "Iterator[Packet[VideoStream]]":
        """Yield the packets from where the file stands."""
        return self._container.demux(self.stream)

    def read(self) -> TimedPacket | None:
        """Read the next packet; None at the end.

        Raises:
            TimesUnknown: it has no PTS.
        """
        for packet in self._packets:
            if self._has_palette:
                self._keep_palette(packet)
            if packet.pts is None:
                if packet.size == 0:
                    return None  # what PyAV sends at the end
                raise TimesUnknown
            if packet.dts is not None:
                # No frame is shown before it is decoded, and decoding times only go up.
                self.read_up_to_seconds = self.seconds(packet.dts)
            return TimedPacket(packet, packet.pts, self.seconds(packet.pts))
        return None

    def _keep_palette(self, packet: "Packet[VideoStream]") -> None:
        """Give a packet the last palette: the packet that came with it may not be decoded."""
        if packet.has_sidedata("palette"):
            self._palette = packet.get_sidedata("palette")
        elif self._palette is not None:
            packet.set_sidedata(self._palette)


class DecodingReader:
    """An open video of which some packets are decoded, and what its decoder passed over."""

    packets_kind: ClassVar[type[PacketReader]] = PacketReader

    def __init__(self, file: VideoFile, damage: Damage, opened: OpenedVideo | None = None) -> None:
        """Take over an opened file, or open it; raises what `open_video` does."""
        self._packets = self.packets_kind(file, opened)
        self._damage = damage

    def close(self) -> None:
        """Close the file."""
        self._packets.close()

    @property
    def decoder(self) -> str:
        """FFmpeg's name of the decoder."""
        return decoder_name(self._packets.stream)
