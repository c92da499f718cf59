# SPDX-License-Identifier: Apache-2.0
"""Finding the two fields of an H.264 frame that come in a packet each (PAFF)."""

from dataclasses import dataclass

from av.packet import Packet
from av.video.stream import VideoStream

from trireel_backend.extraction.reading.bitstream import START_CODE, PacketHeaders, units

SLICES = (1, 5)  # types of units
SEQUENCE_PARAMETERS = 7
PROFILES_WITH_CHROMA = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
MOST_HEADER_BYTES = 512


@dataclass(frozen=True)
class _Sequence:
    """What a slice's header is read by."""

    frame_number_bits: int
    has_separate_planes: bool


class FieldPairs:
    """Tells if two packets hold the fields of one frame."""

    def __init__(self, sequence: _Sequence, headers: PacketHeaders) -> None:
        self._sequence = sequence
        self._headers = headers

    @classmethod
    def of(cls, stream: VideoStream, headers: PacketHeaders) -> "FieldPairs | None":
        """Return None for a stream that has no field pictures."""
        codec = stream.codec_context
        if codec.codec.canonical_name != "h264":
            return None
        configuration = bytes(codec.extradata or b"")
        for unit in _parameter_sets(configuration):
            if unit[0] & 31 == SEQUENCE_PARAMETERS:
                sequence = _interlaced_sequence(unit)
                return None if sequence is None else cls(sequence, headers)
        return None

    def are_a_pair(self, first: "Packet[VideoStream]", second: "Packet[VideoStream]") -> bool:
        """Tell if a packet holds the second field of the frame that another one began."""
        one, other = self._field(first), self._field(second)
        return (
            one is not None
            and other is not None
            and one[0] == other[0]  # the frame's number
            and one[1] != other[1]  # the top field or the bottom one
        )

    def _field(self, packet: "Packet[VideoStream]") -> tuple[int, int] | None:
        """Return frame number and parity if a packet holds one field, else None."""
        found: tuple[int, int] | None = None
        try:
            for unit in units(memoryview(packet), self._headers.length_bytes):
                if not unit or unit[0] & 31 not in SLICES:
                    continue
                field = self._field_of_slice(unit)
                if field is None or (found is not None and field != found):
                    return None  # a frame, or both fields in one packet
                found = field
        except IndexError:
            return None
        return found

    def _field_of_slice(self, unit: bytes) -> tuple[int, int] | None:
        bits = _Bits(unit[1:])
        for _ in range(3):  # first macroblock, slice type, picture parameters
            bits.exp_golomb()
        if self._sequence.has_separate_planes:
            bits.read(2)
        frame_number = bits.read(self._sequence.frame_number_bits)
        return (frame_number, bits.read(1)) if bits.read(1) else None


def _parameter_sets(configuration: bytes) -> list[bytes]:
    """Return the units of a decoder's configuration, as MP4 or as a bare stream holds it."""
    if configuration[:1] != b"\x01":
        return [unit[:MOST_HEADER_BYTES] for unit in configuration.split(START_CODE)[1:] if unit]
    found, at = [], 6
    for _ in range(configuration[5] & 31 if len(configuration) > 5 else 0):
        size = int.from_bytes(configuration[at : at + 2], "big")
        if size and at + 2 + size <= len(configuration):
            found.append(configuration[at + 2 : at + 2 + size])
        at += 2 + size
    return found


def _interlaced_sequence(unit: bytes) -> _Sequence | None:
    """Read a sequence parameter set; None for frames only."""
    try:
        profile, bits = unit[1], _Bits(unit[4:])
        bits.exp_golomb()  # its id
        has_separate_planes = False
        if profile in PROFILES_WITH_CHROMA:
            has_separate_planes = bits.exp_golomb() == 3 and bool(bits.read(1))
            bits.exp_golomb(), bits.exp_golomb(), bits.read(1)  # depths, bypass
            if bits.read(1):
                return None  # scaling lists are not read
        frame_number_bits = bits.exp_golomb() + 4
        _skip_order_of_pictures(bits)
        bits.exp_golomb(), bits.read(1)  # references, gaps
        bits.exp_golomb(), bits.exp_golomb()  # width, height
        frames_only = bits.read(1)
    except IndexError:
        return None
    return None if frames_only else _Sequence(frame_number_bits, has_separate_planes)


def _skip_order_of_pictures(bits: "_Bits") -> None:
    kind = bits.exp_golomb()
    if kind == 0:
        bits.exp_golomb()
    elif kind == 1:
        bits.read(1)
        bits.exp_golomb(), bits.exp_golomb()
        for _ in range(bits.exp_golomb()):
            bits.exp_golomb()


class _Bits:
    """Bits of a unit, without the bytes that keep start codes out of it."""

    def __init__(self, data: bytes) -> None:
        self._data = data.replace(b"\x00\x00\x03", b"\x00\x00")
        self._at = 0

    def read(self, count: int) -> int:
        """Return an unsigned number; raises IndexError behind the end."""
        value = 0
        for _ in range(count):
            value = value << 1 | self._data[self._at >> 3] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def exp_golomb(self) -> int:
        """Return a number whose leading zeros say how long it is."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)
