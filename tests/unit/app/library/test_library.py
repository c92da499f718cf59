# SPDX-License-Identifier: Apache-2.0
"""The library keeps records, in a folder and on a real S3 server."""

import dataclasses

import boto3
import numpy as np
import pytest
from support.records import label, record
from support.s3 import s3_server

from trireel_app.errors import InvalidOption, LibraryError
from trireel_app.library import Checkpoint, Library, video_id_of
from trireel_app.library.manifest import written


@pytest.fixture(scope="module")
def bucket():
    """Run an S3 server; return a bucket's name."""
    with s3_server() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="library")
        yield "library"


@pytest.fixture(params=["folder", "s3"])
def library(request, tmp_path):
    if request.param == "folder":
        return Library(tmp_path / "library")
    bucket = request.getfixturevalue("bucket")
    return Library(f"s3://{bucket}/{tmp_path.name}/")


def files_of(library):
    return [file.name for file in library.storage.files("videos")]


def test_a_record_comes_back_as_it_was_put(library):
    video = record(labels=[label("object", "car", 1.0, 2.5), label("text", "SALE\n50 %", 3, 4)])
    library.put(video)
    read = library.record(video.video_id, with_thumbnails=True)
    for field in dataclasses.fields(video.frames):
        assert np.array_equal(getattr(read.frames, field.name), getattr(video.frames, field.name))
    assert np.array_equal(read.scenes[1].embedding, video.scenes[1].embedding)
    # Embeddings do not take part in the comparison of scenes; frames are compared above.
    assert dataclasses.replace(read, frames=video.frames) == video


def test_a_video_that_is_put_again_replaces_itself(library):
    first, second = record(seed=0), record(seed=1, num_scenes=2)
    library.put(first)
    library.put(second)
    (entry,) = library.videos()
    assert entry.num_frames == 8
    assert len(library.record(entry.video_id).scenes) == 2
    assert library.clean() == 0  # a reader may still have the older files open
    assert library.clean(older_than_seconds=-10) == 8
    assert all(f"/{entry.generation}/" in name or "manifest" in name for name in files_of(library))
    library.record(entry.video_id, with_thumbnails=True)


def test_the_same_results_are_the_same_bytes(library):
    library.put(record())
    before = {name: library.storage.read(name) for name in files_of(library)}
    library.put(record())
    assert {name: library.storage.read(name) for name in files_of(library)} == before


def test_a_removed_video_leaves_no_file(library):
    kept = library.put(record("s3://clips/b.mp4"))
    video = library.put(record())
    assert library.remove(video.video_id)
    assert not library.remove(video.video_id)
    assert [entry.video_id for entry in library.videos()] == [kept.video_id]
    assert all(kept.video_id in name for name in files_of(library))
    with pytest.raises(LibraryError, match="has no video"):
        library.record(video.video_id)


def test_embeddings_of_another_checkpoint_are_rejected(library):
    assert library.checkpoint() is None
    library.put(record())
    other = dataclasses.replace(record(), checkpoint=Checkpoint("toy", "ffffff", 16))
    with pytest.raises(LibraryError, match="use another folder"):
        library.put(other)


def test_a_thumbnail_has_a_name(library):
    entry = library.put(record())
    assert library.storage.read(entry.thumbnail(2)) == b"jpeg 2"
    assert library.storage.address(entry.thumbnail(2)).startswith(library.root)
    assert entry.thumbnail(3) == ""


def test_a_reader_gets_the_new_results_if_the_old_ones_go(library, monkeypatch):
    """The manifest of the first attempt names files that are removed before they are read."""
    old = library.put(record())
    new = library.put(record(seed=1, num_scenes=1))
    library.clean(older_than_seconds=-10)
    read = library.storage.read
    stale = [written(old)]
    monkeypatch.setattr(
        library.storage,
        "read",
        lambda name: stale.pop() if stale and name.endswith("manifest.json") else read(name),
    )
    assert len(library.record(new.video_id).scenes) == 1


def test_a_writer_that_dies_before_its_manifest_changes_nothing(library, monkeypatch):
    first = library.put(record())

    def write(name, data):
        if "scenes" in name:
            raise LibraryError("killed")
        real(name, data)

    real = library.storage.write
    monkeypatch.setattr(library.storage, "write", write)
    with pytest.raises(LibraryError):
        library.put(record(seed=1))
    monkeypatch.undo()
    assert library.entry(first.video_id) == first
    assert np.array_equal(library.record(first.video_id).frames.pts, record().frames.pts)


def test_a_damaged_file_is_named(tmp_path):
    library = Library(tmp_path)
    entry = library.put(record())
    manifest = tmp_path / "videos" / entry.video_id / "manifest.json"
    frames = manifest.parent / entry.generation / "frames.parquet"
    frames.write_bytes(frames.read_bytes()[:100])
    with pytest.raises(LibraryError, match=r"frames\.parquet is damaged"):
        library.record(entry.video_id)
    manifest.write_text('{"format_version": 7}')
    with pytest.raises(LibraryError, match="version 7"):
        library.entry(entry.video_id)
    (tmp_path / "library.json").write_text("[]")
    with pytest.raises(LibraryError, match=r"library\.json is damaged"):
        library.checkpoint()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "library").write_text("I am a file.")
    with pytest.raises(LibraryError, match="cannot be written"):
        Library(tmp_path / "library").put(record())


def test_a_bucket_that_is_not_there_is_named(bucket):
    with pytest.raises(LibraryError, match="NoSuchBucket"):
        Library("s3://missing/prefix").put(record())
    with pytest.raises(InvalidOption, match="names no bucket"):
        Library("s3:///prefix")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("https://Host/a.mp4#t=3", "https://host/a.mp4"),
        ("file:///clips/a%20b.mp4", "/clips/a b.mp4"),
        ("/clips/../clips/a.mp4", "/clips/a.mp4"),
    ],
)
def test_two_spellings_are_one_video(first, second):
    assert video_id_of(first) == video_id_of(second)


def test_other_videos_have_other_ids():
    names = ["s3://clips/A.mp4", "s3://clips/a.mp4", "s3://Clips/a.mp4", "https://h/a.mp4?v=1"]
    assert len({video_id_of(name) for name in [*names, "https://h/a.mp4?v=2"]}) == 5
