# SPDX-License-Identifier: Apache-2.0
"""Videos from S3: from moto's server, and from servers that fail in ways moto's cannot."""

import os
import time

import boto3
import pytest
from support.s3 import s3_server
from support.web import web_server

from trireel_backend.errors import (
    AccessDenied,
    InvalidInput,
    NotAVideo,
    SourceRefused,
    SourceTooLarge,
    Unavailable,
    VideoNotFound,
)
from trireel_backend.sources.limits import Deadline, SourceLimits
from trireel_backend.sources.s3 import RANGE_BYTES, S3Source
from trireel_backend.sources.spool import Spool

SMALL = bytes(range(256)) * 10


@pytest.fixture(scope="module")
def moto():
    with s3_server() as environment:
        yield environment


@pytest.fixture
def bucket(moto, monkeypatch):
    """A new bucket; the environment leads boto3 to its server."""
    for name, value in moto.items():
        monkeypatch.setenv(name, value)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    client = boto3.client("s3")
    client.create_bucket(Bucket="videos")
    yield client
    for item in client.list_objects_v2(Bucket="videos").get("Contents", ()):
        client.delete_object(Bucket="videos", Key=item["Key"])
    client.delete_bucket(Bucket="videos")
    client.close()


class Fetcher:
    """A spool and an S3 source, with the test's limits."""

    def __init__(self, folder, **limits):
        self.limits = SourceLimits(**limits)
        self.spool = Spool(folder, self.limits)
        self.source = S3Source(self.limits)
        self.downloads = 0

    def __call__(self, uri):
        deadline = Deadline(self.limits.timeout_seconds)

        def download(part, known_version):
            self.downloads += 1
            return self.source.download(uri, part, known_version, deadline)

        with self.spool.fetch(uri, download, deadline) as video:
            return video.path.read_bytes()


@pytest.fixture
def fetch(bucket, tmp_path):
    return Fetcher(tmp_path)


@pytest.mark.parametrize(
    "size", [1, RANGE_BYTES - 1, RANGE_BYTES, RANGE_BYTES + 1, 5 * RANGE_BYTES + 3]
)
def test_an_object_of_any_size_is_complete(bucket, fetch, size):
    data = os.urandom(size)
    bucket.put_object(Bucket="videos", Key="a/b c?d#e%20f.mp4", Body=data)
    assert fetch("s3://videos/a/b c?d#e%20f.mp4") == data


@pytest.mark.parametrize(
    "character", ["\u202f", "\xa0", "\u3000", "👩\u200d💻", "\u202e", "\u2028", "ü"]
)
def test_a_key_may_hold_any_character_except_controls(bucket, fetch, character):
    key = f"Screen Recording 9.41.00{character}AM.mov"
    bucket.put_object(Bucket="videos", Key=key, Body=SMALL)
    assert fetch(f"s3://videos/{key}") == SMALL


def test_an_error_document_is_not_kept_as_a_video(bucket, fetch):
    page = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"
    bucket.put_object(Bucket="videos", Key="a.mp4", Body=page)
    with pytest.raises(NotAVideo, match=r"a\.mp4 answered with an XML document \(AccessDenied\)"):
        fetch("s3://videos/a.mp4")
    assert fetch.spool.size_bytes() == 0


def test_loopback_is_reached_without_the_proxy(bucket, tmp_path, monkeypatch):
    bucket.put_object(Bucket="videos", Key="a", Body=SMALL)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert Fetcher(tmp_path)("s3://videos/a") == SMALL


def test_an_unchanged_object_is_not_fetched_again(bucket, tmp_path):
    fetch = Fetcher(tmp_path, spool_reuse_seconds=0.0)
    bucket.put_object(Bucket="videos", Key="a", Body=SMALL)
    assert fetch("s3://videos/a") == SMALL
    (first,) = tmp_path.glob("video-*")
    assert fetch("s3://videos/a") == SMALL
    assert list(tmp_path.glob("video-*")) == [first]
    bucket.put_object(Bucket="videos", Key="a", Body=b"new")
    assert fetch("s3://videos/a") == b"new"


@pytest.mark.parametrize(
    ("uri", "error", "message"),
    [
        ("s3://videos/missing", VideoNotFound, "s3://videos/missing is not there"),
        ("s3://no-such-bucket/a", VideoNotFound, "is not there"),
        ("s3://videos/empty", InvalidInput, "is empty"),
        ("s3://videos", InvalidInput, "no usable key"),
        ("s3://videos/", InvalidInput, "no usable key"),
        ("s3://videos/a\nb", InvalidInput, "no usable key"),
        ("s3://videos/a\0b", InvalidInput, "no usable key"),
        ("s3://videos/a\x85b", InvalidInput, "no usable key: .*without control characters"),
        ("s3://videos/" + "x" * 1025, InvalidInput, "no usable key"),
        ("s3://videos/../other/a", InvalidInput, "segment"),
        ("s3://videos/a/./b", InvalidInput, "segment"),
        ("s3:///a", InvalidInput, "not an S3 bucket name"),
        ("s3://Videos/a", InvalidInput, "not an S3 bucket name"),
        ("s3://a..b/a", InvalidInput, "not an S3 bucket name"),
        ("s3://169.254.169.254/a", InvalidInput, "not an S3 bucket name"),
        ("s3://user@videos/a", InvalidInput, "not an S3 bucket name"),
        ("s3://videos:80/a", InvalidInput, "not an S3 bucket name"),
        ("s3://arn:aws:s3:us-east-1:1:accesspoint/a", InvalidInput, "not an S3 bucket name"),
    ],
)
def test_an_object_that_cannot_be_fetched_is_named(bucket, fetch, uri, error, message):
    bucket.put_object(Bucket="videos", Key="empty", Body=b"")
    with pytest.raises(error, match=message):
        fetch(uri)


def test_only_the_operators_buckets_are_read(bucket, tmp_path):
    fetch = Fetcher(tmp_path, s3_buckets=frozenset({"videos"}))
    bucket.put_object(Bucket="videos", Key="a", Body=SMALL)
    assert fetch("s3://videos/a") == SMALL
    with pytest.raises(SourceRefused, match="bucket 'secrets' is not one"):
        fetch("s3://secrets/a")


def test_an_object_beyond_the_limit_is_rejected(bucket, tmp_path):
    bucket.put_object(Bucket="videos", Key="a", Body=SMALL)
    with pytest.raises(SourceTooLarge, match=r"2560 bytes or more.*up to 100"):
        Fetcher(tmp_path, max_bytes=100)("s3://videos/a")


def test_without_credentials_s3_is_refused(bucket, tmp_path, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SourceRefused, match="no S3 credentials"):
        Fetcher(tmp_path)("s3://videos/a")


def test_an_unreachable_endpoint_is_unavailable(bucket, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="could not be fetched") as raised:
        Fetcher(tmp_path, timeout_seconds=10.0)("s3://videos/a")
    assert "127.0.0.1" not in str(raised.value)  # clients must not learn the endpoint


def test_an_invalid_endpoint_is_unavailable(bucket, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "no url")
    with pytest.raises(Unavailable, match="S3 settings cannot be used"):
        Fetcher(tmp_path)


def respond(get, *, size=2560, status=200):
    """Return an S3 server's answer function, which calls `get` for all requests but HEAD."""

    def answer(handler):
        if handler.command == "HEAD":
            handler.answer(status, b"", Content_Length=size, ETag='"v1"')
        else:
            get(handler)

    return answer


def part_of(data, handler):
    first, last = (int(n) for n in handler.headers["Range"].removeprefix("bytes=").split("-"))
    span = f"bytes {first}-{last}/{len(data)}"
    return data[first : last + 1], {"Content_Range": span, "ETag": '"v1"'}


@pytest.fixture
def odd_server(monkeypatch, bucket, tmp_path):
    """Return a function that runs a server with an answer to s3://videos/a, with a fetcher."""
    from contextlib import ExitStack

    with ExitStack() as servers:

        def run(answer, **limits):
            server = servers.enter_context(web_server({"/videos/a": answer}))
            monkeypatch.setenv("AWS_ENDPOINT_URL", server.url(""))
            fetch = Fetcher(tmp_path, **limits)
            fetch.requests = server.requests
            return fetch

        yield run


@pytest.mark.parametrize("status", [401, 403])
def test_an_object_with_denied_access_is_named(odd_server, status):
    with pytest.raises(AccessDenied, match=f"denies this server access .{status}"):
        odd_server(respond(None, status=status, size=0))("s3://videos/a")


def test_a_failing_server_gets_another_request(odd_server):
    failures = [500, 503]

    def get(handler):
        if failures:
            handler.answer(failures.pop())
        else:
            data, headers = part_of(SMALL, handler)
            handler.answer(206, data, **headers)

    assert odd_server(respond(get))("s3://videos/a") == SMALL


def test_a_range_that_breaks_off_is_resumed(odd_server):
    ranges = []

    def get(handler):
        ranges.append(handler.headers["Range"])
        assert handler.headers["If-Match"] == '"v1"'
        data, headers = part_of(SMALL, handler)
        handler.answer(206, data[:1000], **{**headers, "Content_Length": len(data)})

    assert odd_server(respond(get))("s3://videos/a") == SMALL
    assert ranges == [f"bytes={start}-2559" for start in (0, 1000, 2000)]


def test_a_range_that_never_completes_is_unavailable(odd_server):
    def get(handler):
        data, headers = part_of(SMALL, handler)
        handler.answer(206, b"", **{**headers, "Content_Length": len(data)})

    with pytest.raises(Unavailable, match="broke off"):
        odd_server(respond(get))("s3://videos/a")


def test_bytes_beyond_the_requested_range_are_ignored(odd_server):
    def get(handler):
        _, headers = part_of(SMALL, handler)
        handler.answer(206, SMALL * 300, **headers)

    assert odd_server(respond(get))("s3://videos/a") == SMALL


def test_an_endpoint_without_ranges_is_unavailable(odd_server):
    with pytest.raises(Unavailable, match="does not support ranges"):
        odd_server(respond(lambda handler: handler.answer(200, SMALL)))("s3://videos/a")


def test_an_object_that_changes_during_the_fetch_is_not_mixed(odd_server):
    with pytest.raises(Unavailable, match="changed while it was fetched"):
        odd_server(respond(lambda handler: handler.answer(412)))("s3://videos/a")


def test_a_body_of_single_bytes_ends_with_the_deadline(odd_server):
    def get(handler):
        data, headers = part_of(SMALL, handler)
        handler.answer(206, b"", **{**headers, "Content_Length": len(data)})
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.05)

    fetch = odd_server(respond(get), timeout_seconds=1.5)
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"not fetched in 1.5 s"):
        fetch("s3://videos/a")
    assert time.monotonic() - began < 3
