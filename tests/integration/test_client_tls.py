# SPDX-License-Identifier: Apache-2.0
"""The client with TLS: to Envoy as Kubernetes has it, and to Triton's own gRPC."""

import asyncio
import re
import subprocess
import sys
import time
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from support.balancing import balancer
from support.certificates import Authority, Certificate
from support.container import launched, lay_out_triton

from trireel_backend.launch.ports import Ports
from trireel_client import (
    Analysis,
    AsyncTrireelClient,
    NotAllowed,
    ServerPath,
    Tls,
    TlsFailed,
    TrireelClient,
)

from .conftest import ROOT

COMPONENT = ROOT / "deploy/kubernetes/components/tls"
TRIREEL = Path(sys.executable).parent / "trireel"
HOST = "trireel.example"
VIDEO = ServerPath("sample.mp4")
WAYS = ("grpc", "http", "grpc-async")
QUICK_SECONDS = 5.0


@dataclass(frozen=True)
class Papers:
    """An authority, what it signed, and what a stranger did."""

    authority: Authority
    stranger: Authority
    server: Certificate
    client: Certificate
    foreign: Certificate

    def tls(self, shown: Certificate | None = None, **others) -> Tls:
        files = {} if shown is None else {"certificate_file": shown.certificate}
        files |= {} if shown is None else {"key_file": shown.key}
        return Tls(
            **{"ca_file": self.authority.certificate, "server_name": HOST, **files, **others}
        )


@dataclass(frozen=True)
class Secured:
    """A server with TLS."""

    url: str
    wants_certificate: bool
    ways: tuple[str, ...]


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("papers")
    authority, stranger = Authority(folder), Authority(folder, "stranger")
    return Papers(
        authority,
        stranger,
        authority.sign("server", HOST),
        authority.sign("client", "client"),
        stranger.sign("foreign", "foreign"),
    )


@pytest.fixture(scope="module", params=[False, True], ids=["open", "guarded"])
def envoy(request, server, papers, tmp_path_factory):
    """Envoy with the component's TLS before the session's server."""
    folder = tmp_path_factory.mktemp("envoy")
    guard = papers.authority.certificate if request.param else None
    with balancer(
        [Ports(*map(port_of, (server.http_url, server.grpc_url)), 1)],
        folder,
        lambda config: add_tls(config, folder, papers.server, guard),
    ) as running:
        yield Secured(f"localhost:{running.port}", request.param, WAYS)


@pytest.fixture(scope="module", params=[False, True], ids=["open", "guarded"])
def triton(request, papers, tmp_path_factory):
    """Triton as the container starts it, with gRPC over TLS."""
    settings = {
        "TRIREEL_GRPC_CERTIFICATE": papers.server.certificate,
        "TRIREEL_GRPC_KEY": papers.server.key,
        "TRIREEL_GRPC_SERVER_NAME": HOST,
    }
    if request.param:
        settings |= {
            "TRIREEL_GRPC_CLIENT_CA": papers.authority.certificate,
            "TRIREEL_PROBE_CERTIFICATE": papers.client.certificate,
            "TRIREEL_PROBE_KEY": papers.client.key,
        }
    with launched(
        lay_out_triton(tmp_path_factory.mktemp("tritonserver")),
        tmp_path_factory.mktemp("container"),
        **{name: str(path) for name, path in settings.items()},
    ) as running:
        yield Secured(running.grpc_url, request.param, ("grpc", "grpc-async"))


@pytest.fixture(scope="module")
def plainly(server):
    """The analysis without TLS."""
    return analysed("grpc", server.grpc_url, None)


def test_the_same_answer_by_envoy(envoy, papers, plainly):
    check_answers(envoy, papers, plainly)


def test_the_same_answer_by_triton(triton, papers, plainly):
    check_answers(triton, papers, plainly)


def test_what_is_said_of_envoy(envoy, papers):
    check_refusals(envoy, papers)


def test_what_is_said_of_triton(triton, papers):
    check_refusals(triton, papers)


@pytest.mark.parametrize("way", WAYS)
def test_tls_where_triton_has_none(server, papers, way):
    url = server.url(protocol_of(way))
    assert_is_said(TlsFailed, "does not speak TLS: leave `tls` out", way, url, papers.tls())


def check_answers(secured, papers, plainly):
    """Ask in all ways, and by the command."""
    shown = papers.client if secured.wants_certificate else None
    for way in secured.ways:
        analysis = analysed(way, secured.url, papers.tls(shown))
        assert [tag.text for tag in analysis.tags] == [tag.text for tag in plainly.tags]
        assert analysis.scene_changes == plainly.scene_changes
        done = status(way, secured.url, papers, shown)
        assert done.returncode == 0, done.stderr
        assert "temporal_decoder" in done.stdout
    chunks = asyncio.run(streamed(secured.url, papers.tls(shown)))
    assert [type(chunk) is Analysis for chunk in chunks] == [False] * plainly.num_chunks + [True]


def check_refusals(secured, papers):
    """Ask in all ways as one should not."""
    shown = papers.client if secured.wants_certificate else None
    right, url = papers.tls(shown), secured.url
    host = url.partition(":")[0]
    for way in secured.ways:
        unknown = papers.tls(shown, ca_file=papers.stranger.certificate)
        assert_is_said(TlsFailed, "give the authority that signed it as ca_file", way, url, unknown)
        unnamed = papers.tls(shown, server_name=None)
        assert_is_said(TlsFailed, f"is not for {host!r}: ask it by", way, url, unnamed)
        assert_is_said(TlsFailed, "speaks TLS: give `tls`", way, url, None)
        if secured.wants_certificate:
            wanted = "wants a certificate of its clients"
            assert_is_said(NotAllowed, wanted, way, url, papers.tls())
            foreign = papers.tls(papers.foreign)
            assert_is_said(NotAllowed, "does not accept the certificate", way, url, foreign)
            done = status(way, url, papers, None)
            assert done.returncode == 1
            assert done.stderr.startswith(f"trireel: the server at {url} {wanted}")
            assert done.stderr.count("\n") == 1
        assert named(way, url, right) == "triton"


def assert_is_said(error, message, way, url, tls):
    began = time.monotonic()
    with pytest.raises(error, match=re.escape(message)):
        named(way, url, tls)
    assert time.monotonic() - began < QUICK_SECONDS


def protocol_of(way):
    return way.partition("-")[0]


def analysed(way, url, tls):
    return asked(way, url, tls, lambda client: client.analyze(VIDEO))


def named(way, url, tls):
    return asked(way, url, tls, lambda client: client.server_info()).name


def asked(way, url, tls, ask):
    """Return what one of the clients is told."""

    async def ask_async():
        async with AsyncTrireelClient(url, tls=tls) as client:
            return await ask(client)

    if way == "grpc-async":
        return asyncio.run(ask_async())
    with TrireelClient(url, protocol=protocol_of(way), tls=tls) as client:
        return ask(client)


async def streamed(url, tls):
    async with (
        AsyncTrireelClient(url, tls=tls) as client,
        aclosing(client.stream(VIDEO)) as answers,
    ):
        return [answer async for answer in answers]


def status(way, url, papers, shown):
    """Run the command."""
    options = {"url": url, "protocol": protocol_of(way), "server-name": HOST}
    options["ca-file"] = papers.authority.certificate
    if shown is not None:
        options |= {"certificate-file": shown.certificate, "key-file": shown.key}
    words = [f"--{name}={value}" for name, value in options.items()]
    return subprocess.run([TRIREEL, "status", *words], capture_output=True, text=True, timeout=60)


def port_of(url):
    return int(url.rpartition(":")[2])


def add_tls(config, folder, own, clients):
    """Give Envoy's listener the component's socket; with an authority, it wants certificates."""
    secret = folder / "certificate.yaml"
    text = (COMPONENT / "certificate.yaml").read_text().replace("/etc/envoy-tls", str(folder))
    secret.write_text(text)
    (folder / "tls.crt").write_bytes(own.certificate.read_bytes())
    (folder / "tls.key").write_bytes(own.key.read_bytes())
    text = yaml.safe_load((COMPONENT / "socket.yaml").read_text())["data"]["socket"]
    transport_socket = yaml.safe_load(text.replace("/etc/envoy/certificate.yaml", str(secret)))
    if clients is not None:
        tls = transport_socket["typed_config"]
        tls["require_client_certificate"] = True
        trusted = {"trusted_ca": {"filename": str(clients)}}
        tls["common_tls_context"]["validation_context"] = trusted
    (chain,) = config["static_resources"]["listeners"][0]["filter_chains"]
    chain["transport_socket"] = transport_socket
