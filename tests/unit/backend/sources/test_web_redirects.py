# SPDX-License-Identifier: Apache-2.0
"""Videos over HTTP: redirects, and addresses that are refused."""

import pytest
from support.web import web_server, with_ranges

from trireel_backend.errors import (
    AccessDenied,
    InvalidInput,
    SourceRefused,
)
from trireel_backend.sources.web import shown

from .fetcher import VIDEO, Fetcher, broken_off, redirect, sequence, status


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(fetch, code):
    answers = {"/a": redirect("/b?x=1", code), "/b": redirect("c", code), "/c": with_ranges(VIDEO)}
    with web_server(answers) as server:
        assert fetch(server.url("/a")) == VIDEO


def test_cookies_and_referrers_are_not_carried_along(fetch):
    def with_cookie(handler):
        handler.answer(302, Location="/b", Set_Cookie="secret=1; Path=/")

    with web_server({"/a": with_cookie, "/b": with_ranges(VIDEO)}) as server:
        fetch(server.url("/a"))
        names = {name.lower() for name in server.requests[1].headers}
    assert names == {"host", "user-agent", "accept", "accept-encoding"}


def test_a_redirect_in_a_ring(fetch):
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
        ("http://[::1", "no usable URI"),
        ("http://127.0.0.1:99999/x", "a port that cannot be"),
        ("http://xn--/x", "a host name that cannot be"),
    ],
)
def test_a_redirect_to_where_we_do_not_go(fetch, location, message):
    with (
        web_server({"/a": redirect(location)}) as server,
        pytest.raises(InvalidInput, match=message) as raised,
    ):
        fetch(server.url("/a"))
    assert "secret" not in str(raised.value)


def test_a_redirect_without_a_place(fetch):
    with (
        web_server({"/a": status(302)}) as server,
        pytest.raises(SourceRefused, match="no usable URI"),
    ):
        fetch(server.url("/a"))


@pytest.mark.parametrize(
    ("uri", "error", "message"),
    [
        ("http://user:secret@127.0.0.1/a", SourceRefused, "holds a user name"),
        ("http://user@127.0.0.1/a", SourceRefused, "holds a user name"),
        ("http:///a", InvalidInput, "names no host"),
        ("http://127.0.0.1:0/a", InvalidInput, "a port that cannot be"),
        ("http://127.0.0.1:port/a", InvalidInput, "not a usable URI"),
        ("http://xn--/a", InvalidInput, "a host name that cannot be"),
        ("http://127.0.0.1/\n", InvalidInput, "not a usable URI"),
        ("http://10.0.0.1/a", SourceRefused, "not public"),
        ("https://[fd00::1]/a", SourceRefused, "not public"),
    ],
)
def test_a_uri_that_is_refused(fetch, uri, error, message):
    with pytest.raises(error, match=message) as raised:
        fetch(uri)
    assert "secret" not in str(raised.value)


def test_without_the_operators_word_loopback_is_refused(tmp_path):
    fetch = Fetcher(tmp_path, allowed_networks=())
    with web_server({"/a": with_ranges(VIDEO)}) as server:
        with pytest.raises(SourceRefused, match="not public"):
            fetch(server.url("/a"))
        assert server.requests == []


def test_a_secret_query_is_sent_but_not_told(fetch):
    with web_server({"/a": status(403)}) as server:
        with pytest.raises(AccessDenied) as raised:
            fetch(server.url("/a?X-Amz-Signature=secret"))
        assert server.requests[0].path == "/a?X-Amz-Signature=secret"
    assert "secret" not in str(raised.value)
    assert shown("https://me:pw@host/a?b#c") == "https://host/a"


def test_a_name_that_is_bound_anew_gains_nothing(tmp_path):
    """The first look-up answers what is allowed, every later one what is not."""
    asked = []

    def rebinding(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    fetch = Fetcher(tmp_path, resolve=rebinding)
    with web_server({"/a": with_ranges(VIDEO)}) as server:
        assert fetch(server.url("/a", host="video.test")) == VIDEO
        assert server.requests[0].headers["Host"] == f"video.test:{server.server_port}"
    assert asked == ["video.test"]  # looked up once: the checked address was connected to
    answers = sequence(broken_off(VIDEO, after=1000), with_ranges(VIDEO))
    asked.clear()
    with web_server({"/b": answers}) as server:
        with pytest.raises(SourceRefused, match=r"'video.test' leads to an address"):
            fetch(server.url("/b", host="video.test"))  # a second connection is checked as well
        assert len(server.requests) == 1


def test_the_next_address_is_tried_where_one_is_dead(tmp_path):
    fetch = Fetcher(tmp_path, resolve=lambda host, port: ["127.9.9.9", "127.0.0.1"])
    with web_server({"/a": with_ranges(VIDEO)}) as server:
        assert fetch(server.url("/a", host="video.test")) == VIDEO
