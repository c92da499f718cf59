# SPDX-License-Identifier: Apache-2.0
"""What people upload: turned, bright, interlaced, cut off, damaged, huge, or hardly a video."""

import struct
import subprocess
import sys

import av
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps
from support.extraction import look, sample_chunk
from support.videos import number_of, numbered_frame, write_video

from trireel_backend.errors import NotAVideo, TooMuchWork
from trireel_backend.extraction.picture.hdr import hlg_to_nits, pq_to_nits, tone_map
from trireel_backend.extraction.picture.scaling import PictureMaker
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk

RED, BLUE, GREEN = (220, 20, 20), (20, 20, 220), (20, 200, 20)


def quarters(width_px=96, height_px=64):
    """Draw red at the top left, blue at the top right, green below."""
    picture = np.zeros((height_px, width_px, 3), np.uint8)
    picture[: height_px // 2, : width_px // 2] = RED
    picture[: height_px // 2, width_px // 2 :] = BLUE
    picture[height_px // 2 :] = GREEN
    return picture


def first_picture(path, size_px=32):
    info = look(path)
    chunk = Chunk(0, info.start_seconds, info.duration_seconds)
    return sample_chunk(path, chunk, 1, size_px).pixels[0]


def colour_at(picture, row, column):
    """Name the colour in the middle of a quarter of a square picture."""
    size_px = len(picture)
    pixel = picture[int((row + 0.5) * size_px / 2), int((column + 0.5) * size_px / 2)].astype(int)
    distances = {
        name: abs(pixel - colour).sum()
        for name, colour in (("red", RED), ("blue", BLUE), ("green", GREEN))
    }
    return min(distances, key=distances.get)


def layout(picture):
    return [[colour_at(picture, row, column) for column in (0, 1)] for row in (0, 1)]


def turn(path, matrix):
    """Write a display matrix (a, b, c, d of the 2 x 2 part) into the track header of an MP4."""
    data = bytearray(path.read_bytes())
    header = data.index(b"tkhd") + 4
    at = header + 4 + 20 + 16  # version and flags; times, id, duration; layer, volume, reserved
    unity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    assert data[at : at + 36] == unity
    a, b, c, d = (value * 65536 for value in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))
    return path


ORIENTATIONS = [
    *("upright", "90 clockwise", "180", "90 counterclockwise"),
    *("mirrored", "upside down mirrored", "transposed", "transposed the other way"),
]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), [["red", "blue"], ["green", "green"]]),
        ((0, 1, -1, 0), [["green", "red"], ["green", "blue"]]),
        ((-1, 0, 0, -1), [["green", "green"], ["blue", "red"]]),
        ((0, -1, 1, 0), [["blue", "green"], ["red", "green"]]),
        ((-1, 0, 0, 1), [["blue", "red"], ["green", "green"]]),
        ((1, 0, 0, -1), [["green", "green"], ["red", "blue"]]),
        ((0, 1, 1, 0), [["red", "green"], ["blue", "green"]]),
        ((0, -1, -1, 0), [["green", "blue"], ["green", "red"]]),
    ],
    ids=ORIENTATIONS,
)
def test_rotation_metadata_is_obeyed_as_ffmpeg_does(tmp_path, matrix, expected):
    path = turn(write_video(tmp_path / "turned.mp4", [quarters()] * 3), matrix)
    picture = first_picture(path)
    assert layout(picture) == expected
    # The edges are filtered before they are turned here, and after it there.
    assert np.abs(picture.astype(int) - ffmpeg_picture(path)).mean() < 3


def ffmpeg_picture(path, filters="scale=32:32", size_px=32):
    """Return what the ffmpeg command makes of a video's first frame."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-frames:v", "1"]
    command += ["-vf", filters, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return np.frombuffer(done.stdout, np.uint8).reshape(size_px, size_px, 3).astype(int)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4", "libvpx-vp9"])
def test_pixels_are_those_of_the_ffmpeg_command(tmp_path, codec):
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (24, 32, 3), np.uint8).repeat(5, 0).repeat(5, 1)
    path = write_video(tmp_path / "noise.mkv", [noise] * 3, codec=codec)
    difference = np.abs(first_picture(path).astype(int) - ffmpeg_picture(path))
    assert difference.max() <= 6  # the command is of another release than the library
    assert difference.mean() < 0.05


@pytest.mark.parametrize("size", [(97, 65), (33, 31), (2, 2), (640, 2)])
def test_odd_sizes(tmp_path, size):
    picture = quarters(max(size[0], 8), max(size[1], 8))[: size[1], : size[0]]
    path = tmp_path / "odd.png"
    Image.fromarray(picture).save(path)
    assert first_picture(path).shape == (32, 32, 3)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "gif", "tiff"])
def test_a_still_picture_is_one_chunk(tmp_path, suffix):
    path = tmp_path / f"still.{suffix}"
    Image.fromarray(quarters()).save(path)
    info = look(path)
    assert 0 < info.duration_seconds <= 0.2
    assert layout(first_picture(path)) == [["red", "blue"], ["green", "green"]]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photographs_orientation_is_obeyed(tmp_path, orientation):
    photograph = Image.fromarray(quarters())
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / "photograph.jpg"
    photograph.save(path, quality=95, exif=exif)
    with Image.open(path) as stored:
        upright = np.asarray(ImageOps.exif_transpose(stored).resize((32, 32)))
    assert layout(first_picture(path)) == layout(upright)


def test_a_transparent_colour_of_a_palette_is_black(tmp_path):
    picture = Image.fromarray(quarters()).quantize(4)
    red = picture.getpixel((0, 0))
    path = tmp_path / "palette.png"
    picture.save(path, transparency=red)
    assert first_picture(path)[8, 8].tolist() == [0, 0, 0]
    assert colour_at(first_picture(path), 0, 1) == "blue"


def test_what_is_transparent_is_black(tmp_path):
    rgba = np.dstack([quarters(), np.full((64, 96), 255, np.uint8)])
    rgba[:32, :48, 3] = 0
    path = tmp_path / "alpha.png"
    Image.fromarray(rgba).save(path)
    picture = first_picture(path)
    assert picture[8, 8].tolist() == [0, 0, 0]
    assert colour_at(picture, 0, 1) == "blue"


def test_gray_is_a_colour_too(tmp_path):
    path = tmp_path / "gray.png"
    Image.fromarray(np.full((20, 30), 77, np.uint8)).save(path)
    np.testing.assert_array_equal(first_picture(path), 77)


def write_tagged(path, picture, pixel_format, transfer):
    """Encode a picture [H, W, 3] of 16 bits with BT.2020 primaries and a transfer function."""
    params = f"log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx265", rate=25, options={"x265-params": params, "crf": "4"}
        )
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = pixel_format
        frame = av.VideoFrame.from_ndarray(picture, format="rgb48le")
        frame = frame.reformat(format=pixel_format, dst_colorspace="BT2020")
        for index in range(3):
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_is_tone_mapped(tmp_path, transfer):
    """Diffuse white of an HDR picture is bright, not the dull gray of its bare code value."""
    white_code = {"smpte2084": 0.58, "arib-std-b67": 0.75}[transfer]  # 203 nits, BT.2408
    picture = np.full((64, 64, 3), round(white_code * 65535), np.uint16)
    picture[:, :32] = round(white_code * 0.4 * 65535)
    path = write_tagged(tmp_path / "hdr.mp4", picture, "yuv420p10le", transfer)
    seen = first_picture(path).astype(int)
    assert 175 <= seen[16, 24].mean() <= 235
    assert seen[16, 8].mean() < 80
    assert np.ptp(seen[16, 24]) <= 6  # gray stays gray


def test_the_transfer_functions_are_those_of_the_standard():
    """Values of ITU-R BT.2408, table 1: signal level of some luminances."""
    for signal, nits in ((0.58, 203), (0.75, 983), (0.38, 26)):
        assert pq_to_nits(np.full((1, 3), signal, np.float32)) == pytest.approx(nits, rel=0.03)
    for signal, nits in ((0.75, 203), (0.38, 26), (1.0, 1000)):
        assert hlg_to_nits(np.full((1, 3), signal, np.float32)) == pytest.approx(nits, rel=0.03)


def test_tone_mapping_is_monotonic_and_uses_the_whole_range():
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[:, None, None].repeat(3, 2)
    mapped = tone_map(ramp, 16)[:, 0, 1].astype(int)
    assert (np.diff(mapped) >= 0).all()
    assert mapped[0] == 0
    assert mapped[-1] == 255


def test_an_interlaced_frame_is_one_moment(tmp_path):
    """A bar that moves between the fields combs in the frame, and must not in the picture."""
    frame = np.full((64, 96, 3), 30, np.uint8)
    frame[0::2, 20:40] = 230
    frame[1::2, 60:80] = 230
    path = write_video(
        tmp_path / "fields.mkv",
        [frame] * 3,
        options={"x264-params": "interlaced=1:tff=1:keyint=1", "crf": "5", "flags": "+ildct+ilme"},
    )
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).interlaced_frame
    picture = first_picture(path, 96).astype(int)
    assert picture[48, 30].mean() > 190  # the top field's bar, at full contrast
    assert picture[48, 70].mean() < 70  # and nothing of the other field


def test_a_resolution_that_changes_midway(tmp_path):
    parts = [
        write_video(tmp_path / f"{index}.ts", [numbered_frame(index + 1, 64 * k, 48 * k)] * 25)
        for index, k in enumerate((1, 2))
    ]
    path = tmp_path / "both.ts"
    with av.open(str(path), "w") as output:
        stream = None
        for index, part in enumerate(parts):
            with av.open(str(part)) as source:
                stream = stream or output.add_stream_from_template(source.streams.video[0])
                first = None
                for packet in source.demux(video=0):
                    if packet.pts is not None:
                        first = packet.dts if first is None else first
                        packet.pts += index * 90000 - first
                        packet.dts += index * 90000 - first
                        packet.stream = stream
                        output.mux(packet)
    info = look(path)
    frames = sample_chunk(path, Chunk(0, info.start_seconds, info.duration_seconds), 8, 64)
    assert {number_of(pixels) for pixels in frames.pixels} == {1, 2}


def test_cover_art_is_no_video(tmp_path):
    path = tmp_path / "song.m4a"
    picture = tmp_path / "cover.png"
    Image.fromarray(quarters()).save(picture)
    with av.open(str(path), "w", format="mp4") as output, av.open(str(picture)) as cover:
        sound = output.add_stream("aac", rate=16000)
        art = output.add_stream_from_template(cover.streams.video[0])
        art.disposition = av.stream.Disposition.attached_pic
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate = 16000
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for _ in range(8):
            output.mux(sound.encode(frame))
        for packet in cover.demux(video=0):
            if packet.size:
                packet.stream = art
                output.mux(packet)
        output.mux(sound.encode())
    with pytest.raises(NotAVideo, match="no video stream"):
        look(path)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "flv", "ts"])
def test_a_file_that_was_cut_off_is_not_called_complete(tmp_path, suffix):
    rng = np.random.default_rng(2)
    frames = [rng.integers(0, 256, (48, 64, 3), np.uint8) for _ in range(250)]
    options = {"movflags": "+faststart"} if suffix == "mp4" else None
    path = write_video(tmp_path / f"whole.{suffix}", frames, container_options=options)
    assert look(path).is_complete
    half = tmp_path / f"half.{suffix}"
    half.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    info = look(half)
    assert info.duration_seconds == pytest.approx(5.0, abs=0.7)
    # These do not state their length: what is there is all that is known of.
    assert info.is_complete == (suffix in ("ts", "avi"))


def test_damage_in_the_middle_costs_only_the_frames_it_hits(tmp_path):
    path = write_video(tmp_path / "whole.ts", [numbered_frame(i) for i in range(250)], gop=10)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 20] = bytes(len(data) // 20)
    path.write_bytes(bytes(data))
    frames = sample_chunk(path, Chunk(0, look(path).start_seconds, 10.0), 50, 64)
    shown = [number_of(pixels) for pixels in frames.pixels]
    due = [round((t - look(path).start_seconds) * 25) for t in frames.timestamps_seconds]
    right = [a == b for a, b in zip(shown, due, strict=True)]
    assert sum(right) >= 44
    assert right[0]
    assert right[-1]


def test_a_picture_bomb_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "bomb.png"
    Image.fromarray(np.zeros((9000, 9000), np.uint8)).save(path)
    with pytest.raises(TooMuchWork, match=r"9000 x 9000: frames of at most 67,108,864 pixels"):
        look(path)


def test_negative_times_before_the_first_frame(tmp_path):
    pts_ms = [-400 + 40 * index for index in range(50)]
    path = write_video(tmp_path / "early.ts", [numbered_frame(i) for i in range(50)], pts_ms)
    info = look(path)
    frames = sample_chunk(path, Chunk(0, info.start_seconds, info.duration_seconds), 10, 64)
    assert [number_of(pixels) for pixels in frames.pixels] == list(range(2, 50, 5))


def test_frames_that_were_drawn_are_gone_at_once(tmp_path):
    """One that was asked for its side data refers to itself, and would wait for the collector."""
    path = turn(write_video(tmp_path / "turned.mp4", [quarters()] * 30), (0, 1, -1, 0))
    maker = PictureMaker(View.square(32))
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    for frame in frames:
        maker.draw(frame)
    del frame
    in_list_and_call = 2
    held = [sys.getrefcount(frames[i]) > in_list_and_call for i in range(len(frames))]
    assert held == [True] + [False] * 29  # the first was asked
