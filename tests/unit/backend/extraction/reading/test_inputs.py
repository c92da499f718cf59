# SPDX-License-Identifier: Apache-2.0
"""How files come about: cut, piped, joined, damaged, with several streams, or with none."""

import subprocess
from bisect import bisect_right
from fractions import Fraction

import av
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image
from support.extraction import look, sample_chunk, slot_middles, whole
from support.videos import (
    decode_everything,
    keyframe_seconds,
    number_of,
    numbered_frame,
    write_video,
)

from trireel_backend.errors import InvalidInput, NotAVideo, TooMuchWork
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling

B_FRAMES = {"x264-params": "bframes=3:b-pyramid=normal:scenecut=0"}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """10 s of numbered frames, with B-frames and a keyframe every 2 s."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return write_video(path, [numbered_frame(i) for i in range(250)], gop=50, options=B_FRAMES)


def ffmpeg(*arguments):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y"]
    command += [str(argument) for argument in arguments]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def numbers(frames):
    return [number_of(pixels) for pixels in frames.pixels]


def assert_as_a_full_decode(path, num_frames=16):
    """Compare the whole video as one chunk, and in parts, with what a full decode shows."""
    info, everything = look(path), decode_everything(path, 64)
    times = [seconds for seconds, _ in everything]
    for chunk in (whole(info), Chunk(0, info.start_seconds + 1.1, 3.0)):
        frames = sample_chunk(path, chunk, num_frames, 64)
        middles = slot_middles(chunk.start_seconds, chunk.duration_seconds, num_frames)
        for slot, middle in enumerate(middles):
            seconds, pixels = everything[max(0, bisect_right(times, middle) - 1)]
            assert frames.timestamps_seconds[slot] == seconds
            np.testing.assert_array_equal(frames.pixels[slot], pixels)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts", "flv"])
def test_a_cut_without_encoding(clip, tmp_path, suffix):
    """In MP4 an edit list hides what leads up to the cut; elsewhere it is there, before 0."""
    path = tmp_path / f"cut.{suffix}"
    ffmpeg("-ss", "1.3", "-i", clip, "-t", "6", "-c", "copy", path)
    assert_as_a_full_decode(path)
    assert look(path).is_complete


def test_a_delayed_start(clip, tmp_path):
    path = tmp_path / "late.mp4"
    ffmpeg("-itsoffset", "4", "-i", clip, "-c", "copy", path)
    info = look(path)
    assert info.start_seconds == pytest.approx(4.0, abs=0.1)
    assert info.duration_seconds == pytest.approx(10.0, abs=0.1)
    assert_as_a_full_decode(path)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "webm", "flv", "ts"])
def test_a_file_that_begins_late_is_complete(tmp_path, suffix):
    codec = "libvpx" if suffix == "webm" else "libx264"
    pictures = [numbered_frame(i) for i in range(100)]
    times = [30_000 + 40 * i for i in range(100)]
    info = look(write_video(tmp_path / f"late.{suffix}", pictures, times, codec=codec))
    assert info.is_complete
    assert info.start_seconds == pytest.approx(30.0, abs=0.1)
    assert info.duration_seconds == pytest.approx(4.0, abs=0.1)


def test_frames_before_zero_and_b_frames_at_a_cut(clip, tmp_path):
    path = tmp_path / "open.ts"
    ffmpeg("-ss", "2.5", "-i", clip, "-c", "copy", "-copyts", "-avoid_negative_ts", "disabled",
           "-output_ts_offset", "-3", "-muxdelay", "0", path)  # fmt: skip
    assert look(path).start_seconds < 0
    assert_as_a_full_decode(path)


@pytest.mark.parametrize(
    ("muxer", "codec"), [("webm", "libvpx"), ("matroska", "libx264"), ("mpegts", "libx264")]
)
def test_a_piped_file_states_no_duration(clip, tmp_path, muxer, codec):
    path = tmp_path / "piped"
    path.write_bytes(ffmpeg("-i", clip, "-c:v", codec, "-f", muxer, "pipe:1"))
    if muxer != "mpegts":
        with av.open(str(path)) as container:
            assert container.duration is None
    info = look(path)
    assert info.duration_seconds == pytest.approx(10.0, abs=0.1)
    assert info.is_complete
    shown = numbers(sample_chunk(path, whole(info), 4, 64))
    np.testing.assert_allclose(shown, [31, 93, 156, 218], atol=1)


def test_a_fragmented_mp4(clip, tmp_path):
    path = tmp_path / "fragmented.mp4"
    movflags = "frag_keyframe+empty_moov+default_base_moof"
    path.write_bytes(ffmpeg("-i", clip, "-c", "copy", "-movflags", movflags, "-f", "mp4", "pipe:1"))
    info = look(path)
    assert info.duration_seconds == pytest.approx(10.0, abs=0.1)
    assert_as_a_full_decode(path)


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_an_animation_is_a_video(tmp_path, suffix):
    path = tmp_path / f"animation.{suffix}"
    pictures = [Image.fromarray(numbered_frame(number)) for number in range(20)]
    durations = [100] * 10 + [300] * 10
    options = {"lossless": True} if suffix == "webp" else {}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, **options)
    info = look(path)
    assert info.duration_seconds == pytest.approx(4.0, abs=0.25)  # GIF's last frame has no end
    frames = sample_chunk(path, Chunk(0, 0.0, 4.0), 8, 64)
    assert numbers(frames) == [2, 7, 10, 12, 14, 15, 17, 19]
    starts = [0.2, 0.7, 1.0, 1.6, 2.2, 2.5, 3.1, 3.7]
    np.testing.assert_allclose(frames.timestamps_seconds, starts)


def test_an_animation_has_limits(tmp_path):
    path = tmp_path / "animation.webp"
    rng = np.random.default_rng(0)
    pictures = [Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8)) for _ in range(20)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100, lossless=True)
    with pytest.raises(TooMuchWork, match="the animation has 20 frames of 64 x 48"):
        look(path, max_video_pixels=64 * 48 * 19)
    with pytest.raises(TooMuchWork, match="at most 3,071 pixels a frame"):
        look(path, max_frame_pixels=64 * 48 - 1)
    data = path.read_bytes()
    for size in (len(data) // 2, 40):  # libwebp wants all of it
        path.write_bytes(data[:size])
        with pytest.raises(NotAVideo, match="an animated WebP, but a damaged one"):
            look(path)


def test_an_animation_has_one_stream_and_a_largest_size(tmp_path):
    path = tmp_path / "animation.webp"
    first, second = Image.new("RGB", (8, 8)), Image.new("RGB", (8, 8), (9, 9, 9))
    first.save(path, save_all=True, append_images=[second], duration=100, lossless=True)
    with pytest.raises(InvalidInput, match="STREAM_INDEX is 7: an animated WebP has stream 0"):
        look(path, stream_index=7)
    data = bytearray(path.read_bytes())
    data[24:30] = (16000).to_bytes(3, "little") * 2  # the canvas, less one
    path.write_bytes(bytes(data))
    with pytest.raises((TooMuchWork, NotAVideo), match=r"too large|at most|damaged"):
        look(path)


def test_an_animation_ends_where_it_is_damaged(tmp_path):
    path = tmp_path / "animation.webp"
    rng = np.random.default_rng(0)
    pictures = [Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8)) for _ in range(20)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100, lossless=True)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"VP8L") + 13  # behind its own header
    data[at : at + 4000] = bytes(4000)
    path.write_bytes(bytes(data))
    info = look(path)
    assert not info.is_complete
    assert info.duration_seconds == pytest.approx(1.9)
    assert len(sample_chunk(path, Chunk(0, 0.0, 2.0), 10, 64).pts) == 10


def test_the_shape_of_pixels_changes_nothing(clip, tmp_path):
    """The whole picture is squashed to a square, whatever shape it has on a screen."""
    path = tmp_path / "anamorphic.mkv"
    ffmpeg("-i", clip, "-c", "copy", "-aspect", "2:1", path)
    with av.open(str(path)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(3, 2)
    anamorphic, plain = (sample_chunk(p, whole(look(p)), 4, 32) for p in (path, clip))
    np.testing.assert_array_equal(anamorphic.pixels, plain.pixels)


@pytest.fixture(scope="module")
def two_streams(clip, tmp_path_factory):
    """Sound, a video of inverted numbers, and the clip: that is the default one."""
    path = tmp_path_factory.mktemp("streams") / "two.mkv"
    ffmpeg("-f", "lavfi", "-i", "sine=d=10", "-i", clip, "-filter_complex", "[1:v]negate[n]",
           "-map", "0:a", "-map", "[n]", "-map", "1:v", "-disposition:v:0", "0",
           "-disposition:v:1", "default", path)  # fmt: skip
    return path


def test_the_default_one_of_several_streams_is_read(two_streams):
    info = look(two_streams)
    assert (info.stream_index, info.video_stream_indices) == (2, (1, 2))
    assert numbers(sample_chunk(two_streams, whole(info), 3, 64)) == [41, 125, 208]


def test_another_stream_can_be_chosen(two_streams):
    info = look(two_streams, stream_index=1)
    assert (info.stream_index, info.video_stream_indices) == (1, (1, 2))
    frames = sample_chunk(two_streams, whole(info), 3, 64, stream_index=1)
    assert [255 - number for number in numbers(frames)] == [41, 125, 208]


@pytest.mark.parametrize("index", [0, 3, -1])
def test_a_stream_that_is_no_video_is_refused(two_streams, index):
    message = f"STREAM_INDEX is {index}: the file's video streams are 1, 2"
    with pytest.raises(InvalidInput, match=message):
        look(two_streams, stream_index=index)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "flv"])
def test_the_last_good_time_of_a_file_with_sound_that_was_cut_off(clip, tmp_path, suffix):
    path = tmp_path / f"whole.{suffix}"
    flags = ("-movflags", "+faststart") if suffix == "mp4" else ()
    ffmpeg(
        "-f", "lavfi", "-i", "sine=d=10", "-i", clip, "-c:v", "copy", "-c:a", "aac", *flags, path
    )
    assert look(path).is_complete
    half = tmp_path / f"half.{suffix}"
    half.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    info = look(half)
    assert not info.is_complete
    assert 2 < info.end_seconds < 8
    frames = sample_chunk(half, whole(info), 10, 64)
    due = np.round((frames.timestamps_seconds - look(path).start_seconds) * 25).astype(int)
    assert numbers(frames) == due.tolist()
    assert frames.timestamps_seconds[-1] <= info.end_seconds


def damaged(clip, path, which):
    """Overwrite the packets of some numbers; return their times."""
    data, seconds = bytearray(clip.read_bytes()), []
    with av.open(str(clip)) as container:
        for index, packet in enumerate(container.demux(video=0)):
            if index in which:
                begin = data.index(bytes(packet))
                data[begin : begin + packet.size] = b"\x7f" * packet.size
                seconds.append(float(packet.pts * packet.time_base))
    path.write_bytes(bytes(data))
    return seconds


def test_damaged_packets_are_passed_over_and_counted(clip, tmp_path):
    path = tmp_path / "damaged.mp4"
    seconds = damaged(clip, path, {60, 61, 62, 120})
    assert look(path).is_complete
    for start in (0.0, 2.0, 4.0, 6.0):
        frames = sample_chunk(path, Chunk(0, start, 2.0), 50, 64)  # every frame is wanted
        assert frames.damaged_packets == sum(start <= time < start + 2 for time in seconds)
        due = np.round(frames.timestamps_seconds * 25).astype(int)
        right = np.array(numbers(frames)) == due
        # What follows refers to the damaged ones, up to a keyframe; B-frames refer ahead.
        first = min([time for time in seconds if time >= start], default=9)
        assert right[frames.timestamps_seconds < first - 0.2].all()


def test_damage_on_the_way_to_a_chunk_counts(tmp_path):
    """Its frames refer to what was damaged before it."""
    pictures = [numbered_frame(i % 256) for i in range(150)]
    clip = write_video(tmp_path / "whole.mp4", pictures, gop=1000, options={"bf": "0"})
    path = tmp_path / "damaged.mp4"
    (seconds,) = damaged(clip, path, {40})
    assert seconds < 2
    assert sample_chunk(path, Chunk(0, 2.0, 2.0), 8, 64).damaged_packets == 1
    assert sample_chunk(path, Chunk(0, 0.0, 1.0), 8, 64).damaged_packets == 0


def test_a_packet_without_a_time_spoils_no_other_chunk(tmp_path):
    pictures = [numbered_frame(i) for i in range(250)]
    path = write_video(tmp_path / "whole.ts", pictures, gop=50, options={"bf": "0"})
    data, found = bytearray(path.read_bytes()), 0
    for at in range(0, len(data), 188):  # packets of the transport stream
        begin = data.find(b"\x00\x00\x01\xe0", at, at + 188)
        if begin >= 0:
            found += 1
            if found == 130:  # a PES packet's flags: no PTS, no DTS, five or ten bytes of stuffing
                data[begin + 7] &= 0x3F
                length = data[begin + 8]
                data[begin + 9 : begin + 9 + length] = b"\xff" * length
    path.write_bytes(bytes(data))
    info = look(path)
    sampler = VideoSampler(VideoFile(path))
    for index in range(5):
        chunk = Chunk(index, info.start_seconds + 2.0 * index, 2.0)
        frames = sampler.sample(chunk, Sampling(8), View.square(64))
        due = np.round((frames.timestamps_seconds - info.start_seconds) * 25).astype(int)
        np.testing.assert_allclose(numbers(frames), due, atol=1)
        assert (np.diff(frames.timestamps_seconds) > 0).all()
    sampler.close()


def test_what_nobody_needs_is_not_counted(clip, tmp_path):
    path = tmp_path / "damaged.mp4"
    seconds = damaged(clip, path, {190, 191})
    assert min(seconds) > 7
    assert sample_chunk(path, Chunk(0, 0.0, 6.0), 16, 64).damaged_packets == 0


def test_a_damaged_keyframe_is_passed_over_by_a_quick_look(tmp_path):
    pictures = [numbered_frame(i) for i in range(20)]
    clip = write_video(tmp_path / "whole.mkv", pictures, codec="mjpeg", pixel_format="yuvj420p")
    path = tmp_path / "damaged.mkv"
    (seconds,) = damaged(clip, path, {7})
    frames = sample_chunk(path, whole(look(clip)), 20, 64, keyframes_only=True)
    expected = [time for time in keyframe_seconds(clip) if time != seconds]
    assert frames.timestamps_seconds.tolist() == expected
    assert frames.damaged_packets == 1


@pytest.mark.parametrize(
    ("codec", "options", "suffix"),
    [
        ("libx264", {"x264-params": "keyint=2:min-keyint=1:bframes=1:scenecut=0"}, "mp4"),
        ("libx264", {"x264-params": "keyint=3:min-keyint=1:bframes=2:scenecut=0"}, "mkv"),
        ("mpeg2video", {"g": "3", "bf": "2"}, "ts"),
        ("libx264", {"x264-params": "intra-refresh=1:keyint=30:bframes=0"}, "mp4"),
        ("libx264", {"x264-params": "intra-refresh=1:keyint=30:bframes=0"}, "ts"),
    ],
    ids=["gop 2", "gop 3", "mpeg2 gop 3", "intra refresh mp4", "intra refresh ts"],
)
def test_keyframes_in_every_kind_of_order(tmp_path, codec, options, suffix):
    pictures = [numbered_frame(i) for i in range(100)]
    path = tmp_path / f"video.{suffix}"
    write_video(path, pictures, codec=codec, options=options, gop=None)
    info, keyframes = look(path), keyframe_seconds(path)
    for chunk in (whole(info), Chunk(0, info.start_seconds + 1.03, 2.0)):
        frames = sample_chunk(path, chunk, 25, 64, keyframes_only=True)
        middles = slot_middles(chunk.start_seconds, chunk.duration_seconds, 25)
        due = {keyframes[max(0, bisect_right(keyframes, t) - 1)] for t in middles}
        assert frames.timestamps_seconds.tolist() == sorted(due)
        assert frames.damaged_packets == 0


@pytest.mark.parametrize("which", [1, 2])
def test_behind_a_damaged_keyframe_the_one_before_it_stands(tmp_path, which):
    pictures = [numbered_frame(i) for i in range(100)]
    clip = write_video(tmp_path / "whole.mp4", pictures, codec="mpeg4", gop=40)
    keyframes = keyframe_seconds(clip)
    assert len(keyframes) == 3
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    indices = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    path = tmp_path / "damaged.mp4"
    damaged(clip, path, {indices[which]})
    frames = sample_chunk(path, Chunk(0, keyframes[which] + 0.1, 0.5), 4, 64, keyframes_only=True)
    assert frames.timestamps_seconds.tolist() == [keyframes[which - 1]]


def test_a_quick_look_at_a_stream_without_times(tmp_path):
    pictures = [numbered_frame(i) for i in range(100)]
    path = write_video(tmp_path / "raw.h264", pictures, gop=20, options=B_FRAMES)
    frames = sample_chunk(path, Chunk(0, 0.0, 4.0), 16, 64, keyframes_only=True)
    assert numbers(frames) == [0, 20, 40, 60, 80]
    np.testing.assert_allclose(frames.timestamps_seconds, [0, 0.8, 1.6, 2.4, 3.2])


@pytest.mark.parametrize(
    ("suffix", "message"), [("mkv", "not a video"), ("mp4", "no video stream")]
)
def test_a_stream_without_frames_is_refused(tmp_path, suffix, message):
    path = tmp_path / f"nothing.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    with pytest.raises(NotAVideo, match=message):
        look(path)


def test_a_video_that_would_take_days_is_refused_with_its_numbers(clip):
    most = 64 * 48 * 249
    message = r"has 250 frames of 64 x 48 in 10 s, 7.68e\+05 pixels: at most 7.65e\+05"
    with pytest.raises(TooMuchWork, match=message):
        look(clip, max_video_pixels=most)
    assert look(clip, max_video_pixels=64 * 48 * 250).is_complete


def test_a_slide_show_of_many_hours_is_not_much_work(tmp_path):
    frames = [numbered_frame(i) for i in range(4)]
    path = write_video(tmp_path / "slow.mkv", frames, [0, 10_000_000, 20_000_000, 30_000_000])
    info = look(path, max_video_pixels=64 * 48 * 1000)
    assert info.duration_seconds == pytest.approx(30_000, abs=10)
