# SPDX-License-Identifier: Apache-2.0
"""Sampling against a full decode that picks by PTS."""

import numpy as np
import pytest
from support.extraction import look, sample_chunk, slot_middles
from support.videos import decode_everything, number_of, numbered_frame, write_audio, write_video

from trireel_backend.errors import NotAVideo
from trireel_backend.plan import Chunk

SIZE_PX = 32
VFR_PTS_MS = [100 * i for i in range(20)] + [2000 + 16 * i for i in range(125)]
B_FRAMES = {"x264-params": "bframes=3:b-pyramid=normal:scenecut=0"}


def noisy(count):
    rng = np.random.default_rng(5)
    return [
        numbered_frame(i % 256) ^ rng.integers(0, 8, (48, 64, 3), np.uint8) for i in range(count)
    ]


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    return {
        "plain": write_video(folder / "plain.mp4", noisy(120)),
        "b_frames": write_video(folder / "b.mp4", noisy(120), gop=60, options=B_FRAMES),
        "one_gop": write_video(folder / "gop.mkv", noisy(120), gop=1000, options=B_FRAMES),
        "variable": write_video(folder / "vfr.mp4", noisy(145), VFR_PTS_MS),
        "late": write_video(folder / "late.mkv", noisy(60), [3000 + 40 * i for i in range(60)]),
        "one_frame": write_video(folder / "one.mp4", noisy(1)),
        "two_frames": write_video(folder / "two.mp4", noisy(2), [0, 900]),
    }


NAMES = ["plain", "b_frames", "one_gop", "variable", "late", "one_frame", "two_frames"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("num_frames", [1, 7, 16])
@pytest.mark.parametrize("part", [(0.0, 1.0), (0.55, 0.2), (0.9, 0.1)])
def test_a_sample_is_the_frame_on_screen_bit_for_bit(videos, name, num_frames, part):
    path = videos[name]
    info, everything = look(path), decode_everything(path, SIZE_PX)
    begin, share = part
    start = info.start_seconds + begin * info.duration_seconds
    chunk = Chunk(0, start, share * info.duration_seconds)
    frames = sample_chunk(path, chunk, num_frames, SIZE_PX)
    times = np.array([time for time, _ in everything])
    for slot, target in enumerate(slot_middles(start, chunk.duration_seconds, num_frames)):
        on_screen = max(0, int(np.searchsorted(times, target, side="right")) - 1)
        assert frames.timestamps_seconds[slot] == times[on_screen]
        np.testing.assert_array_equal(frames.pixels[slot], everything[on_screen][1])


def test_the_picture_is_the_one_its_time_belongs_to(videos):
    frames = sample_chunk(videos["plain"], Chunk(0, 0.0, 4.8), 12, 64)
    expected = np.round(frames.timestamps_seconds * 25).astype(int)
    assert [number_of(pixels) for pixels in frames.pixels] == expected.tolist()


@pytest.mark.parametrize(
    ("name", "start", "duration"),
    [("plain", 0.0, 4.8), ("variable", 0.0, 4.0), ("late", 3.0, 2.4), ("one_frame", 0.0, 0.04)],
)
def test_a_look_tells_start_and_length(videos, name, start, duration):
    info = look(videos[name])
    assert info.start_seconds == pytest.approx(start, abs=0.002)
    assert info.duration_seconds == pytest.approx(duration, abs=0.1)


def test_a_stream_without_times_has_frames_at_a_steady_rate(tmp_path):
    path = write_video(tmp_path / "raw.h264", [numbered_frame(i) for i in range(50)])
    assert look(path).duration_seconds == pytest.approx(2.0)
    frames = sample_chunk(path, Chunk(0, 0.0, 2.0), 10, 64)
    np.testing.assert_allclose(frames.timestamps_seconds, np.arange(0.08, 2, 0.2))
    assert [number_of(pixels) for pixels in frames.pixels] == list(range(2, 50, 5))


def test_the_whole_picture_is_squashed_to_the_square(tmp_path):
    wide = np.zeros((40, 160, 3), np.uint8)
    wide[:, :40], wide[:, 120:] = (255, 0, 0), (0, 0, 255)
    path = write_video(tmp_path / "wide.mp4", [wide] * 3, options={"crf": "1"})
    pixels = sample_chunk(path, Chunk(0, 0.0, 0.1), 1, 32).pixels[0].astype(int)
    assert pixels[16, 2, 0] > 200  # what is at the left edge stays at the left edge
    assert pixels[16, 29, 2] > 200


HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize(
    "content",
    [
        b"hello, I am a text",
        b"",
        b"\0" * 4096,
        HLS.encode(),
        b"ffconcat version 1.0\nfile {target}\n",
    ],
    ids=["text", "empty", "zeros", "hls", "concat"],
)
def test_what_is_not_a_video_is_refused(videos, tmp_path, content):
    path = tmp_path / "upload.mp4"
    path.write_bytes(content.replace(b"{target}", str(videos["plain"]).encode()))
    with pytest.raises(NotAVideo, match="not a video"):
        look(path)


def test_audio_alone_is_refused(tmp_path):
    with pytest.raises(NotAVideo, match="no video stream"):
        look(write_audio(tmp_path / "audio.m4a"))


def test_a_file_whose_frames_are_all_damaged_is_refused(videos, tmp_path):
    data = bytearray(videos["plain"].read_bytes())
    start = data.index(b"mdat") + 4
    end = data.index(b"moov") if data.index(b"moov") > start else len(data)
    data[start : end - 4] = b"\xff" * (end - 4 - start)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(bytes(data))
    with pytest.raises(NotAVideo, match="no frame of it could be decoded"):
        sample_chunk(path, Chunk(0, 0.0, 4.8), 4, SIZE_PX)
