# SPDX-License-Identifier: Apache-2.0
"""Videos over HTTPS: the certificate is checked for the host name of the URI."""

import ssl

import pytest
from support.web import web_server, with_ranges

from trireel_backend.errors import (
    SourceRefused,
    Unavailable,
)
from trireel_backend.sources.web import WebSource

from .fetcher import VIDEO, Fetcher, redirect


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
