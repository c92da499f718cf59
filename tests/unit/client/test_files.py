# SPDX-License-Identifier: Apache-2.0
"""Files appear whole or not at all; pictures get their aspect back."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from unit.client.timeline.made import analysis_of, ntsc

from trireel_client import InvalidRequest, Thumbnail, Unsupported, export_scenes
from trireel_client._files import write_whole
from trireel_client._timeline.pictures import jpeg, unsquashed_size_px, write_thumbnails

ALL = ("a.vtt", "a.srt", "a.csv", "a.edl", "a.fcpxml", "a.OTIO")


def test_all_formats_in_one_call(tmp_path):
    export_scenes(ntsc([0, 30, 90]), *(tmp_path / name for name in ALL), video="a.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(ALL)
    assert (tmp_path / "a.edl").read_text().startswith("TITLE: a.mp4\nFCM: DROP FRAME\n")
    export_scenes(ntsc([0, 30]), tmp_path / "a.edl", video="a.mp4", drop_frame=False)
    assert "FCM: NON-DROP FRAME" in (tmp_path / "a.edl").read_text()


def test_no_file_is_written_if_one_format_fails(tmp_path):
    analysis = analysis_of([0, 25], time_base=ntsc([0, 1]).time_base)  # without a frame rate
    with pytest.raises(Unsupported):
        export_scenes(analysis, tmp_path / "a.vtt", tmp_path / "a.edl", video="a.mp4")
    with pytest.raises(InvalidRequest, match=r"'a\.mov' is no export"):
        export_scenes(analysis, tmp_path / "a.vtt", tmp_path / "a.mov", video="a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_file_before_it(tmp_path, monkeypatch):
    path = tmp_path / "a.vtt"
    write_whole(path, b"first")

    def fails(self: Path, target: Path) -> Path:
        assert self.read_bytes() == b"second"
        raise OSError("the disk is gone")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="the disk is gone"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("side", "picture", "size"),
    [
        (512, (1920, 1080), (512, 288)),
        (512, (1080, 1920), (288, 512)),
        (512, (400, 300), (400, 300)),
        (512, (193, 144), (320, 239)),
        (96, (1920, 1080), (96, 54)),
        (512, (4000, 1), (512, 1)),
        (96, None, (96, 96)),
    ],
)
def test_the_squash_is_undone(side, picture, size):
    assert unsquashed_size_px(side, picture) == size


def test_thumbnails_are_numbered_jpegs(tmp_path):
    pixels = np.zeros((512, 512, 3), np.uint8)
    pixels[:, 256:] = (250, 20, 20)
    thumbnail = Thumbnail(1.0, pixels, (1280, 720))
    paths = write_thumbnails([thumbnail, thumbnail], tmp_path / "pictures")
    assert [path.name for path in paths] == ["scene-0001.jpg", "scene-0002.jpg"]
    assert paths[0].read_bytes() == paths[1].read_bytes() == jpeg(thumbnail)
    image = Image.open(io.BytesIO(paths[0].read_bytes()))
    assert (image.format, image.size) == ("JPEG", (512, 288))
    left, right = image.getpixel((100, 144)), image.getpixel((400, 144))
    assert max(left) < 10
    assert right[0] > 240
    assert max(right[1:]) < 30
