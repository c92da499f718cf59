# SPDX-License-Identifier: Apache-2.0
"""Clips in a real S3 server on loopback: in parts, with a manifest, and gone after a failure."""

import json
import socket

import boto3
import pytest
from support.s3 import s3_server
from unit.client.clips.made import made_clip, made_report, write_and_fail

from trireel_client import ClipsNotWritten, InvalidRequest, open_clips
from trireel_client._clips import s3

BUCKET = "caption-clips"  # the buckets of all tests of a process are in one store
PLACE = "s3://caption-clips/runs/7"


@pytest.fixture(scope="module")
def environment():
    with s3_server() as environment:
        yield environment


@pytest.fixture
def bucket(environment, monkeypatch):
    """An empty bucket, in a client of its own."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])
    client.close()


def keys(client) -> list[str]:
    return [item["Key"] for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def parts_on_their_way(client) -> list:
    return client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])


def write(count: int, **options) -> None:
    with open_clips(PLACE) as writer:
        for index in range(count):
            writer.add(made_clip(index, **options))
        writer.finish(made_report(count), "a.mp4")


def test_clips_and_manifest_are_there_at_the_end(bucket) -> None:
    write(7)
    names = [f"runs/7/clip-{index:06d}.webm" for index in range(7)]
    assert keys(bucket) == [*names, "runs/7/manifest.json"]
    found = bucket.get_object(Bucket=BUCKET, Key=names[3])
    assert found["Body"].read() == made_clip(3).data
    assert found["ContentType"] == "video/webm"
    manifest = json.load(bucket.get_object(Bucket=BUCKET, Key=keys(bucket)[-1])["Body"])
    assert [clip["index"] for clip in manifest["clips"]] == list(range(7))


def test_a_large_clip_goes_in_parts(bucket, monkeypatch) -> None:
    monkeypatch.setattr(s3, "MULTIPART_BYTES", 5 * 2**20)  # the smallest that S3 allows
    write(1, size_bytes=11 * 2**20)
    found = bucket.head_object(Bucket=BUCKET, Key="runs/7/clip-000000.webm")
    assert found["ContentLength"] == 11 * 2**20
    assert found["ETag"].endswith('-3"')  # three parts
    assert parts_on_their_way(bucket) == []


def test_an_error_in_between_leaves_nothing(bucket) -> None:
    with pytest.raises(RuntimeError, match="the server is gone"):
        write_and_fail(PLACE, RuntimeError("the server is gone"), 6)
    assert keys(bucket) == []
    assert parts_on_their_way(bucket) == []


def test_ctrl_c_leaves_no_parts(bucket, monkeypatch) -> None:
    monkeypatch.setattr(s3, "MULTIPART_BYTES", 5 * 2**20)
    with pytest.raises(KeyboardInterrupt):
        write_and_fail(PLACE, KeyboardInterrupt(), size_bytes=40 * 2**20)
    assert keys(bucket) == []
    assert parts_on_their_way(bucket) == []


def test_a_prefix_with_objects_is_left_alone(bucket) -> None:
    write(1)
    with pytest.raises(ClipsNotWritten, match="holds objects: give an empty or new prefix"):
        write(1)
    assert len(keys(bucket)) == 2


def test_a_bucket_that_is_not_there_is_told_before_any_work(bucket) -> None:
    with pytest.raises(ClipsNotWritten, match="there is no such bucket"), open_clips("s3://none/a"):
        pass


def test_a_lost_server_is_told_with_what_remains(bucket, monkeypatch) -> None:
    """The server goes away after some clips: nobody can delete them now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{listener.getsockname()[1]}"  # nobody listens there
        with pytest.raises(ClipsNotWritten, match=r"cannot be reached; up to \d+ clips remain in"):
            lose_the_server(nowhere)


def lose_the_server(nowhere: str) -> None:
    """Write a clip, and another one when all requests go to a port without a server."""
    with open_clips(PLACE) as writer:
        writer.add(made_clip(0))
        writer._place.settle()
        writer._place._client.meta.events.register(
            "before-sign.s3.*", lambda request, **_: _redirect(request, nowhere)
        )
        writer.add(made_clip(1))
        writer.finish(made_report(2), "a.mp4")


def _redirect(request, url: str) -> None:
    request.url = url + request.url[request.url.index("/", 8) :]


def test_without_an_answer_the_place_is_not_used(monkeypatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{listener.getsockname()[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with pytest.raises(ClipsNotWritten, match="S3 cannot be reached"), open_clips(PLACE):
            pass


@pytest.mark.parametrize("uri", ["s3://", "s3:///prefix"])
def test_a_uri_without_a_bucket_is_rejected(uri: str) -> None:
    with pytest.raises(InvalidRequest, match="names no bucket"), open_clips(uri):
        pass
