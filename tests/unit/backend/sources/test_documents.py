# SPDX-License-Identifier: Apache-2.0
"""Sources that return a page, have odd names, or send odd values of Content-Encoding."""

import pytest
from support.web import web_server, with_ranges

from trireel_backend.errors import NotAVideo, Unsupported
from trireel_backend.sources.addresses import parse_networks
from trireel_backend.sources.limits import Deadline, SourceLimits
from trireel_backend.sources.spool import Spool
from trireel_backend.sources.web import WebSource

VIDEO = bytes(range(256)) * 1000
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head>" + b"<p>x</p>" * 6000


@pytest.fixture
def fetch(tmp_path):
    """Return a function from a URI to its bytes, through a spool in `tmp_path`."""
    limits = SourceLimits(allowed_networks=parse_networks("127.0.0.0/8"), timeout_seconds=20.0)
    spool, source = Spool(tmp_path, limits), WebSource(limits)

    def fetch(uri):
        deadline = Deadline(limits.timeout_seconds)
        download = lambda part, version: source.download(uri, part, version, deadline)  # noqa: E731
        with spool.fetch(uri, download, deadline) as video:
            return video.path.read_bytes()

    return fetch


def body(data, **headers):
    return lambda handler: handler.answer(200, data, **headers)


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (PAGE, r"a web page \(HTML\)"),
        (b"\xef\xbb\xbf \r\n<HTML lang='de'>", r"a web page \(HTML\)"),
        ("\ufeff<html><body>ü</body></html>".encode("utf-16-le"), r"a web page \(HTML\)"),
        (b"<!-- saved --><html>", r"a web page \(HTML\)"),
        (b"<script>location='/login'</script>", r"a web page \(HTML\)"),
        (b"<?xml version='1.0'?><html xmlns='x'/>", r"a web page \(HTML\)"),
        (b"<html><p>caf\xe9", r"a web page \(HTML\)"),
        (b"<?xml?><Error><Code>NoSuchKey</Code></Error>", r"an XML document \(NoSuchKey\)"),
        (b"<rss><channel/></rss>", "an XML document instead"),
        (b'\n{"error": "not found"}', "a JSON document"),
        (b'["error"]', "a JSON document"),
    ],
)
def test_a_document_is_named_and_not_kept(fetch, tmp_path, document, kind):
    answer = body(document, Content_Type="video/mp4", ETag='"v1"')
    with (
        web_server({"/share": answer}) as server,
        pytest.raises(NotAVideo, match=f"/share answered with {kind}.*link of the file itself"),
    ):
        fetch(server.url("/share?token=secret"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "data", [VIDEO, b"<" + VIDEO, b"{\0\0\0", b"[\x01", b"", b"\0\0\0\x20ftypisom <html>"]
)
def test_bytes_that_are_not_text_are_accepted(fetch, data):
    answer = body(data + VIDEO, Content_Type="text/html; charset=utf-8")
    with web_server({"/a": answer}) as server:
        assert fetch(server.url("/a")) == data + VIDEO


@pytest.mark.parametrize(
    "coding",
    ["aws-chunked", "none", "binary", "UTF-8", "identity", "AWS-Chunked, Identity", " ", "8bit"],
)
def test_a_coding_that_compresses_nothing_is_accepted(fetch, coding):
    with web_server({"/a": body(VIDEO, Content_Encoding=coding)}) as server:
        assert fetch(server.url("/a")) == VIDEO


@pytest.mark.parametrize("coding", ["GZIP", "br", "aws-chunked,gzip", "identity, zstd", "deflate"])
def test_a_coding_that_compresses_the_body_is_rejected(fetch, tmp_path, coding):
    with (
        web_server({"/a": body(VIDEO, Content_Encoding=coding)}) as server,
        pytest.raises(Unsupported, match=f"Content-Encoding '{coding}'"),
    ):
        fetch(server.url("/a"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["9.41\u202fAM", "a\xa0b", "録\u3000画", "👩\u200d💻", "ü ' \" b"])
def test_a_path_may_hold_any_character(fetch, name):
    with web_server({}) as server:
        server.answers = AnyPath(with_ranges(VIDEO))
        assert fetch(server.url(f"/{name}.mov")) == VIDEO


class AnyPath(dict):
    """Returns one answer for every path."""

    def __init__(self, answer):
        super().__init__()
        self._answer = answer

    def __missing__(self, path):
        return self._answer
