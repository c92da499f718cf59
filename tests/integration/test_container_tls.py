# SPDX-License-Identifier: Apache-2.0
"""gRPC with certificates: who gets in, and what is left of HTTP."""

import httpx
import pytest
from support.certificates import Authority
from support.container import launched, lay_out_triton
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException
from typer.testing import CliRunner

from trireel_backend.launch.gate.command import app

from .conftest import EXPORT

HOST = "trireel.example"


@pytest.fixture(scope="module")
def opt(tmp_path_factory):
    return lay_out_triton(tmp_path_factory.mktemp("tritonserver"))


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    """The authority of servers and clients, and one that nobody asked."""
    folder = tmp_path_factory.mktemp("certificates")
    return Authority(folder), Authority(folder, "stranger")


@pytest.fixture(scope="module")
def guarded(opt, authorities, tmp_path_factory):
    """A server with a certificate that wants one of its clients."""
    authority, _ = authorities
    own, probe = authority.sign("server", HOST), authority.sign("probe", "probe")
    with launched(
        opt,
        tmp_path_factory.mktemp("guarded"),
        TRIREEL_GRPC_CERTIFICATE=str(own.certificate),
        TRIREEL_GRPC_KEY=str(own.key),
        TRIREEL_GRPC_CLIENT_CA=str(authority.certificate),
        TRIREEL_GRPC_SERVER_NAME=HOST,
        TRIREEL_PROBE_CERTIFICATE=str(probe.certificate),
        TRIREEL_PROBE_KEY=str(probe.key),
    ) as server:
        yield server


def is_live(server, **tls):
    arguments = [("grpc.ssl_target_name_override", HOST)]
    with InferenceServerClient(server.grpc_url, channel_args=arguments, **tls) as client:
        return client.is_server_live(client_timeout=5)


def paths(certificate):
    return {
        "certificate_chain": str(certificate.certificate),
        "private_key": str(certificate.key),
    }


def test_tls_admits_who_has_a_certificate(guarded, authorities):
    authority, _ = authorities
    known = paths(authority.sign("client", "client"))
    assert is_live(guarded, ssl=True, root_certificates=str(authority.certificate), **known)


def test_tls_refuses_all_others(guarded, authorities):
    authority, stranger = authorities
    trusted = {"ssl": True, "root_certificates": str(authority.certificate)}
    foreign = paths(stranger.sign("foreign", "foreign"))
    others = [
        {},  # no TLS
        trusted,  # no certificate
        {**trusted, **foreign},  # one that another authority signed
        # A client that does not know the server's authority refuses the server.
        {"ssl": True, "root_certificates": str(stranger.certificate), **foreign},
    ]
    for tls in others:
        with pytest.raises(InferenceServerException, match=r"connect|handshake|closed"):
            is_live(guarded, **tls)


def test_beside_tls_http_says_nothing_but_that_it_is_well(guarded):
    assert httpx.get(f"{guarded.http_url}/v2/health/ready").status_code == 200
    assert httpx.get(f"{guarded.http_url}/v2").status_code == 403
    assert httpx.get(f"{guarded.http_url}/v2/models/siglip_text/config").status_code == 403
    answer = httpx.post(f"{guarded.http_url}/v2/models/siglip_text/infer", json={"inputs": []})
    assert answer.status_code == 403


def test_the_gate_asks_over_tls(guarded, authorities):
    authority, _ = authorities
    known = authority.sign("gate", "gate")
    asked = ["--url", guarded.grpc_url, "--export", str(EXPORT)]
    asked += ["--ca-file", str(authority.certificate), "--server-name", HOST]
    shown = ["--certificate-file", str(known.certificate), "--key-file", str(known.key)]
    passed = CliRunner().invoke(app, asked + shown)
    assert passed.exit_code == 0, passed.output
    refused = CliRunner().invoke(app, asked)
    assert refused.exit_code == 1
    assert "does not serve siglip_vision" in " ".join(refused.output.split())


def test_health_asks_over_tls_by_the_servers_own_settings(guarded):
    assert guarded.health().returncode == 0
    assert guarded.health("--grpc-server-name", "other.example").returncode == 1
