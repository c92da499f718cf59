# SPDX-License-Identifier: Apache-2.0
"""Encrypted videos are refused in one sentence, whatever container says that they are."""

import numpy as np
import pytest
from support.extraction import look, sample_chunk, whole
from support.oracle import ffmpeg
from support.videos import number_of, numbered_frame, write_video

from trireel_backend.errors import NotAVideo

SENTENCE = "^the video is encrypted: send one without protection$"
KEY, KEY_ID = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
ENCRYPT = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY, "-encryption_kid", KEY_ID)
FRAGMENTS = ("-movflags", "frag_keyframe+empty_moov+default_base_moof")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    frames = [numbered_frame(number) for number in range(75)]
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames)


def refuse(path, **options):
    with pytest.raises(NotAVideo, match=SENTENCE):
        look(path, **options)


@pytest.mark.parametrize("scheme", [b"cenc", b"cbcs", b"cens", b"cbc1", b"piff"])
@pytest.mark.parametrize("layout", [(), ("-movflags", "+faststart"), FRAGMENTS])
def test_common_encryption_in_mp4(clip, tmp_path, layout, scheme):
    path = tmp_path / "video.mp4"
    ffmpeg("-i", clip, "-c", "copy", *layout, *ENCRYPT, path)
    data = path.read_bytes()
    assert data.count(b"encv") == 1
    path.write_bytes(data.replace(b"schm\0\0\0\0cenc", b"schm\0\0\0\0" + scheme))
    refuse(path)


@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9", "libsvtav1", "mpeg4"])
def test_common_encryption_of_other_codecs(clip, tmp_path, codec):
    path = tmp_path / "video.mp4"
    quiet = ("-x265-params", "log-level=none") if codec == "libx265" else ()
    ffmpeg("-i", clip, "-c:v", codec, *quiet, *ENCRYPT, path)
    assert path.read_bytes().count(b"encv") == 1
    refuse(path)


def test_a_codec_that_cannot_be_told_through_the_encryption(clip, tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(clip.read_bytes().replace(b"avc1\0", b"drmi\0"))
    refuse(path)


def test_encrypted_sound_beside_a_clear_video(clip, tmp_path):
    sound, path = tmp_path / "sound.mp4", tmp_path / "video.mp4"
    ffmpeg("-f", "lavfi", "-i", "sine=d=3", "-c:a", "aac", *ENCRYPT, sound)
    ffmpeg("-i", clip, "-i", sound, "-map", "0:v", "-map", "1:a", "-c", "copy", path)
    data = path.read_bytes()
    path.write_bytes(data.replace(b"mp4a", b"enca"))
    frames = sample_chunk(path, whole(look(path)), 3, 64)
    assert [number_of(pixels) for pixels in frames.pixels] == [12, 37, 62]


def test_the_clear_one_of_two_tracks_can_be_chosen(clip, tmp_path):
    path = tmp_path / "two.mp4"
    ffmpeg("-i", clip, "-i", clip, "-map", "0:v", "-map", "1:v", "-c", "copy", path)
    data = path.read_bytes()
    at = data.index(b"avc1", data.index(b"stsd"))
    path.write_bytes(data[:at] + b"encv" + data[at + 4 :])
    refuse(path, stream_index=0)
    assert look(path, stream_index=1).duration_seconds == pytest.approx(3.0)


def element(identifier, content):
    return bytes.fromhex(identifier) + bytes([0x80 | len(content)]) + content


def content_encodings(*, encrypts, key_id=bytes(range(16))):
    """Return Matroska's description of how blocks are packed."""
    encryption = element("5035", element("47e1", b"\5") + (element("47e2", key_id) * bool(key_id)))
    compression = element("5034", element("4254", b"\3") + element("4255", b""))
    parts = element("5031", b"\0") + element("5032", b"\1") + element("5033", bytes([encrypts]))
    parts += encryption if encrypts else compression
    return element("6d80", element("6240", parts))


def with_encodings(clip, path, encodings):
    """Write the encodings in the place of a track's name, and pad it."""
    name = "N" * 80
    ffmpeg("-i", clip, "-c", "copy", "-metadata:s:v:0", f"title={name}", path)
    data = path.read_bytes()
    old = element("536e", name.encode())
    assert data.count(old) == 1
    padding = len(old) - len(encodings) - 2
    path.write_bytes(data.replace(old, encodings + element("ec", bytes(padding))))
    return path


@pytest.mark.parametrize("key_id", [bytes(range(16)), b""], ids=["key id", "no key id"])
def test_content_encryption_in_matroska(clip, tmp_path, key_id):
    encodings = content_encodings(encrypts=True, key_id=key_id)
    refuse(with_encodings(clip, tmp_path / "video.mkv", encodings))


def test_compressed_blocks_are_not_encrypted_ones(clip, tmp_path):
    path = with_encodings(clip, tmp_path / "video.mkv", content_encodings(encrypts=False))
    assert look(path).duration_seconds == pytest.approx(3.0, abs=0.1)


def transport_packets(path):
    return np.frombuffer(bytearray(path.read_bytes()), np.uint8).reshape(-1, 188)


@pytest.mark.parametrize("size", [188, 192])
@pytest.mark.parametrize("control", [0b10, 0b11])
def test_a_scrambled_transport_stream(clip, tmp_path, size, control):
    path = tmp_path / "video.ts"
    ffmpeg("-i", clip, "-c", "copy", path)
    packets = transport_packets(path)
    identifiers = (packets[:, 1] & 0x1F).astype(int) << 8 | packets[:, 2]
    video = identifiers == 0x100
    packets[video, 3] |= control << 6
    packets[video, 40:] ^= 0x5A
    prefix = np.zeros((len(packets), size - 188), np.uint8)
    path.write_bytes(np.hstack([prefix, packets]).tobytes())
    refuse(path)


def test_a_clear_transport_stream_with_scrambled_sound(clip, tmp_path):
    path = tmp_path / "video.ts"
    ffmpeg("-i", clip, "-f", "lavfi", "-i", "sine=d=3", "-c:v", "copy", "-c:a", "aac", path)
    packets = transport_packets(path)
    sound = ((packets[:, 1] & 0x1F).astype(int) << 8 | packets[:, 2]) == 0x101
    assert sound.any()
    packets[sound, 3] |= 0b10 << 6
    path.write_bytes(packets.tobytes())
    assert look(path).duration_seconds == pytest.approx(3.0, abs=0.1)


def checksum(section):
    """Return the CRC-32 of MPEG-2."""
    crc = 0xFFFFFFFF
    for byte in section:
        crc ^= byte << 24
        for _ in range(8):
            crc = crc << 1 ^ 0x04C11DB7 if crc >> 31 else crc << 1
            crc &= 0xFFFFFFFF
    return crc.to_bytes(4)


def test_a_transport_stream_of_sample_aes(clip, tmp_path):
    """HLS tells it by the type of the stream alone."""
    path = tmp_path / "video.ts"
    ffmpeg("-i", clip, "-c", "copy", path)
    data, at = bytearray(path.read_bytes()), 0
    while (at := data.find(b"\x00\x02\xb0", at)) >= 0:  # a programme's map
        begin = at + 1
        end = begin + 3 + (data[begin + 1] & 0xF << 8 | data[begin + 2])
        section = data[begin : end - 4].replace(b"\x1b\xe1\x00", b"\xdb\xe1\x00")
        data[begin:end] = section + checksum(section)
        at = end
    path.write_bytes(data)
    refuse(path)


def test_a_scrambled_programme_stream(clip, tmp_path):
    path = tmp_path / "video.vob"
    ffmpeg("-i", clip, "-c:v", "mpeg2video", "-f", "vob", path)
    assert look(path).duration_seconds == pytest.approx(3.0, abs=0.1)
    data, at = bytearray(path.read_bytes()), 0
    while (at := data.find(b"\0\0\1\xe0", at)) >= 0:
        data[at + 6] |= 0b01 << 4
        at += 4
    path.write_bytes(data)
    refuse(path)


def test_a_protected_asf(clip, tmp_path):
    path = tmp_path / "video.wmv"
    ffmpeg("-i", clip, "-c:v", "wmv2", path)
    data = bytearray(path.read_bytes())
    texts = [b"\0\0\0\0", b"DRM\0", b"KEYID\0", b"https://license\0"]
    body = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
    identifier = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
    protection = identifier + (24 + len(body)).to_bytes(8, "little") + body
    header_bytes = int.from_bytes(data[16:24], "little")
    data[16:24] = (header_bytes + len(protection)).to_bytes(8, "little")
    data[24:28] = (int.from_bytes(data[24:28], "little") + 1).to_bytes(4, "little")
    data[header_bytes:header_bytes] = protection
    path.write_bytes(data)
    refuse(path)


def test_an_encrypted_mxf(clip, tmp_path):
    path = tmp_path / "video.mxf"
    ffmpeg("-i", clip, "-c:v", "mpeg2video", path)
    assert look(path).duration_seconds == pytest.approx(3.0, abs=0.1)
    essence = bytes.fromhex("060e2b34010201010d010301")
    triplet = bytes.fromhex("060e2b34020401070d010301027e0100")
    data = path.read_bytes()
    at = data.index(essence)
    path.write_bytes(data[:at] + triplet + data[at + len(triplet) :])
    refuse(path)
