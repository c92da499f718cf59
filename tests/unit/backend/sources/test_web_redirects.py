# SPDX-License-Identifier: Apache-2.0
"""Videos over HTTP: redirects, and URIs that are rejected."""

import pytest
from support.web import web_server, with_ranges

from trireel_backend.errors import (
    AccessDenied,
    InvalidInput,
    SourceRefused,
)
from trireel_backend.sources.web import redacted

from .fetcher import VIDEO, Fetcher, broken_off, redirect, sequence, status


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
