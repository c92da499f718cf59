# SPDX-License-Identifier: Apache-2.0
"""Alpha that a video keeps beside its colours, as a second video.

WebM keeps it in additions to the blocks of VP8 and VP9; an animated AVIF in a second track. It is
read as a video of its own, so that seeking and skipping hold for it as for the colours.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Literal, cast

from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from trireel_backend.extraction.reading.full_decode import Damage, TimedFrame
from trireel_backend.extraction.reading.heif import alpha_track
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.reading.packets import PacketReader, TimesUnknown
from trireel_backend.extraction.reading.reader import FrameReader

ADDITION: Literal["matroska_block_additional"] = "matroska_block_additional"
ADDITION_ID_BYTES = 8
ALPHA_ID = 1
CODECS_WITH_ADDITIONS = ("vp8", "vp9")


class AlphaReader:
    """Finds the alpha of frames of a video, in mostly ascending order."""

    def __init__(self, file: VideoFile, *, in_additions: bool) -> None:
        """Open the file once more.

        Args:
            file: its stream is the one with the alpha.
            in_additions: the alpha is in additions to the packets of colours.
        """
        kind = _AdditionsReader if in_additions else FrameReader
        self._reader = kind(file, Damage())

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def alpha_of(self, timed: TimedFrame) -> VideoFrame | None:
        """Return the frame whose first plane is the alpha of a frame of colours, if it has any."""
        with suppress(TimesUnknown):  # a damaged packet: the colours are there
            for _, alpha in self._reader.frames_on_screen([timed.seconds]):
                if alpha is not None and alpha.seconds == timed.seconds:
                    return alpha.frame
        return None


class _AlphaPackets(PacketReader):
    """The additions to a stream's packets, as packets."""

    def demuxed(self) -> "Iterator[Packet[VideoStream]]":
        """Yield a packet for each addition that is alpha."""
        for packet in super().demuxed():
            if packet.size == 0:
                yield packet  # what PyAV sends at the end
                continue
            data = _alpha_of(packet)
            if data:
                alpha = cast("Packet[VideoStream]", Packet(data))
                alpha.pts, alpha.dts, alpha.time_base = packet.pts, packet.dts, packet.time_base
                alpha.stream = packet.stream
                alpha.is_keyframe = _is_keyframe(data, self.codec.name)
                yield alpha


class _AdditionsReader(FrameReader):
    """Finds frames of the additions to a stream's packets."""

    packets_kind = _AlphaPackets


def alpha_reader(
    file: VideoFile, container: InputContainer, stream: VideoStream
) -> AlphaReader | None:
    """Return what reads a stream's alpha; None if it has none beside its colours."""
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    if tags.get("alpha_mode") == "1" and stream.codec_context.name in CODECS_WITH_ADDITIONS:
        own = replace(file, stream_index=stream.index, on_gpu=False)
        return AlphaReader(own, in_additions=True)
    track = alpha_track(file.path, stream.id)
    index = next((s.index for s in container.streams.video if s.id == track and s.frames > 1), None)
    if track is None or index is None:
        return None
    return AlphaReader(replace(file, stream_index=index, on_gpu=False), in_additions=False)


def _alpha_of(packet: "Packet[VideoStream]") -> bytes:
    if not packet.has_sidedata(ADDITION):
        return b""
    addition = bytes(packet.get_sidedata(ADDITION))
    identifier, data = addition[:ADDITION_ID_BYTES], addition[ADDITION_ID_BYTES:]
    return data if int.from_bytes(identifier) == ALPHA_ID else b""


def _is_keyframe(data: bytes, codec: str) -> bool:
    """Read the kind of a VP8 (RFC 6386, 9.1) or VP9 (its specification, 6.2) frame."""
    first = data[0]
    if codec == "vp8":
        return not first & 1
    profile = (first >> 5 & 1) | (first >> 4 & 1) << 1
    bits = first << 1 & 0xFF if profile == 3 else first  # which has one more, reserved
    shows_existing, is_inter = bits >> 3 & 1, bits >> 2 & 1
    return not shows_existing and not is_inter
