# SPDX-License-Identifier: Apache-2.0
"""Reading a video stream's packets from a keyframe on, without decoding them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Final

from av.packet import Packet, PacketSideData
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from trireel_backend.extraction.reading.bitstream import PacketHeaders
from trireel_backend.extraction.reading.clock import Clock
from trireel_backend.extraction.reading.fields import FieldPairs
from trireel_backend.extraction.reading.full_decode import Damage
from trireel_backend.extraction.reading.opening import (
    PALETTE,
    OpenedVideo,
    VideoFile,
    can_seek,
    decode,
    decoder_name,
    further_back,
    open_video,
    seek,
    time_base,
    times_are_guessed,
)

SEEK_AHEAD_SECONDS = 10.0  # a time further on than this is sought, not read up to
RESTART_MARGIN_SECONDS = 1.0
NEVER_SECONDS = float("-inf")
CONFIGURATION: Final = "new_extradata"
"""FFmpeg's name for parameter sets that come with a packet and hold from there on."""


class TimesUnknown(Exception):
    """A packet has no PTS, so it cannot be told before decoding when it is on screen."""


@dataclass(slots=True)  # frozen, a hundred thousand of them would take seconds
class TimedPacket:
    """A packet that was read and not yet given to the decoder."""

    packet: "Packet[VideoStream]"
    pts: int
    seconds: float
    is_keyframe: bool
    is_shown: bool
    configuration: PacketSideData | None
    """The last parameter sets that came up to here, None for those of the file's header."""
    second_field: "Packet[VideoStream] | None" = None
    """The other half of a frame whose fields come in a packet each."""


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
        self._headers = PacketHeaders(self.stream)
        self._fields = FieldPairs.of(self.stream, self._headers)
        self._clock = Clock(*opened) if self._file.has_restarts else None
        self._configuration: PacketSideData | None = None
        self._decoder_configuration: PacketSideData | None = None
        self._peeked: Packet[VideoStream] | None = None
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
        """Raise TimesUnknown if the file's PTS cannot be trusted."""
        if self._file.is_cut_up or times_are_guessed(self._container, self.stream):
            raise TimesUnknown

    def is_far_ahead(self, seconds: float) -> bool:
        """Tell whether seeking to a time beats reading up to it."""
        may_seek = can_seek(self._container) and not self._file.in_order
        return may_seek and seconds > self.read_up_to_seconds + SEEK_AHEAD_SECONDS

    def seconds(self, pts: int) -> float:
        """Return a PTS in seconds: the same float as by a Fraction, for a fiftieth of its time."""
        return pts * self._numerator / self._denominator

    def place(self, seconds: float) -> TimedPacket | None:
        """Go to a keyframe from which the frame on screen at a time can be decoded.

        Returns the packet of that keyframe, None if no packet follows.
        """
        back_off_seconds = 0.0
        while True:
            sought_seconds = seconds - back_off_seconds
            from_start = self._file.in_order or not seek(
                self._container, self.stream, sought_seconds
            )
            if from_start and not self._at_start:
                self._container.close()
                self._take(open_video(self._file))
            self._at_start = False
            self.read_up_to_seconds = NEVER_SECONDS
            self._packets, self._peeked = self.demuxed(), None
            first = self.read()
            from_keyframe = not from_start or self._file.begins_midway
            while from_keyframe and first is not None and not first.is_keyframe:
                first = self.read()  # a seek by bytes ends anywhere
            if from_start or (first is not None and first.seconds <= seconds):
                return first
            back_off_seconds = further_back(back_off_seconds)

    def demuxed(self) -> "Iterator[Packet[VideoStream]]":
        """Yield the packets from the current position of the file on."""
        return self._container.demux(self.stream)

    def read(self) -> TimedPacket | None:
        """Read the next packet; None at the end.

        Raises:
            TimesUnknown: it has no PTS.
        """
        while (packet := self._next_packet()) is not None:
            if packet.pts is None:
                if packet.size == 0:
                    return None  # what PyAV sends at the end
                raise TimesUnknown
            if packet.dts is not None:
                # No frame is shown before it is decoded, and decoding times only go up.
                # After a restart, FFmpeg's are less certain.
                margin_seconds = 0.0 if self._clock is None else RESTART_MARGIN_SECONDS
                self.read_up_to_seconds = self.seconds(packet.dts) - margin_seconds
            if packet.size > 0:  # an empty one repeats the frame before it: Theora, AVI
                return self._timed(packet, packet.pts)
        return None

    def _keep_palette(self, packet: "Packet[VideoStream]") -> None:
        """Give a packet the last palette: the packet that came with it may not be decoded."""
        if packet.has_sidedata("palette"):
            self._palette = packet.get_sidedata("palette")
        elif self._palette is not None:
            packet.set_sidedata(self._palette)

    def _next_packet(self) -> "Packet[VideoStream] | None":
        packet, self._peeked = self._peeked, None
        if packet is None:
            packet = next(self._packets, None)
            if packet is not None and self._has_palette:
                self._keep_palette(packet)
            if packet is not None and self._clock is not None:
                self._clock.correct(packet)
        return packet

    def _timed(self, packet: "Packet[VideoStream]", pts: int) -> TimedPacket:
        # Asking for a kind takes 20 times as long, and packets rarely have side data.
        has_any = next(packet.iter_sidedata(), None) is not None
        if has_any and packet.has_sidedata(CONFIGURATION):
            self._configuration = packet.get_sidedata(CONFIGURATION)
        timed = TimedPacket(
            packet,
            pts,
            self.seconds(pts),
            self._headers.is_keyframe(packet),
            self._headers.is_shown(packet),
            self._configuration,
        )
        if self._fields is not None:
            following = self._next_packet()
            if following is not None and self._fields.are_a_pair(packet, following):
                timed.second_field = following
            else:
                self._peeked = following
        return timed

    def decode(self, timed: TimedPacket) -> Sequence[VideoFrame] | None:
        """Give a packet to the decoder; None if it could make nothing of it.

        Parameter sets that came with a packet that was left out come with this one.
        """
        configuration = timed.configuration
        if configuration is not None and configuration is not self._decoder_configuration:
            timed.packet.set_sidedata(configuration)
        self._decoder_configuration = configuration
        frames = decode(self.codec, timed.packet)
        if timed.second_field is None or frames is None:
            return frames
        more = decode(self.codec, timed.second_field)
        return None if more is None else [*frames, *more]


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

    def has_times(self) -> bool:
        """Return whether the file's PTS can be trusted."""
        try:
            self._packets.check_times()
        except TimesUnknown:
            return False
        return True

    @property
    def decoder(self) -> str:
        """FFmpeg's name of the decoder."""
        return decoder_name(self._packets.stream)

    @property
    def time_base(self) -> Fraction:
        """Unit of the PTS in seconds."""
        return self._packets.time_base
