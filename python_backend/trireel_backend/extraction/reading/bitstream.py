# SPDX-License-Identifier: Apache-2.0
"""Reading from a packet's first bytes if it is a keyframe and if it is shown.

A container's own word is not enough: MP4 files without a table of sync samples call every sample a
keyframe. What decoding begins at has to be one by the codec's own header.
"""

from collections.abc import Callable, Iterator

from av.packet import Packet
from av.video.stream import VideoStream

H264_IDR, H264_SEI = 5, 6
H264_RECOVERY_POINT = 6  # type of SEI payload
HEVC_FIRST_OTHER, HEVC_RANDOM_ACCESS = 32, range(16, 24)  # types of units
HEAD_BYTES = 64  # of a unit or a packet; its header is in there
MPEG4_PICTURE = b"\x00\x00\x01\xb6"
START_CODE = b"\x00\x00\x01"


class PacketHeaders:
    """Reads the headers of one stream's packets."""

    def __init__(self, stream: VideoStream) -> None:
        codec = stream.codec_context
        self._name = codec.codec.canonical_name
        self.length_bytes = _length_bytes(self._name, bytes(codec.extradata or b""))
        """Size of the length before each unit of H.264 and HEVC; 0 if start codes part them."""
        self._is_intra = "Intra" in (codec.profile or "")
        self._has_hidden = self._name in ("vp8", "vp9")

    def is_keyframe(self, packet: "Packet[VideoStream]") -> bool:
        """Tell if both the container and the codec's header call a packet a keyframe."""
        if not packet.is_keyframe:
            return False
        check = _KEYFRAME_CHECKS.get(self._name)
        if check is None or self._is_intra:
            return True
        return check(memoryview(packet), self.length_bytes)

    def is_shown(self, packet: "Packet[VideoStream]") -> bool:
        """Tell if a frame comes on screen by a packet: neither edited out nor an altref frame."""
        if packet.is_discard:
            return False
        if not self._has_hidden:
            return True
        data = memoryview(packet)
        return _vp8_is_shown(data) if self._name == "vp8" else _vp9_is_shown(data)


def units(data: memoryview, length_bytes: int) -> Iterator[bytes]:
    """Yield the first bytes of each unit of an H.264 or HEVC packet."""
    if length_bytes == 0:
        content = bytes(data)
        at = content.find(START_CODE)
        while at >= 0:
            yield content[at + 3 : at + 3 + HEAD_BYTES]
            at = content.find(START_CODE, at + 3)
        return
    at = 0
    while at + length_bytes < len(data):
        size = int.from_bytes(data[at : at + length_bytes], "big")
        at += length_bytes
        yield bytes(data[at : min(at + size, at + HEAD_BYTES)])
        at += size


def _length_bytes(name: str, configuration: bytes) -> int:
    if name == "h264" and len(configuration) > 4 and configuration[0] == 1:
        return (configuration[4] & 3) + 1
    if name == "hevc" and len(configuration) > 21 and configuration[0] == 1:
        return (configuration[21] & 3) + 1
    return 0


def _h264_is_keyframe(data: memoryview, length_bytes: int) -> bool:
    for unit in units(data, length_bytes):
        kind = unit[0] & 31 if unit else 0
        if kind == H264_IDR or (kind == H264_SEI and _has_recovery_point(unit)):
            return True
    return False


def _has_recovery_point(unit: bytes) -> bool:
    at = 1
    while at + 1 < len(unit):
        kind = size = 0
        while at < len(unit) and unit[at] == 255:
            kind, at = kind + 255, at + 1
        kind, at = kind + (unit[at] if at < len(unit) else 0), at + 1
        while at < len(unit) and unit[at] == 255:
            size, at = size + 255, at + 1
        size, at = size + (unit[at] if at < len(unit) else 0), at + 1
        if kind == H264_RECOVERY_POINT:
            return True
        at += size
    return False


def _hevc_is_keyframe(data: memoryview, length_bytes: int) -> bool:
    for unit in units(data, length_bytes):
        kind = unit[0] >> 1 & 63 if unit else HEVC_FIRST_OTHER
        if kind < HEVC_FIRST_OTHER:  # a picture's first slice
            return kind in HEVC_RANDOM_ACCESS
    return False


def _mpeg4_is_keyframe(data: memoryview, _: int) -> bool:
    content = bytes(data)
    at = content.find(MPEG4_PICTURE) + len(MPEG4_PICTURE)
    return len(MPEG4_PICTURE) <= at < len(content) and content[at] >> 6 == 0


def _h263_is_keyframe(data: memoryview, _: int) -> bool:
    is_extended = len(data) > 4 and data[4] >> 2 & 7 == 7  # another header, which is not read
    return is_extended or (len(data) > 4 and not data[4] >> 1 & 1)


def _vp8_is_keyframe(data: memoryview, _: int) -> bool:
    return len(data) > 0 and not data[0] & 1


def _vp8_is_shown(data: memoryview) -> bool:
    return len(data) == 0 or bool(data[0] & 0x10)


def _vp9_is_shown(data: memoryview) -> bool:
    """A superframe, whose last byte says so, always ends with a frame that is shown."""
    if len(data) == 0 or data[-1] & 0xE0 == 0xC0:
        return True
    bits = data[0]
    place = 2 if bits >> 4 & 3 != 3 else 1  # a profile of 3 has a reserved bit more
    shows_existing_frame = bits >> (place + 1) & 1
    return bool(shows_existing_frame or bits >> (place - 1) & 1)


_KEYFRAME_CHECKS: dict[str, Callable[[memoryview, int], bool]] = {
    "h264": _h264_is_keyframe,
    "hevc": _hevc_is_keyframe,
    "mpeg4": _mpeg4_is_keyframe,
    "h263": _h263_is_keyframe,
    "vp8": _vp8_is_keyframe,
}
