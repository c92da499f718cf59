# SPDX-License-Identifier: Apache-2.0
"""Files as they are met outside: headers that lie, clocks that begin again, a field a packet."""

import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np

X265_QUIET = "log-level=none:keyint=20"


def ffmpeg(*arguments) -> None:
    """Run the ffmpeg command, quietly."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y"]
    subprocess.run([*command, *map(str, arguments)], check=True, capture_output=True, timeout=60)


def write_clip(path: Path, seconds: float, *arguments, size: str = "96x64", more=()) -> Path:
    """Encode a moving test picture at 25 frames a second, with what else `arguments` say."""
    source = ("-f", "lavfi", "-i", f"testsrc2=s={size}:r=25:d={seconds}")
    ffmpeg(*source, *more, "-x265-params", X265_QUIET, "-pix_fmt", "yuv420p", *arguments, path)
    return path


def hide_sync_samples(path: Path) -> None:
    """Take the table of keyframes out of an MP4: then every sample counts as one."""
    data = path.read_bytes()
    assert data.count(b"stss") == 1
    path.write_bytes(data.replace(b"stss", b"free"))


def state_duration(path: Path, seconds: float) -> None:
    """Write a duration into all headers of an MP4; its samples stay as they are."""
    data = bytearray(path.read_bytes())
    (movie_scale,) = struct.unpack_from(">I", data, data.index(b"mvhd") + 4 + 12)
    (media_scale,) = struct.unpack_from(">I", data, data.index(b"mdhd") + 4 + 12)
    places = ((b"mvhd", 16, movie_scale), (b"tkhd", 20, movie_scale), (b"mdhd", 16, media_scale))
    for name, offset, scale in places:
        struct.pack_into(">I", data, data.index(name) + 4 + offset, round(seconds * scale))
    path.write_bytes(bytes(data).replace(b"edts", b"free"))


def edit(path: Path, edits) -> None:
    """Give an MP4 with one track an edit list of (seconds, seconds of the media or -1 for none)."""
    data = bytearray(path.read_bytes())
    (movie_scale,) = struct.unpack_from(">I", data, data.index(b"mvhd") + 4 + 12)
    (media_scale,) = struct.unpack_from(">I", data, data.index(b"mdhd") + 4 + 12)
    entries = b"".join(
        struct.pack(
            ">IiI",
            round(seconds * movie_scale),
            -1 if begin < 0 else round(begin * media_scale),
            1 << 16,
        )
        for seconds, begin in edits
    )
    content = struct.pack(">4sII", b"elst", 0, len(edits)) + entries
    box = struct.pack(">I4sI", len(content) + 12, b"edts", len(content) + 4) + content
    data = bytearray(bytes(data).replace(b"edts", b"free"))
    at = data.index(b"mdia") - 4
    assert data.index(b"moov") > data.index(b"mdat")  # so that no sample moves
    data[at:at] = box
    for name in (b"moov", b"trak"):
        place = data.index(name) - 4
        (size,) = struct.unpack_from(">I", data, place)
        struct.pack_into(">I", data, place, size + len(box))
    path.write_bytes(bytes(data))


def join_flv(parts, path: Path) -> Path:
    """Put FLV files one behind the other, their times going on; parameter sets come once each."""
    joined, offset_ms = bytearray(parts[0].read_bytes()[:13]), 0
    for part in parts:
        data, at, last_ms = part.read_bytes(), 13, 0
        while at < len(data):
            kind, size = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
            time_ms = int.from_bytes(data[at + 4 : at + 7], "big") + offset_ms
            tag = bytearray(data[at : at + 11 + size + 4])
            tag[4:7] = time_ms.to_bytes(3, "big")
            is_end = kind == 9 and size == 5  # an end of sequence
            if kind == 9 and not is_end:
                joined += tag
                last_ms = max(last_ms, time_ms)
            at += 11 + size + 4
        offset_ms = last_ms + 40
    path.write_bytes(bytes(joined))
    return path


class _Bits:
    """Writes the bits of an H.264 unit."""

    def __init__(self) -> None:
        self.bits = ""

    def number(self, value: int, count: int) -> "_Bits":
        self.bits += f"{value:0{count}b}"
        return self

    def exp_golomb(self, *values: int) -> "_Bits":
        for value in values:
            binary = f"{value + 1:b}"
            self.bits += "0" * (len(binary) - 1) + binary
        return self

    def data(self) -> bytes:
        padded = self.bits + "0" * (-len(self.bits) % 8)
        return int(padded, 2).to_bytes(len(padded) // 8, "big")


def _unit(header: int, payload: bytes) -> bytes:
    escaped, zeros = bytearray(), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            escaped.append(3)
            zeros = 0
        escaped.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([header]) + bytes(escaped)


def _parameter_sets() -> bytes:
    sequence = _Bits().number(77, 8).number(0, 8).number(30, 8)  # profile, constraints, level
    sequence.exp_golomb(0, 0, 2, 1).number(0, 1)  # id, bits of frame numbers, order, references
    sequence.exp_golomb(3, 1).number(0b0010, 4).number(0b01, 2)  # 64 x 64, fields; no VUI, stop
    picture = _Bits().exp_golomb(0, 0).number(0, 2).exp_golomb(0, 0, 0).number(0, 3)
    picture.exp_golomb(0, 0, 0).number(0b1001, 4)  # deblocking control; stop bit
    return _unit(0x67, sequence.data()) + _unit(0x68, picture.data())


def _field(frame: int, number: int, is_bottom: bool, luma: np.ndarray) -> bytes:
    """Code a field of 64 x 32 without compression."""
    is_idr = number == 0 and not is_bottom
    slice_ = _Bits().exp_golomb(0, 7, 0).number(number, 4).number(1, 1).number(is_bottom, 1)
    if is_idr:
        slice_.exp_golomb(frame // 16 % 2).number(0, 2)
    else:
        slice_.number(0, 1)
    slice_.exp_golomb(0, 1)  # quantiser, no deblocking
    payload = b""
    for row in range(2):
        for column in range(4):
            slice_.exp_golomb(25)
            payload += slice_.data()
            block = luma[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
            payload += block.tobytes() + bytes([128]) * 128
            slice_ = _Bits()
    return _unit(0x65 if is_idr else 0x61, payload + b"\x80")


def write_fields(path: Path, frames: int) -> Path:
    """Write an MPEG-TS of H.264 whose frames come as two packets, a field each."""
    rng, unit = np.random.default_rng(4), Fraction(1, 90000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for frame in range(frames):
            for field in (0, 1):
                luma = rng.integers(16, 235, (32, 64), np.uint8)
                data = _field(frame, frame % 16, bool(field), luma)
                is_first = frame % 16 == 0 and not field
                packet = av.Packet(_parameter_sets() + data if is_first else data)
                packet.pts = packet.dts = 90000 + frame * 3600 + field * 1800
                packet.time_base, packet.stream = unit, stream
                packet.is_keyframe = is_first
                container.mux(packet)
    return path
