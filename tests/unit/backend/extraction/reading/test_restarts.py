# SPDX-License-Identifier: Apache-2.0
"""Clocks that begin again, fall back, wrap, are of another age, or begin between keyframes."""

import pytest
from support.extraction import look
from support.full_decode import assert_sampled_as_decoded, decode_fully, plan
from support.odd_files import edit, write_clip

H264 = ("-c:v", "libx264", "-g", "20", "-bf", "2")
MPEG2 = ("-c:v", "mpeg2video", "-g", "15", "-bf", "2")


def joined(tmp_path, suffix, *parts):
    """Encode recordings and put their bytes one behind the other."""
    path = tmp_path / f"joined.{suffix}"
    with path.open("wb") as file:
        for index, (seconds, arguments) in enumerate(parts):
            part = write_clip(tmp_path / f"{index}.{suffix}", seconds, *arguments)
            file.write(part.read_bytes())
    return path


@pytest.mark.parametrize(
    ("suffix", "codec", "offsets"),
    [
        ("ts", H264, (0, 0)),
        ("ts", H264, (5000, 0)),
        ("ts", H264, (20_000, 90_000)),
        ("ts", MPEG2, (7, 3, 1)),
        ("mkv", H264, (0, 0)),
    ],
    ids=["again", "5000 s back", "behind half a wrap", "three recordings", "matroska"],
)
def test_times_that_fall_go_on(tmp_path, suffix, codec, offsets):
    parts = [(2, (*codec, "-output_ts_offset", str(offset))) for offset in offsets]
    path = joined(tmp_path, suffix, *parts)
    info, decoded = look(path), decode_fully(path, rate=25)
    assert info.is_complete
    assert info.duration_seconds == pytest.approx(2.0 * len(offsets), abs=0.05)
    assert len(plan(path, 10.0)) == 1
    assert_sampled_as_decoded(path, decoded)


def test_a_programme_stream_that_begins_again_goes_on(tmp_path):
    path = joined(tmp_path, "mpg", (2, MPEG2), (3, MPEG2))
    info = look(path)
    assert info.duration_seconds == pytest.approx(5.0, abs=0.1)
    assert info.is_complete


@pytest.mark.parametrize("suffix", ["flv", "asf"])
def test_a_recording_that_is_not_read_is_missing(tmp_path, suffix):
    """FFmpeg ends where another file was put behind the first."""
    codec = H264 if suffix == "flv" else ("-c:v", "msmpeg4", "-g", "20")
    assert look(joined(tmp_path, suffix, (2, codec))).is_complete
    info = look(joined(tmp_path, suffix, (2, codec), (2, codec)))
    assert info.duration_seconds == pytest.approx(2.0, abs=0.1)
    assert not info.is_complete


@pytest.mark.parametrize(
    ("suffix", "codec"), [("ts", H264), ("ts", MPEG2), ("mpg", MPEG2)], ids=["h264", "mpeg2", "ps"]
)
def test_a_clock_of_33_bits_wraps(tmp_path, suffix, codec):
    offset = ("-output_ts_offset", "95442.2")  # 2 ** 33 / 90000 is 95443.7
    path = write_clip(tmp_path / f"wrap.{suffix}", 3, *codec, *offset)
    assert look(path).duration_seconds == pytest.approx(3.0, abs=0.05)
    assert_sampled_as_decoded(path, decode_fully(path))


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_times_since_1970(tmp_path, suffix):
    path = write_clip(tmp_path / f"epoch.{suffix}", 3, *H264, "-output_ts_offset", "1700000000")
    info = look(path)
    assert info.start_seconds == pytest.approx(1.7e9, abs=0.2)
    assert info.duration_seconds == pytest.approx(3.0, abs=0.05)
    assert_sampled_as_decoded(path, decode_fully(path))


@pytest.mark.parametrize("codec", [H264, MPEG2], ids=["h264", "mpeg2"])
def test_a_file_begins_between_keyframes(tmp_path, codec):
    path = write_clip(tmp_path / "whole.ts", 4, *codec)
    data, packet_bytes = path.read_bytes(), 188
    tables, cut = 2 * packet_bytes, len(data) // packet_bytes // 4 * packet_bytes
    path.write_bytes(data[:tables] + data[cut:])
    decoded = decode_fully(path)
    assert look(path).start_seconds == decoded.seconds[0]
    assert_sampled_as_decoded(path, decoded)


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4", "mov"])
def test_a_gap_keeps_its_times(tmp_path, suffix):
    """A leap forward is no other clock: nothing is said of what was there."""
    path = tmp_path / f"leap.{suffix}"
    leap = r"setpts=PTS+gte(N\,40)*7200/TB"
    write_clip(path, 3, "-vf", leap, "-fps_mode", "passthrough", *H264)
    info = look(path)
    assert info.duration_seconds == pytest.approx(7203, abs=0.1)
    chunks = plan(path, 10.0)
    assert len(chunks) == 3
    assert chunks[-1].end_seconds == pytest.approx(info.end_seconds, abs=0.5)
    assert_sampled_as_decoded(path, decode_fully(path))


@pytest.mark.parametrize(
    "edits",
    [
        [(1, -1), (2, 1.0)],
        [(1, 2.0), (1, 0.4)],
        [(0.6, 0.4), (0.6, 2.0), (0.8, 3.0)],
        [(2, -1), (1, 0.0), (1.2, 2.4)],
    ],
    ids=["late and cut", "turned round", "three pieces", "late, and a piece left out"],
)
@pytest.mark.parametrize("codec", [H264, ("-c:v", "mpeg4", "-g", "12")], ids=["h264", "mpeg4"])
def test_edits_of_several_entries(tmp_path, codec, edits):
    path = write_clip(tmp_path / "edits.mp4", 4, *codec)
    edit(path, edits)
    info, decoded = look(path), decode_fully(path)
    assert info.is_complete
    shown_seconds = sum(seconds for seconds, begin in edits if begin >= 0)
    assert info.duration_seconds == pytest.approx(shown_seconds, abs=0.15)
    assert_sampled_as_decoded(path, decoded)
