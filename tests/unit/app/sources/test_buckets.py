# SPDX-License-Identifier: Apache-2.0
"""Sources in a bucket of a real S3 server."""

import hashlib

import pytest
from support.s3 import s3_server

from trireel_app.errors import LibraryError
from trireel_app.sources import buckets
from trireel_app.sources.expand import SourceOptions, expand
from trireel_app.sources.facts import facts_of, stamp_of
from trireel_app.sources.source import VideoSource


@pytest.fixture(scope="module", autouse=True)
def bucket():
    with s3_server() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        buckets.client.cache_clear()
        buckets.client().create_bucket(Bucket="clips")
        for key in ("day/a.mp4", "day/b.txt", "day/night/c.mp4", "d.mp4"):
            buckets.write(f"s3://clips/{key}", key.encode())
        yield
        buckets.client.cache_clear()


def uris(name, recursive=False):
    return [s.uri for s in expand(SourceOptions((name,), recursive=recursive))]


def test_prefixes_and_patterns_stand_for_objects():
    assert uris("s3://clips/day/") == ["s3://clips/day/a.mp4"]
    both = ["s3://clips/day/a.mp4", "s3://clips/day/night/c.mp4"]
    assert uris("s3://clips/day/", recursive=True) == both
    assert uris("s3://clips/**/*.mp4") == ["s3://clips/d.mp4", *both]
    assert uris("s3://clips/*.mp4") == ["s3://clips/d.mp4"]


def test_an_objects_facts_change_with_its_bytes():
    source = VideoSource("s3://clips/d.mp4")
    stamp, facts = stamp_of(source), facts_of(source)
    assert (facts.size_bytes, facts.sha256) == (5, None)
    assert facts.etag == stamp == hashlib.md5(b"d.mp4").hexdigest()
    buckets.write(source.uri, b"other")
    assert stamp_of(source) != stamp


def test_a_lost_bucket_is_one_sentence():
    with pytest.raises(LibraryError, match="NoSuchBucket"):
        uris("s3://nowhere/*.mp4")


def test_a_files_facts_are_its_size_and_hash(tmp_path):
    file = tmp_path / "a.mp4"
    file.write_bytes(b"video")
    facts = facts_of(VideoSource(str(file)))
    assert (facts.size_bytes, facts.sha256) == (5, hashlib.sha256(b"video").hexdigest())
    assert facts_of(VideoSource(str(tmp_path / "none.mp4"))).size_bytes is None
