# SPDX-License-Identifier: Apache-2.0
"""The options of a container's server, and its flags against those of a real Triton."""

import re
from pathlib import Path

import pytest
import typer
from support.repository import EXPORT, MODELS

from trireel_backend.errors import MissingPart, StartupError
from trireel_backend.launch import health
from trireel_backend.launch.embedded.wheel import find_wheel, make_backend_folder
from trireel_backend.launch.flags import arguments, common_flags
from trireel_backend.launch.image import server
from trireel_backend.launch.image.cli import app
from trireel_backend.launch.image.flags import HTTP_APIS, NEWER_FLAGS, container_flags
from trireel_backend.launch.image.options import ContainerOptions, GrpcTls, Tracing, grpc_tls
from trireel_backend.launch.image.triton import find_triton
from trireel_backend.launch.ports import Ports


@pytest.fixture(scope="module")
def opt(tmp_path_factory):
    """A folder laid out as /opt/tritonserver, with the wheel's Triton."""
    folder = tmp_path_factory.mktemp("tritonserver")
    wheel = find_wheel()
    (folder / "bin").mkdir()
    (folder / "bin/tritonserver").symlink_to(wheel.server)
    make_backend_folder(wheel, folder / "backends")
    return folder


@pytest.fixture
def pem(tmp_path):
    for name in ("server.pem", "server.key", "clients.pem", "probe.pem", "probe.key"):
        (tmp_path / name).write_text("only its presence is checked")
    return tmp_path


def options(**changed):
    defaults = {
        "triton": Path("/opt/tritonserver"),
        "models": MODELS,
        "export": EXPORT,
        "media": Path("/media"),
        "spool": Path("/spool"),
        "engines": Path("/engines"),
        "profile": "cpu",
        "listen": "0.0.0.0",
        "ports": Ports(),
    }
    return ContainerOptions(**(defaults | changed))


def everything(pem):
    """Return options that need every flag."""
    tls = GrpcTls(
        certificate=pem / "server.pem",
        key=pem / "server.key",
        client_ca=pem / "clients.pem",
        probe_certificate=pem / "probe.pem",
        probe_key=pem / "probe.key",
    )
    return options(tls=tls, tracing=Tracing("http://otel:4318/v1/traces"), http_max_input_mib=32)


def all_flags(options, flag_names):
    common = common_flags(
        repository=Path("/r"),
        backends=Path("/b"),
        address=options.listen,
        ports=options.ports,
        exit_seconds=10,
    )
    return common | container_flags(options, flag_names)


def test_every_flag_is_in_triton_or_listed_with_its_release(opt, pem):
    known = find_triton(opt).flags
    command = arguments(all_flags(everything(pem), known | NEWER_FLAGS.keys()), "prefix")
    names = {argument.removeprefix("--").partition("=")[0] for argument in command}
    assert names - known == NEWER_FLAGS.keys()


def test_an_older_triton_gets_no_flag_that_it_does_not_have(opt):
    known = find_triton(opt).flags
    assert all_flags(options(), known).keys() <= known
    with pytest.raises(MissingPart, match=r"--http-max-input-mib needs Triton 25\.06 or newer"):
        container_flags(options(http_max_input_mib=32), known)


def test_a_newer_triton_limits_bodies_and_closes_client_memory():
    flags = container_flags(options(http_max_input_mib=32), frozenset(NEWER_FLAGS))
    assert flags["allow-client-shm"] == "false"
    assert flags["http-max-input-size"] == 32 * 2**20


def test_each_protocol_closes_the_admin_apis_with_its_own_secret():
    flags = all_flags(options(), frozenset())
    apis, _, key = flags["http-restricted-api"].partition(":")
    assert set(apis.split(",")) == {"model-repository", "shared-memory", "trace", "logging"}
    name, _, secret = key.partition("=")
    assert name == "trireel:closed"
    assert len(secret) == 64
    assert secret not in flags["grpc-restricted-protocol"]
    assert flags["model-control-mode"] == "none"


def test_with_tls_http_serves_only_health(pem):
    flags = all_flags(everything(pem), frozenset(NEWER_FLAGS))
    apis = flags["http-restricted-api"].partition(":")[0].split(",")
    assert set(apis) == set(HTTP_APIS)
    assert "inference" in apis
    assert "health" not in apis
    assert flags["grpc-use-ssl-mutual"] == "true"


def test_without_certificates_there_is_no_tls():
    paths = ("certificate", "key", "client_ca", "probe_certificate", "probe_key")
    assert grpc_tls(server_name="localhost", **dict.fromkeys(paths)) is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"certificate": None}, "both --grpc-certificate and --grpc-key"),
        ({"key": None}, "both --grpc-certificate and --grpc-key"),
        ({"key": "none.key"}, r"none\.key is not there: give a PEM file"),
        ({"client_ca": "clients.pem"}, "need a client certificate too"),
        ({"probe_certificate": "probe.pem"}, "both --probe-certificate and --probe-key"),
    ],
)
def test_incomplete_certificates_are_named(pem, changes, message):
    names = {
        "certificate": "server.pem",
        "key": "server.key",
        "client_ca": None,
        "probe_certificate": None,
        "probe_key": None,
    }
    paths = {option: name and pem / name for option, name in (names | changes).items()}
    with pytest.raises(StartupError, match=message):
        grpc_tls(server_name="localhost", **paths)


def test_a_folder_without_triton_is_named(tmp_path):
    with pytest.raises(MissingPart, match=r"bin/tritonserver is not there: run this in NVIDIA's"):
        find_triton(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("#!/bin/sh\necho 'libcudart.so: cannot open' >&2; exit 127\n", "its flags: libcudart.so"),
        ("no program", "cannot be run: .*Exec format error"),
    ],
)
def test_a_triton_that_cannot_be_run_is_named_with_the_reason(tmp_path, content, message):
    (tmp_path / "bin").mkdir()
    (tmp_path / "backends/python").mkdir(parents=True)
    binary = tmp_path / "bin/tritonserver"
    binary.write_text(content)
    binary.chmod(0o755)
    with pytest.raises(MissingPart, match=message):
        find_triton(tmp_path)


def test_too_little_shared_memory_is_rejected_at_the_start(monkeypatch):
    monkeypatch.setattr(server, "LEAST_SHM_BYTES", 2**60)
    with pytest.raises(MissingPart, match=r"give it .* MiB or more \(docker --shm-size"):
        server._check_shared_memory()


def test_a_spool_without_write_permission_is_named(tmp_path, monkeypatch):
    # Root may write everywhere, and tests may run as root.
    monkeypatch.setattr(server.os, "access", lambda path, mode: False)
    with pytest.raises(MissingPart, match="cannot be written by user"):
        server._check_spool(tmp_path)


@pytest.mark.parametrize(
    ("environment", "url", "export"),
    [
        ({}, "127.0.0.1:8001", "/export"),
        ({"TRIREEL_LISTEN": "", "TRIREEL_GRPC_PORT": ""}, "127.0.0.1:8001", "/export"),
        ({"TRIREEL_GRPC_PORT": "9001", "TRIREEL_EXPORT": "/e"}, "127.0.0.1:9001", "/e"),
        ({"TRIREEL_LISTEN": "10.1.2.3"}, "10.1.2.3:8001", "/export"),
        ({"TRIREEL_LISTEN": "::"}, "[::1]:8001", "/export"),
    ],
)
def test_health_calls_the_address_that_the_server_listens_on(monkeypatch, environment, url, export):
    for name in ("TRIREEL_LISTEN", "TRIREEL_GRPC_PORT", "TRIREEL_EXPORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    arguments = health.create_parser().parse_args([])
    assert (arguments.url, str(arguments.export)) == (url, export)


def test_health_reads_the_variables_of_the_servers_options():
    names = set(re.findall(r'"(TRIREEL_[A-Z_]+)"', Path(health.__file__).read_text()))
    options = {f"TRIREEL_{option.name.upper()}" for option in typer.main.get_command(app).params}
    assert names <= options
