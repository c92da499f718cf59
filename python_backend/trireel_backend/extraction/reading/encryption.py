# SPDX-License-Identifier: Apache-2.0
"""Telling that a video is encrypted, before a decoder makes gray pictures of it."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from trireel_backend.errors import NotAVideo
from trireel_backend.extraction.reading.boxes import boxes, content, first_box, track_id
from trireel_backend.extraction.reading.ebml import elements, first_number

# Sample entries of ISO/IEC 23001-7 (cenc, cens, cbc1, cbcs), of OMA and of Apple's FairPlay.
ENCRYPTED_SAMPLES = frozenset((b"encv", b"drmi"))
SAMPLE_TABLE = (b"mdia", b"minf", b"stbl", b"stsd")
FULL_BOX_BYTES, ENTRY_COUNT_BYTES = 4, 4
HEAD_BYTES = 188 * 192 * 8  # of transport and programme streams; whole packets of either size
TRANSPORT_SYNC = 0x47
TRANSPORT_PACKETS = ((188, 0), (192, 4), (204, 0))  # size, and where in it the sync byte is
SEGMENT, TRACKS, TRACK_ENTRY = 0x18538067, 0x1654AE6B, 0xAE  # RFC 9559
ENCODINGS, ENCODING, ENCODING_TYPE = 0x6D80, 0x6240, 0x5033
COMPRESSION, ENCRYPTION = 0, 1
APPLE_SAMPLE_AES = 0xDB  # a transport stream's type: H.264 whose slices are encrypted
MXF_ENCRYPTED_TRIPLET = bytes.fromhex("060e2b34020401070d010301027e0100")


def refuse_encrypted(path: Path, container: InputContainer, stream: VideoStream) -> None:
    """Raise NotAVideo if the container says that the stream is encrypted."""
    tell = _TELLERS.get(container.format.name)
    if tell is not None and tell(path, container, stream):
        raise NotAVideo("the video is encrypted: send one without protection")


def _mp4(path: Path, _: InputContainer, stream: VideoStream) -> bool:
    with path.open("rb") as file:
        movie = first_box(file, 0, path.stat().st_size, b"moov")
        if movie is None:
            return False
        for track in boxes(file, movie.begin, movie.end):
            header = first_box(file, track.begin, track.end, b"tkhd")
            if track.kind != b"trak" or header is None:
                continue
            table = first_box(file, track.begin, track.end, *SAMPLE_TABLE)
            if table is None or track_id(content(file, header, 24)) != stream.id:
                continue
            begin = table.begin + FULL_BOX_BYTES + ENTRY_COUNT_BYTES
            return any(entry.kind in ENCRYPTED_SAMPLES for entry in boxes(file, begin, table.end))
    return False


def _matroska(path: Path, _: InputContainer, stream: VideoStream) -> bool:
    if "enc_key_id" in stream.metadata:
        return True
    # FFmpeg tells nothing of an encryption that names no key.
    for segment in elements(_head(path), SEGMENT):
        for tracks in elements(segment, TRACKS):
            entry = next(islice(elements(tracks, TRACK_ENTRY), stream.index, None), b"")
            return any(
                first_number(encoding, ENCODING_TYPE, COMPRESSION) == ENCRYPTION
                for encodings in elements(entry, ENCODINGS)
                for encoding in elements(encodings, ENCODING)
            )
    return False


def _asf(_: Path, container: InputContainer, __: VideoStream) -> bool:
    return any(key.startswith("ASF_Protection_Type") for key in container.metadata)


def _mpegts(path: Path, _: InputContainer, stream: VideoStream) -> bool:
    """Look at the scrambling control of the stream's first packets."""
    if _codec_tag(stream)[0] == APPLE_SAMPLE_AES:
        return True
    head = _head(path)
    for size, sync_at in TRANSPORT_PACKETS:
        packets = np.frombuffer(head, np.uint8)[: len(head) // size * size].reshape(-1, size)
        packets = packets[:, sync_at:]
        in_step = packets[:, 0] == TRANSPORT_SYNC
        if in_step.size and in_step.mean() > 0.9:
            packets = packets[in_step]
            identifiers = (packets[:, 1] & 0x1F).astype(np.int64) << 8 | packets[:, 2]
            scrambled = packets[identifiers == stream.id, 3] >> 6 != 0
            return bool(scrambled.size and scrambled.mean() > 0.5)
    return False


def _codec_tag(stream: VideoStream) -> bytes:
    """Return four bytes: of a transport stream the first is the stream's type."""
    if stream.codec_context is None:  # PyAV's stub says that it is always there
        return bytes(4)
    try:
        return stream.codec_context.codec_tag.encode()
    except UnicodeDecodeError as error:  # PyAV takes it for text
        return bytes(error.object)


def _mpegps(path: Path, _: InputContainer, stream: VideoStream) -> bool:
    """Look at the scrambling control of the stream's first packets, as DVDs have it."""
    head, scrambled, at = _head(path), [], 0
    start_code = b"\0\0\1" + bytes([stream.id & 0xFF])
    while (at := head.find(start_code, at)) >= 0 and at + 6 < len(head):
        flags = head[at + 6]
        if flags >> 6 == 0b10:  # MPEG-2; MPEG-1 knows no encryption
            scrambled.append(flags >> 4 & 0b11 != 0)
        at += 1
    return sum(scrambled) > len(scrambled) / 2


def _mxf(path: Path, _: InputContainer, __: VideoStream) -> bool:
    return MXF_ENCRYPTED_TRIPLET in _head(path)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


_TELLERS: dict[str, Callable[[Path, InputContainer, VideoStream], bool]] = {
    "mov,mp4,m4a,3gp,3g2,mj2": _mp4,
    "matroska,webm": _matroska,
    "asf": _asf,
    "mpegts": _mpegts,
    "mpeg": _mpegps,
    "mxf": _mxf,
}
