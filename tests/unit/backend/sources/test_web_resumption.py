# SPDX-License-Identifier: Apache-2.0
"""Videos over HTTP that break off: the rest is fetched, and never mixed with another video."""

import pytest
from support.web import web_server, with_ranges

from trireel_backend.errors import (
    Unavailable,
)

from .fetcher import VIDEO, broken_off, sequence


@pytest.mark.parametrize("reset", [False, True])
def test_a_video_that_breaks_off_is_resumed(fetch, reset):
    answers = sequence(broken_off(VIDEO, after=100_000, reset=reset), with_ranges(VIDEO))
    with web_server({"/a": answers}) as server:
        assert fetch(server.url("/a")) == VIDEO
        again = server.requests[1].headers
    if not reset:  # a reset may lose bytes in flight
        assert again["Range"] == "bytes=100000-"
        assert again["If-Range"] == '"v1"'


@pytest.mark.parametrize("etag", ["", 'W/"v1"'])
def test_without_a_strong_validator_the_download_restarts(fetch, etag):
    answers = sequence(broken_off(VIDEO, after=100_000, etag=etag), with_ranges(VIDEO, etag))
    with web_server({"/a": answers}) as server:
        assert fetch(server.url("/a")) == VIDEO
        assert "Range" not in server.requests[1].headers


def test_a_video_that_changes_during_the_fetch_is_not_mixed(fetch):
    answers = sequence(broken_off(VIDEO, after=100_000), with_ranges(b"new" * 9, '"v2"'))
    with web_server({"/a": answers}) as server:
        assert fetch(server.url("/a")) == b"new" * 9


def test_a_range_that_was_not_requested_is_rejected(fetch):
    def shifted(handler):
        handler.answer(206, VIDEO[5:], Content_Range=f"bytes 5-{len(VIDEO) - 1}/{len(VIDEO)}")

    answers = sequence(broken_off(VIDEO, after=1000), shifted, with_ranges(VIDEO))
    with web_server({"/a": answers}) as server:
        assert fetch(server.url("/a")) == VIDEO


def short_range(first, last, *, longer=0):
    def answer(handler):
        span = f"bytes {first}-{last}/{len(VIDEO) + longer}"
        handler.answer(206, VIDEO[first : last + 1], ETag='"v1"', Content_Range=span)

    return answer


def broken_off_chunk(handler):
    handler.answer(Content_Length=None, Transfer_Encoding="chunked", ETag='"v1"')
    handler.wfile.write(b"%x\r\n%s" % (len(VIDEO), VIDEO[:1000]))


@pytest.mark.parametrize("start", [broken_off(VIDEO, after=1000), broken_off_chunk])
def test_a_range_that_is_too_short_is_continued(fetch, start):
    answers = sequence(start, short_range(1000, 1999), with_ranges(VIDEO))
    with web_server({"/a": answers}) as server:
        assert fetch(server.url("/a")) == VIDEO
        assert [request.headers["Range"] for request in server.requests] == [
            None,
            "bytes=1000-",
            "bytes=2000-",
        ]


def test_an_incomplete_video_is_not_kept(fetch, tmp_path):
    def five_more(handler):
        first = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        short_range(first, first + 4)(handler)

    with (
        web_server({"/a": sequence(broken_off(VIDEO, after=5), five_more)}) as server,
        pytest.raises(Unavailable, match="sent 20 of its 256000 bytes: try again"),
    ):
        fetch(server.url("/a"))
    assert list(tmp_path.iterdir()) == []


def test_a_range_of_a_video_of_another_length_is_rejected(fetch):
    other = short_range(1000, len(VIDEO) - 1, longer=1)
    with web_server({"/a": sequence(broken_off(VIDEO, after=1000), other, with_ranges(VIDEO))}) as (
        server
    ):
        assert fetch(server.url("/a")) == VIDEO
        assert "Range" not in server.requests[2].headers


def test_a_length_beside_http_chunks_is_ignored(fetch):
    def answer(handler):
        handler.answer(Content_Length=5, Transfer_Encoding="chunked")
        handler.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(VIDEO), VIDEO))

    with web_server({"/a": answer}) as server:
        assert fetch(server.url("/a")) == VIDEO


def test_a_length_that_is_too_large_is_unavailable(fetch):
    liar = broken_off(VIDEO, after=len(VIDEO) // 2, etag="")
    with (
        web_server({"/a": liar}) as server,
        pytest.raises(Unavailable, match=r"broke off.*\(received 128000 bytes\)"),
    ):
        fetch(server.url("/a"))


def test_a_length_that_is_too_small_ends_the_video(fetch):
    def answer(handler):
        handler.answer(200, VIDEO, Content_Length=1000)

    with web_server({"/a": answer}) as server:
        assert fetch(server.url("/a")) == VIDEO[:1000]
