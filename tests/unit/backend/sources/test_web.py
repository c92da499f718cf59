# SPDX-License-Identifier: Apache-2.0
"""Videos over HTTP, from servers that behave and servers that do not."""

import gzip
import socket
import ssl
import struct
import time

import pytest
from support.web import web_server, with_ranges

from trireel_backend.errors import (
    AccessDenied,
    InvalidInput,
    SourceRefused,
    SourceTooLarge,
    Unavailable,
    Unsupported,
    VideoNotFound,
)
from trireel_backend.sources.addresses import parse_networks
from trireel_backend.sources.limits import Deadline, SourceLimits
from trireel_backend.sources.spool import Spool
from trireel_backend.sources.web import WebSource, redacted

VIDEO = bytes(range(256)) * 1000
LOOPBACK = parse_networks("127.0.0.0/8")


class Fetcher:
    """A spool and a web source, with the test's limits."""

    def __init__(self, folder, *, resolve=None, tls=None, **limits):
        self.folder = folder
        self.limits = SourceLimits(
            **{"allowed_networks": LOOPBACK, "timeout_seconds": 20.0, **limits}
        )
        self.spool = Spool(folder, self.limits)
        resolvers = {} if resolve is None else {"resolve": resolve}
        self.source = WebSource(self.limits, tls=tls, **resolvers)

    def __call__(self, uri):
        """Return the bytes of a URI, and check that no unfinished file is left."""
        deadline = Deadline(self.limits.timeout_seconds)

        def download(part, known_version):
            return self.source.download(uri, part, known_version, deadline)

        try:
            with self.spool.fetch(uri, download, deadline) as video:
                return video.path.read_bytes()
        finally:
            left = [path.name for path in self.folder.iterdir()]
            assert [name for name in left if name.startswith("part-") or "lock" in name] == []


@pytest.fixture
def fetch(tmp_path):
    return Fetcher(tmp_path)


def sequence(*answers):
    """Return an answer function that gives these answers in turn, then repeats the last one."""
    waiting = list(answers)
    return lambda handler: (waiting.pop(0) if len(waiting) > 1 else waiting[0])(handler)


def status(code, **headers):
    return lambda handler: handler.answer(code, b"sorry", **headers)


def redirect(location, code=302):
    return lambda handler: handler.answer(code, Location=location)


def broken_off(data, *, after, reset=False, etag='"v1"'):
    def answer(handler):
        handler.answer(200, data[:after], Content_Length=len(data), ETag=etag)
        if reset:
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.connection.close()

    return answer


def test_a_video_is_complete(fetch):
    with web_server({"/a": with_ranges(VIDEO)}) as server:
        assert fetch(server.url("/a")) == VIDEO
        headers = server.requests[0].headers
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"
    assert headers["Accept-Encoding"] == "identity"
    assert "Range" not in headers


def test_a_video_without_a_length_is_complete(fetch):
    def answer(handler):
        handler.answer(200, VIDEO, Content_Length=None)

    with web_server({"/a": answer}) as server:
        assert fetch(server.url("/a")) == VIDEO


def test_a_video_in_http_chunks_is_complete(fetch):
    def answer(handler):
        handler.answer(Content_Length=None, Transfer_Encoding="chunked")
        for start in range(0, len(VIDEO), 50000):
            piece = VIDEO[start : start + 50000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")

    with web_server({"/a": answer}) as server:
        assert fetch(server.url("/a")) == VIDEO


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        (404, VideoNotFound, "answered 404"),
        (410, VideoNotFound, "answered 410"),
        (401, AccessDenied, "answered 401"),
        (403, AccessDenied, "answered 403: the source denies this server access"),
        (400, InvalidInput, "answered 400"),
        (204, InvalidInput, "answered 204"),
    ],
)
def test_a_final_error_is_not_retried(fetch, code, error, message):
    with web_server({"/a": status(code)}) as server:
        with pytest.raises(error, match=message):
            fetch(server.url("/a"))
        assert len(server.requests) == 1


@pytest.mark.parametrize("code", [500, 502, 503, 504, 408, 429])
def test_a_temporary_failure_is_retried(fetch, code):
    with web_server({"/a": sequence(status(code), with_ranges(VIDEO))}) as server:
        assert fetch(server.url("/a")) == VIDEO


def test_retries_end(fetch):
    with web_server({"/a": status(500)}) as server:
        with pytest.raises(Unavailable, match="answered 500: try again later"):
            fetch(server.url("/a"))
        assert len(server.requests) == 4


def test_retry_after_is_respected(fetch):
    answers = sequence(status(429, Retry_After=2), with_ranges(VIDEO))
    with web_server({"/a": answers}) as server:
        began = time.monotonic()
        assert fetch(server.url("/a")) == VIDEO
        assert 2 <= time.monotonic() - began < 4


def test_an_unreachable_server_is_unavailable(fetch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable, match=r"did not answer.*refused"):
            fetch(f"http://127.0.0.1:{probe.getsockname()[1]}/a")


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
        ranges = [request.headers["Range"] for request in server.requests]
    assert ranges == [None, "bytes=1000-", "bytes=2000-"]


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


def test_a_length_beyond_the_limit_is_rejected(tmp_path):
    fetch = Fetcher(tmp_path, max_bytes=1000)
    with (
        web_server({"/a": with_ranges(VIDEO)}) as server,
        pytest.raises(SourceTooLarge, match=r"256000 bytes or more.*up to 1000 bytes"),
    ):
        fetch(server.url("/a"))


def test_an_endless_video_is_rejected_at_the_limit(tmp_path):
    def endless(handler):
        handler.answer(Content_Length=None)
        while True:
            handler.wfile.write(VIDEO)

    fetch = Fetcher(tmp_path, max_bytes=1_000_000)
    with (
        web_server({"/a": endless}) as server,
        pytest.raises(SourceTooLarge, match="up to 1000000 bytes"),
    ):
        fetch(server.url("/a"))


def test_an_empty_video_is_rejected(fetch):
    with (
        web_server({"/a": with_ranges(b"")}) as server,
        pytest.raises(InvalidInput, match="is empty"),
    ):
        fetch(server.url("/a"))


def test_a_compressed_video_is_rejected(fetch):
    def compressed(handler):
        handler.answer(200, gzip.compress(VIDEO), Content_Encoding="gzip")

    with (
        web_server({"/a": compressed}) as server,
        pytest.raises(Unsupported, match="Content-Encoding 'gzip'"),
    ):
        fetch(server.url("/a"))


def drip(seconds, head=b""):
    def answer(handler):
        handler.wfile.write(head)
        while True:
            handler.wfile.write(b"x")
            time.sleep(seconds)

    return answer


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [drip(0.05, HEAD), drip(0.05, b"HTTP/1.1 200 OK\r\nX: "), drip(0.05), drip(60, HEAD)],
    ids=["body", "headers", "status line", "silence"],
)
def test_a_slow_server_ends_with_the_deadline(tmp_path, answer):
    fetch = Fetcher(tmp_path, timeout_seconds=1.5)
    with web_server({"/a": answer}) as server:
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"not fetched in 1.5 s"):
            fetch(server.url("/a"))
        assert time.monotonic() - began < 3


def test_a_silent_server_ends_with_the_deadline(tmp_path):
    fetch = Fetcher(tmp_path, timeout_seconds=1.0)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(Unavailable, match="not fetched in 1 s"):
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/a")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(fetch, code):
    answers = {"/a": redirect("/b?x=1", code), "/b": redirect("c", code), "/c": with_ranges(VIDEO)}
    with web_server(answers) as server:
        assert fetch(server.url("/a")) == VIDEO


def test_a_redirect_carries_no_cookies_or_referrers(fetch):
    def with_cookie(handler):
        handler.answer(302, Location="/b", Set_Cookie="secret=1; Path=/")

    with web_server({"/a": with_cookie, "/b": with_ranges(VIDEO)}) as server:
        fetch(server.url("/a"))
        names = {name.lower() for name in server.requests[1].headers}
    assert names == {"host", "user-agent", "accept", "accept-encoding"}


def test_a_cycle_of_redirects_is_rejected(fetch):
    with web_server({"/a": redirect("/a")}) as server:
        with pytest.raises(SourceRefused, match="more than 5 times"):
            fetch(server.url("/a"))
        assert len(server.requests) == 6


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("http://169.254.169.254/latest/meta-data/", "host '169.254.169.254' is an address"),
        ("http://[::1]/", "not public"),
        ("http://[::ffff:10.0.0.1]/", "not public"),
        ("//10.0.0.1/x", "not public"),
        ("http://0/", "not public"),
        ("file:///etc/passwd", "scheme 'file'"),
        ("ftp://127.0.0.1/x", "scheme 'ftp'"),
        ("gopher://127.0.0.1/x", "scheme 'gopher'"),
        ("http://user:secret@127.0.0.1/x", "holds a user name"),
        ("http://[::1", "an invalid URI"),
        ("http://127.0.0.1:99999/x", "an invalid port"),
        ("http://xn--/x", "an invalid host name"),
    ],
)
def test_a_redirect_to_a_forbidden_uri_is_rejected(fetch, location, message):
    with (
        web_server({"/a": redirect(location)}) as server,
        pytest.raises(InvalidInput, match=message) as raised,
    ):
        fetch(server.url("/a"))
    assert "secret" not in str(raised.value)


def test_a_redirect_without_a_location_is_rejected(fetch):
    with (
        web_server({"/a": status(302)}) as server,
        pytest.raises(SourceRefused, match="an invalid URI"),
    ):
        fetch(server.url("/a"))


@pytest.mark.parametrize(
    ("uri", "error", "message"),
    [
        ("http://user:secret@127.0.0.1/a", SourceRefused, "holds a user name"),
        ("http://user@127.0.0.1/a", SourceRefused, "holds a user name"),
        ("http:///a", InvalidInput, "names no host"),
        ("http://127.0.0.1:0/a", InvalidInput, "an invalid port"),
        ("http://127.0.0.1:port/a", InvalidInput, "not a usable URI"),
        ("http://xn--/a", InvalidInput, "an invalid host name"),
        ("http://127.0.0.1/\n", InvalidInput, "not a usable URI"),
        ("http://10.0.0.1/a", SourceRefused, "not public"),
        ("https://[fd00::1]/a", SourceRefused, "not public"),
    ],
)
def test_a_forbidden_uri_is_rejected(fetch, uri, error, message):
    with pytest.raises(error, match=message) as raised:
        fetch(uri)
    assert "secret" not in str(raised.value)


def test_loopback_is_rejected_by_default(tmp_path):
    fetch = Fetcher(tmp_path, allowed_networks=())
    with web_server({"/a": with_ranges(VIDEO)}) as server:
        with pytest.raises(SourceRefused, match="not public"):
            fetch(server.url("/a"))
        assert server.requests == []


def test_a_secret_query_is_sent_but_not_in_messages(fetch):
    with web_server({"/a": status(403)}) as server:
        with pytest.raises(AccessDenied) as raised:
            fetch(server.url("/a?X-Amz-Signature=secret"))
        assert server.requests[0].path == "/a?X-Amz-Signature=secret"
    assert "secret" not in str(raised.value)
    assert redacted("https://me:pw@host/a?b#c") == "https://host/a"


def test_dns_rebinding_gains_nothing(tmp_path):
    """The first look-up returns an allowed address, every later one a forbidden address."""
    lookups = []

    def rebinding(host, port):
        lookups.append(host)
        return ["127.0.0.1"] if len(lookups) == 1 else ["169.254.169.254"]

    fetch = Fetcher(tmp_path, resolve=rebinding)
    with web_server({"/a": with_ranges(VIDEO)}) as server:
        assert fetch(server.url("/a", host="video.test")) == VIDEO
        assert server.requests[0].headers["Host"] == f"video.test:{server.server_port}"
    assert lookups == ["video.test"]  # only one: the connection went to the checked address
    answers = sequence(broken_off(VIDEO, after=1000), with_ranges(VIDEO))
    lookups.clear()
    with web_server({"/b": answers}) as server:
        with pytest.raises(SourceRefused, match=r"'video.test' leads to an address"):
            fetch(server.url("/b", host="video.test"))  # a second connection is checked as well
        assert len(server.requests) == 1


def test_if_one_address_fails_the_next_is_tried(tmp_path):
    fetch = Fetcher(tmp_path, resolve=lambda host, port: ["127.9.9.9", "127.0.0.1"])
    with web_server({"/a": with_ranges(VIDEO)}) as server:
        assert fetch(server.url("/a", host="video.test")) == VIDEO


def test_proxies_of_the_environment_are_not_used(fetch, monkeypatch):
    with web_server({"/a": with_ranges(VIDEO)}) as server, web_server({}) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        assert fetch(server.url("/a")) == VIDEO
        assert proxy.requests == []


def test_a_known_version_is_not_sent_again(tmp_path):
    fetch = Fetcher(tmp_path, spool_reuse_seconds=0.0)
    with web_server({"/a": with_ranges(VIDEO)}) as server:
        assert fetch(server.url("/a")) == fetch(server.url("/a")) == VIDEO
        assert server.requests[1].headers["If-None-Match"] == '"v1"'


@pytest.mark.parametrize(
    "validators", [{"ETag": '"\xe9"'}, {"ETag": '"v1"', "Last_Modified": "13 ao\xfbt 2026"}]
)
def test_a_validator_that_is_not_ascii_is_not_sent_back(tmp_path, validators):
    def answer(handler):
        handler.answer(200, VIDEO, **validators)

    def breaking(handler):
        handler.answer(200, VIDEO[:1000], **validators, Content_Length=len(VIDEO))

    fetch = Fetcher(tmp_path, spool_reuse_seconds=0.0)
    with web_server({"/a": sequence(answer, breaking, answer)}) as server:
        assert fetch(server.url("/a")) == fetch(server.url("/a")) == VIDEO
        requests = [request.headers for request in server.requests]
    assert len(requests) == 3
    assert all("If-Modified-Since" not in headers for headers in requests)
    etag = validators["ETag"]
    sent = etag if etag.isascii() else None
    assert (requests[1]["If-None-Match"], requests[2]["If-Range"]) == (sent, sent)


def test_a_new_version_replaces_the_old(tmp_path):
    fetch = Fetcher(tmp_path, spool_reuse_seconds=0.0)
    with web_server({"/a": sequence(with_ranges(VIDEO), with_ranges(b"new", '"2"'))}) as server:
        assert fetch(server.url("/a")) == VIDEO
        assert fetch(server.url("/a")) == b"new"
    assert len(list(tmp_path.glob("video-*"))) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for video.test."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "video.test")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("video.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "video.test.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(secret + signed.public_bytes(pem))
    return path


@pytest.fixture
def secure_server(certificate):
    """Run a TLS server; `names` holds the server names that clients requested."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    names = []
    context.sni_callback = lambda connection, name, context: names.append(name)
    answers = {"/a": with_ranges(VIDEO), "/down": lambda handler: redirect(plain[0])(handler)}
    plain = [""]
    with web_server(answers, context) as server, web_server({"/a": with_ranges(VIDEO)}) as other:
        plain[0] = other.url("/a")
        server.names = names
        yield server


def secure_fetcher(folder, certificate):
    return Fetcher(
        folder,
        resolve=lambda host, port: ["127.0.0.1"],
        tls=ssl.create_default_context(cafile=str(certificate)),
    )


def test_tls_checks_the_name_although_the_address_is_pinned(tmp_path, certificate, secure_server):
    fetch = secure_fetcher(tmp_path, certificate)
    assert fetch(f"https://video.test:{secure_server.server_port}/a") == VIDEO
    assert secure_server.names == ["video.test"]


@pytest.mark.parametrize("trusting", [True, False])
def test_an_untrusted_certificate_is_rejected(tmp_path, certificate, secure_server, trusting):
    fetch = secure_fetcher(tmp_path, certificate)
    if not trusting:
        fetch.source = WebSource(fetch.limits, resolve=lambda host, port: ["127.0.0.1"])
    host = "other.test" if trusting else "video.test"
    with pytest.raises(Unavailable, match="no certificate that this server trusts"):
        fetch(f"https://{host}:{secure_server.server_port}/a")
    assert secure_server.requests == []


def test_a_redirect_from_https_to_http_is_rejected(tmp_path, certificate, secure_server):
    fetch = secure_fetcher(tmp_path, certificate)
    with pytest.raises(SourceRefused, match="from https to http"):
        fetch(f"https://video.test:{secure_server.server_port}/down")
