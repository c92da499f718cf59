# SPDX-License-Identifier: Apache-2.0
"""TLS in every way of asking: who is trusted, who gets in, and what is said where not."""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest
from unit.client.either import Either, indices
from unit.client.loopback import Loopback
from unit.client.scripted import UNAVAILABLE, Script, ServerTls, stream_of, whole_video
from unit.client.secured import WAYS, Asking, Papers, quickly

from trireel_client import (
    InvalidTls,
    NotAllowed,
    RequestTimeout,
    Retry,
    ServerPath,
    ServerUnavailable,
    Timeout,
    Tls,
    TlsFailed,
    TrireelClient,
)


@pytest.fixture(params=WAYS)
def asking(request: pytest.FixtureRequest) -> Asking:
    return Asking(request.param)


@pytest.fixture
def system(tmp_path, monkeypatch: pytest.MonkeyPatch):
    """A system without authorities, for now: a file and a folder."""
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "folder"))
    return tmp_path / "system.pem", tmp_path / "folder"


def test_a_server_with_a_trusted_certificate(asking: Asking, papers: Papers) -> None:
    with asking.serving(ServerTls(papers.localhost)) as url:
        assert asking.name(url, papers.trusting()) == "triton"


def test_a_server_whose_own_certificate_is_trusted(asking: Asking, papers: Papers) -> None:
    with asking.serving(ServerTls(papers.localhost)) as url:
        assert asking.name(url, Tls(papers.localhost.certificate)) == "triton"
        with pytest.raises(TlsFailed, match="is not trusted"):
            asking.name(url, Tls(papers.loopback.certificate))


def test_a_server_named_by_its_ip_address(asking: Asking, papers: Papers) -> None:
    with asking.serving(ServerTls(papers.loopback)) as url:
        url = url.replace("localhost", "127.0.0.1")
        assert asking.name(url, papers.trusting()) == "triton"


def test_a_server_whose_certificate_has_another_name(asking: Asking, papers: Papers) -> None:
    with asking.serving(ServerTls(papers.example)) as url:
        assert asking.name(url, papers.trusting(name="video.example")) == "triton"
        with quickly(), pytest.raises(TlsFailed, match="is not for 'localhost': ask it by a name"):
            asking.name(url, papers.trusting())
        url = url.replace("localhost", "127.0.0.1")
        with pytest.raises(TlsFailed, match=r"is not for '127\.0\.0\.1'"):
            asking.name(url, papers.trusting())


def test_a_certificate_that_nobody_known_signed(asking: Asking, papers: Papers) -> None:
    with asking.serving(ServerTls(papers.localhost)) as url:
        tls = Tls(ca_file=papers.stranger.certificate)
        with quickly(), pytest.raises(TlsFailed, match=r"is not trusted .* as ca_file$") as raised:
            asking.name(url, tls)
        assert f"the server at {url}" in str(raised.value)
        assert raised.value.__cause__ is not None


def test_a_certificate_whose_time_is_over(asking: Asking, papers: Papers) -> None:
    with (
        asking.serving(ServerTls(papers.ended)) as url,
        quickly(),
        pytest.raises(TlsFailed, match=r"\(certificate has expired\)$"),
    ):
        asking.name(url, papers.trusting())


def test_a_server_that_wants_certificates(asking: Asking, papers: Papers) -> None:
    with asking.serving(ServerTls(papers.localhost, papers.authority.certificate)) as url:
        assert asking.name(url, papers.trusting(papers.client)) == "triton"
        with quickly(), pytest.raises(NotAllowed, match="wants a certificate of its clients"):
            asking.name(url, papers.trusting())
        with quickly(), pytest.raises(NotAllowed, match=r"not accept .* of certificate_file$"):
            asking.name(url, papers.trusting(papers.foreign))


def test_a_server_of_tls_1_2_that_wants_certificates(papers: Papers) -> None:
    asking = Asking("http")
    old = ssl.TLSVersion.TLSv1_2
    with asking.serving(ServerTls(papers.localhost, papers.authority.certificate, old)) as url:
        assert asking.name(url, papers.trusting(papers.client)) == "triton"
        with pytest.raises(TlsFailed, match="refuses the TLS handshake: handshake failure"):
            asking.name(url, papers.trusting())


def test_tls_where_there_is_none(asking: Asking, papers: Papers) -> None:
    with (
        asking.serving(None) as url,
        quickly(),
        pytest.raises(TlsFailed, match="does not speak TLS: leave `tls` out"),
    ):
        asking.name(url, papers.trusting())


@pytest.mark.parametrize("answers", [True, False])
def test_a_server_that_hangs_up_on_tls(asking: Asking, papers: Papers, answers: bool) -> None:
    """As Triton's HTTP does; one that is going away does it to everybody."""
    wanted, kind = ("not speak TLS", TlsFailed) if answers else ("not available", ServerUnavailable)
    with (
        ThreadPoolExecutor(1) as thread,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        begun = thread.submit(answer_get, 99 if answers else 0, listening)
        with quickly(), pytest.raises(kind, match=wanted):
            asking.name(url_of(listening), papers.trusting(), retries=Retry(attempts=1))
        end(listening)
        assert b"GET" in begun.result()


@pytest.mark.parametrize("wants_certificates", [False, True])
def test_no_tls_where_there_is_some(
    asking: Asking, papers: Papers, wants_certificates: bool
) -> None:
    clients = papers.authority.certificate if wants_certificates else None
    with (
        asking.serving(ServerTls(papers.localhost, clients)) as url,
        quickly(),
        pytest.raises(TlsFailed, match=r"speaks TLS: give `tls` \(--tls\)$"),
    ):
        asking.name(url, None)


def test_the_other_protocol_in_tls(asking: Asking, papers: Papers) -> None:
    other = Asking({"grpc": "http", "http": "grpc"}[asking.protocol])
    wanted = {"grpc": "speaks TLS, but not gRPC", "http": "closed the connection without"}
    with (
        other.serving(ServerTls(papers.localhost)) as url,
        quickly(),
        pytest.raises((TlsFailed, ServerUnavailable), match=wanted[asking.protocol]),
    ):
        asking.name(url, papers.trusting(), retries=Retry(attempts=1))


def test_nobody_listens(asking: Asking, papers: Papers) -> None:
    with asking.serving(ServerTls(papers.localhost)) as url:
        pass
    with pytest.raises(ServerUnavailable, match="no server listens there"):
        asking.name(url, papers.trusting(), retries=Retry(attempts=2, first_wait_seconds=0.001))


def test_a_server_that_says_nothing(asking: Asking, papers: Papers) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = url_of(silent)
        options = {"timeout": Timeout(0.2, 0.2), "retries": Retry(attempts=1)}
        with quickly(), pytest.raises((RequestTimeout, ServerUnavailable), match=url):
            asking.name(url, papers.trusting(), **options)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_whole_videos(papers: Papers, protocol: str) -> None:
    script = Script()
    script.answers["video_analysis"] = lambda asked: whole_video()
    with (
        Asking(protocol).serving(ServerTls(papers.localhost), script) as url,
        TrireelClient(url, protocol=protocol, tls=papers.trusting()) as client,
    ):
        assert client.is_ready()
        assert client.analyze(ServerPath("a.mp4")).num_chunks == 3


@pytest.mark.parametrize("blocking", [True, False])
def test_streams(papers: Papers, blocking: bool) -> None:
    script = Script()
    script.answers["video_analysis_stream"] = lambda asked: stream_of()
    with Asking("grpc").serving(ServerTls(papers.localhost), script) as url:
        either = Either(Loopback(url, "grpc", script, papers.trusting()), blocking)
        assert indices(either.all("stream")) == [0, 1, 2, "whole"]


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_without_trust_nothing_is_called_unready(papers: Papers, protocol: str) -> None:
    tls = Tls(ca_file=papers.stranger.certificate)
    with (
        Asking(protocol).serving(ServerTls(papers.localhost)) as url,
        TrireelClient(url, protocol=protocol, tls=tls) as client,
    ):
        for model in (None, "video_analysis"):
            with pytest.raises(TlsFailed, match="is not trusted"):
                client.is_ready(model)


def test_the_systems_authorities_by_default(asking: Asking, papers: Papers, system) -> None:
    file, _ = system
    with asking.serving(ServerTls(papers.localhost)) as url:
        with pytest.raises(InvalidTls, match="has no certificate authorities"):
            asking.name(url, Tls())
        file.write_bytes(papers.stranger.certificate.read_bytes())
        with pytest.raises(TlsFailed, match="is not trusted"):
            asking.name(url, Tls())
        file.write_bytes(papers.authority.certificate.read_bytes())
        assert asking.name(url, Tls()) == "triton"


@pytest.mark.parametrize("way", ["grpc", "grpc-async"])
def test_the_systems_authorities_in_a_folder(way: str, papers: Papers, system) -> None:
    """Over HTTP OpenSSL looks into it; gRPC has to be told."""
    _, folder = system
    (folder / "0a1b2c3d.0").write_bytes(papers.authority.certificate.read_bytes())
    (folder / "README").write_text("no certificate")
    (folder / "ffffffff.0").write_text("no certificate either")
    with Asking(way).serving(ServerTls(papers.localhost)) as url:
        assert Asking(way).name(url, Tls()) == "triton"


@pytest.fixture
def handshakes(monkeypatch: pytest.MonkeyPatch) -> list:
    """Where the client tries handshakes of its own."""
    seen = []
    connect = socket.create_connection

    def seen_connect(where, *arguments):
        seen.append(where)
        return connect(where, *arguments)

    monkeypatch.setattr(socket, "create_connection", seen_connect)
    return seen


@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("encrypted", [True, False])
def test_what_a_server_says_needs_no_handshake(
    papers: Papers, handshakes: list, encrypted: bool, blocking: bool
) -> None:
    script = Script(refusals=[UNAVAILABLE] * 9)
    tls = ServerTls(papers.localhost) if encrypted else None
    with Asking("grpc").serving(tls, script) as url:
        server = Loopback(url, "grpc", script, papers.trusting() if encrypted else None)
        with pytest.raises(ServerUnavailable, match="the queue is full"):
            Either(server, blocking).all("stream")
        with server.client() as client, pytest.raises(ServerUnavailable, match="queue is full"):
            client.embed_texts(["a cat"])
    assert handshakes == []
    with (
        Asking("grpc").serving(ServerTls(papers.example)) as url,
        pytest.raises(TlsFailed, match="is not for"),
    ):
        Asking("grpc").name(url, papers.trusting())
    assert len(handshakes) == 1


def test_a_plain_server_that_has_answered_is_not_asked_for_tls() -> None:
    """A server that goes away is a server that goes away."""
    retries = Retry(attempts=3, first_wait_seconds=0.001)
    with (
        ThreadPoolExecutor(1) as thread,
        socket.create_server(("127.0.0.1", 0)) as listening,
        TrireelClient(url_of(listening), protocol="http", retries=retries) as client,
    ):
        begun = thread.submit(answer_get, 1, listening)
        assert client.server_info().name == "triton"
        with pytest.raises(ServerUnavailable, match="closed the connection"):
            client.server_info()
        end(listening)
        assert set(begun.result()) == {b"GET"}


def answer_get(answers: int, listening: socket.socket) -> list[bytes]:
    """Answer so many GETs and close all else, until `end`; return what each began with."""
    begun = []
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
    text = b'{"name": "triton", "version": ""}'
    while True:
        line, _ = listening.accept()
        with line:
            said = line.recv(1000)[:3]
            if said == b"END":
                return begun
            if said == b"GET" and begun.count(said) < answers:
                line.sendall(answer % (len(text), text))
            begun.append(said)


def end(listening: socket.socket) -> None:
    with socket.create_connection(listening.getsockname()) as last:
        last.sendall(b"END")


def url_of(listening: socket.socket) -> str:
    return f"127.0.0.1:{listening.getsockname()[1]}"
