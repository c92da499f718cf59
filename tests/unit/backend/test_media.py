# SPDX-License-Identifier: Apache-2.0
import os

import pytest

from trireel_backend.errors import InvalidInput, OutsideMediaFolder, Unsupported, VideoNotFound
from trireel_backend.media import MediaFolders, local_video, resolve


@pytest.fixture
def folders(tmp_path):
    for name in ("media/sub", "spool", "other"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "media/a clip.mp4").write_bytes(b"a")
    (tmp_path / "media/sub/b.mp4").write_bytes(b"b")
    (tmp_path / "other/secret").write_bytes(b"s")
    return MediaFolders(tmp_path / "media", tmp_path / "spool")


@pytest.mark.parametrize(
    "reference", ["a clip.mp4", "./a clip.mp4", "sub/../a clip.mp4", "{root}/a clip.mp4",
                  "file://{root}/a%20clip.mp4", "file://localhost{root}/a clip.mp4"]
)  # fmt: skip
def test_paths_and_file_uris_in_the_media_folder(folders, reference):
    path = resolve(folders, reference.format(root=folders.media_root))
    assert path == folders.media_root / "a clip.mp4"


@pytest.mark.parametrize(
    ("reference", "error", "message"),
    [
        ("", InvalidInput, "VIDEO is empty"),
        ("../other/secret", OutsideMediaFolder, "outside the media folder"),
        ("/etc/passwd", OutsideMediaFolder, "outside the media folder"),
        ("/no/such/file", OutsideMediaFolder, "outside the media folder"),
        ("file:///etc/passwd", OutsideMediaFolder, "outside the media folder"),
        ("file:///%2e%2e/etc/passwd", OutsideMediaFolder, "outside the media folder"),
        ("nothing.mp4", VideoNotFound, "not in the media folder"),
        ("sub", InvalidInput, "not a regular file"),
        ("a\0b", InvalidInput, "not a usable path"),
        ("x" * 5000, InvalidInput, "not a usable path"),
        ("s3://bucket/key", Unsupported, "scheme 's3'"),
        ("http://host/x.mp4", Unsupported, "scheme 'http'"),
        ("file://host/x.mp4", InvalidInput, "names host 'host'"),
    ],
)
def test_anything_else_is_refused(folders, reference, error, message):
    with pytest.raises(error, match=message):
        resolve(folders, reference)


def test_a_link_out_of_the_media_folder_is_outside(folders):
    os.symlink(folders.media_root.parent / "other/secret", folders.media_root / "link.mp4")
    with pytest.raises(OutsideMediaFolder):
        resolve(folders, "link.mp4")


def test_an_upload_is_a_file_for_as_long_as_its_request(folders):
    with local_video(folders, None, b"bytes") as path:
        assert path.parent == folders.spool
        assert path.read_bytes() == b"bytes"
        assert resolve(folders, str(path)) == path
    assert list(folders.spool.iterdir()) == []


def test_an_upload_is_removed_when_its_request_fails(folders):
    with pytest.raises(RuntimeError, match="boom"), local_video(folders, None, b"bytes"):
        raise RuntimeError("boom")
    assert list(folders.spool.iterdir()) == []


@pytest.mark.parametrize(
    ("reference", "data", "message"),
    [(None, None, "neither"), ("a", b"b", "both"), (None, b"", "VIDEO_DATA is empty")],
)
def test_exactly_one_source_is_given(folders, reference, data, message):
    with pytest.raises(InvalidInput, match=message), local_video(folders, reference, data):
        pass
