# SPDX-License-Identifier: Apache-2.0
"""Tags of any encoding, and tracks that cannot be decoded beside one that can."""

import pytest
from support.extraction import look, sample_chunk, whole
from support.oracle import ffmpeg
from support.videos import number_of, numbered_frame, write_video

from trireel_backend.errors import InvalidInput, NotAVideo

TITLE = "caf\u00e9 \u00fc"
PLACEHOLDER = "CAFXAFEXQ"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    frames = [numbered_frame(number) for number in range(75)]
    return write_video(tmp_path_factory.mktemp("clip") / "clip.mp4", frames)


def tagged(clip, path, value):
    """Remux with a title of some bytes, and a language and a handler of them as well."""
    marks = ("-metadata", f"title={PLACEHOLDER}", "-metadata:s:v:0", f"title={PLACEHOLDER}")
    codec = ("-c:v", "mpeg4") if path.suffix == ".avi" else ("-c", "copy")
    ffmpeg("-i", clip, *codec, *marks, path)
    data = path.read_bytes()
    assert PLACEHOLDER.encode() in data
    path.write_bytes(data.replace(PLACEHOLDER.encode(), value.ljust(len(PLACEHOLDER), b" ")))
    return path


@pytest.mark.parametrize("suffix", ["avi", "mp4", "mov", "mkv", "flv"])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le", "garbage"])
def test_a_tag_of_any_encoding_is_no_reason_to_reject(clip, tmp_path, suffix, encoding):
    value = b"\xff\xfe\x80\xc3\x28" if encoding == "garbage" else TITLE[:4].encode(encoding)
    path = tagged(clip, tmp_path / f"video.{suffix}", value)
    frames = sample_chunk(path, whole(look(path)), 3, 64)
    assert [number_of(pixels) for pixels in frames.pixels] == [12, 37, 62]


@pytest.mark.parametrize("suffix", ["ts", "ogv"])
def test_tags_of_streams_and_services(clip, tmp_path, suffix):
    path = tmp_path / f"video.{suffix}"
    codec = ("-c", "copy") if suffix == "ts" else ("-c:v", "libtheora", "-q:v", "9")
    name = "service_name" if suffix == "ts" else "title"
    ffmpeg("-i", clip, *codec, "-metadata", f"{name}={PLACEHOLDER}", path)
    data = path.read_bytes().replace(PLACEHOLDER.encode(), TITLE.encode("latin-1").ljust(9))
    if suffix == "ts":  # a page's checksum would end the reading of an Ogg file
        path.write_bytes(data)
    assert look(path).duration_seconds == pytest.approx(3.0, abs=0.1)


CODES = {
    "mp4": (b"avc1", b"zzz1"),
    "mov": (b"avc1", b"zzz1"),
    "mkv": (b"V_MPEG4/ISO/AVC", b"V_UNKNOWN/SOMEX"),
    "avi": (b"FMP4", b"zzz1"),
}


def with_unknown(clip, path, unknown):
    """Write a file whose streams have numbers, and their complements; one of no known codec."""
    filters = "[0:v]split[a][b];[a]negate[c]"
    streams = ("[c]", "[b]") if unknown == 0 else ("[b]", "[c]")
    codec = "mpeg4" if path.suffix == ".avi" else "libx264"
    ffmpeg("-i", clip, "-filter_complex", filters, "-map", streams[0], "-map", streams[1],
           "-c:v", codec, "-bf", "0", path)  # fmt: skip
    known, other = CODES[path.suffix[1:]]
    data = path.read_bytes()
    at = data.index(b"stsd") if b"stsd" in data else 0
    for _ in range(unknown + 1):
        at = data.index(known, at + 1)
    if path.suffix == ".avi":  # told twice for each stream: by its header and by its format
        at = [i for i in range(len(data)) if data.startswith(known, i)][2 * unknown]
        data = data[:at] + other + data[at + 4 :]
        at = data.index(known, at)
    path.write_bytes(data[:at] + other + data[at + len(known) :])
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "avi"])
@pytest.mark.parametrize("unknown", [0, 1])
def test_the_track_that_can_be_decoded_is_read(clip, tmp_path, suffix, unknown):
    path = with_unknown(clip, tmp_path / f"two.{suffix}", unknown)
    info = look(path)
    assert (info.stream_index, info.video_stream_indices) == (1 - unknown, (0, 1))
    frames = sample_chunk(path, whole(info), 3, 64)
    assert [number_of(pixels) for pixels in frames.pixels] == [12, 37, 62]


def test_a_track_of_an_unknown_codec_is_refused_by_name(clip, tmp_path):
    path = with_unknown(clip, tmp_path / "two.mp4", 0)
    message = (
        "STREAM_INDEX is 0, a stream of a codec that cannot be decoded here: .* that can are 1"
    )
    with pytest.raises(NotAVideo, match=message):
        look(path, stream_index=0)
    assert look(path, stream_index=1).stream_index == 1
    with pytest.raises(InvalidInput, match="the file's video streams are 0, 1"):
        look(path, stream_index=2)


def test_a_file_of_unknown_codecs_alone_is_refused(clip, tmp_path):
    path = tmp_path / "video.mp4"
    path.write_bytes(clip.read_bytes().replace(b"avc1", b"zzz1"))
    with pytest.raises(NotAVideo, match="of a codec that cannot be decoded here"):
        look(path)
