# SPDX-License-Identifier: Apache-2.0
"""TLS as the Kubernetes component adds it to Envoy: by a certificate that may be renewed."""

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.balancing import CLUSTERS, balancer, wait_until
from tritonclient.grpc import service_pb2, service_pb2_grpc
from unit.client.loopback import SERVERS
from unit.client.scripted import Script
from unit.deploy.rendered import render

from trireel_backend.launch.ports import Ports

HOST = "localhost"
FOLDER = "/etc/envoy-tls"


@dataclass(frozen=True)
class Certificate:
    """A certificate that signs itself, in PEM."""

    certificate: bytes
    key: bytes

    @classmethod
    def new(cls) -> "Certificate":
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(
            made.public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )

    def trusting(self) -> ssl.SSLContext:
        """Return a client's side that trusts this one and no other."""
        return ssl.create_default_context(cadata=self.certificate.decode())


class SecretVolume:
    """A folder with a Secret's files, renewed as Kubernetes does: all at once, by a link."""

    def __init__(self, folder: Path, certificate: Certificate) -> None:
        self.folder = folder
        folder.mkdir()
        self._versions = 0
        self.put(certificate)
        for name in ("tls.crt", "tls.key"):
            (folder / name).symlink_to(f"..data/{name}")

    def put(self, certificate: Certificate) -> None:
        """Make this the certificate."""
        self._versions += 1
        version = self.folder / f"..version{self._versions}"
        version.mkdir()
        (version / "tls.crt").write_bytes(certificate.certificate)
        (version / "tls.key").write_bytes(certificate.key)
        link = self.folder / "..data_tmp"
        link.symlink_to(version.name)
        link.rename(self.folder / "..data")


@pytest.fixture
def first() -> Certificate:
    return Certificate.new()


@pytest.fixture
def secret(tmp_path, first) -> SecretVolume:
    return SecretVolume(tmp_path / "secret", first)


@pytest.fixture
def envoy(tmp_path, secret):
    """Envoy with the component's configuration, its paths moved to where the files are here."""
    (tmp_path / "overlay").mkdir()
    objects = render("cpu", ["tls"], tmp_path / "overlay")
    data = objects.one("ConfigMap", "trireel-envoy")["data"]
    sds = tmp_path / "certificate.yaml"
    sds.write_text(data["certificate.yaml"].replace(FOLDER, str(secret.folder)))
    deployed = yaml.safe_load(data["envoy.yaml"])

    def with_tls(config) -> None:
        ((own,), (theirs,)) = (
            c["static_resources"]["listeners"][0]["filter_chains"] for c in (config, deployed)
        )
        text = yaml.safe_dump(theirs["transport_socket"])
        own["transport_socket"] = yaml.safe_load(
            text.replace("/etc/envoy/certificate.yaml", str(sds))
        )

    script = Script()
    with SERVERS["http"](script) as http, SERVERS["grpc"](script) as rpc:
        ports = Ports(*(int(url.rpartition(":")[2]) for url in (http, rpc)), 1)
        with balancer([ports], tmp_path, with_tls) as envoy:
            assert all(envoy.healthy(cluster) == 1 for cluster in CLUSTERS)
            yield envoy


def is_ready_by_grpc(envoy, certificate: Certificate) -> bool:
    credentials = grpc.ssl_channel_credentials(certificate.certificate)
    with grpc.secure_channel(f"{HOST}:{envoy.port}", credentials) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        return stub.ServerReady(service_pb2.ServerReadyRequest(), timeout=5.0).ready


def is_ready_by_https(envoy, certificate: Certificate) -> bool:
    url = f"https://{HOST}:{envoy.port}/v2/health/ready"
    try:
        return httpx.get(url, verify=certificate.trusting()).status_code == 200
    except httpx.ConnectError:
        return False


def test_both_protocols_are_encrypted_on_the_same_port(envoy, first):
    assert is_ready_by_https(envoy, first)
    assert is_ready_by_grpc(envoy, first)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://{HOST}:{envoy.port}/v2/health/ready")
    assert not is_ready_by_https(envoy, Certificate.new())


def test_a_certificate_is_renewed_without_a_restart(envoy, secret, first):
    second = Certificate.new()
    assert not is_ready_by_https(envoy, second)
    secret.put(second)
    wait_until(lambda: is_ready_by_https(envoy, second))
    assert is_ready_by_grpc(envoy, second)
    assert not is_ready_by_https(envoy, first)


def test_old_protocols_are_refused(envoy, first):
    old = first.trusting()
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"https://{HOST}:{envoy.port}/v2/health/ready", verify=old)
