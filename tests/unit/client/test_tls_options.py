# SPDX-License-Identifier: Apache-2.0
"""What `Tls` and the command's options name: files that are none, and how they are told of."""

import dataclasses
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from typer.testing import CliRunner
from unit.client.scripted import Script, ServerTls, whole_video
from unit.client.secured import WAYS, Asking, Papers, quickly

from trireel_client import InvalidTls, Tls
from trireel_client._command.cli import app
from trireel_client._command.status import MODELS

NOWHERE = "localhost:1"


@pytest.fixture(params=WAYS)
def asking(request: pytest.FixtureRequest) -> Asking:
    return Asking(request.param)


@pytest.fixture
def locked(papers: Papers, tmp_path: Path) -> Path:
    """The client's key with a password."""
    key = serialization.load_pem_private_key(papers.client.key.read_bytes(), None)
    path = tmp_path / "locked.key"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    return path


@pytest.mark.parametrize("name", ["ca_file", "certificate_file", "key_file"])
def test_files_that_cannot_be_read(
    asking: Asking, papers: Papers, tmp_path: Path, name: str
) -> None:
    good = papers.trusting(papers.client)
    with quickly(), pytest.raises(InvalidTls, match=f"{name}: there is no file '.*gone.pem'"):
        asking.name(NOWHERE, dataclasses.replace(good, **{name: tmp_path / "gone.pem"}))
    with pytest.raises(InvalidTls, match=f"{name} '.*' cannot be read: Is a directory"):
        asking.name(NOWHERE, dataclasses.replace(good, **{name: str(tmp_path)}))


def test_files_of_no_use(asking: Asking, papers: Papers, tmp_path: Path, locked: Path) -> None:
    text = tmp_path / "text.pem"
    text.write_text("I am no certificate.")
    shown, other = papers.client, papers.foreign
    for tls, message in (
        (Tls(ca_file=text), r"ca_file '.*text\.pem' holds no certificate"),
        (Tls(ca_file=shown.key), r"ca_file '.*client\.key' holds no certificate"),
        (Tls(None, text, shown.key), "not a certificate and its key in PEM"),
        (Tls(None, shown.certificate, text), "not a certificate and its key in PEM"),
        (Tls(None, shown.certificate, other.key), "the key belongs to another certificate"),
        (Tls(None, shown.certificate, locked), r"locked\.key' has a password"),
    ):
        with pytest.raises(InvalidTls, match=message):
            asking.name(NOWHERE, tls)


def test_a_certificate_and_its_key_go_together(papers: Papers) -> None:
    with pytest.raises(InvalidTls, match=r"key_file is missing: .* go together"):
        Tls(certificate_file=papers.client.certificate)
    with pytest.raises(InvalidTls, match=r"certificate_file is missing: .* go together"):
        Tls(key_file=papers.client.key)
    with pytest.raises(InvalidTls, match="server_name is empty"):
        Tls(server_name=" ")


@pytest.fixture(params=["grpc", "http"])
def guarded(request: pytest.FixtureRequest, papers: Papers):
    """A server of a name that is not its address's, which wants certificates: url, protocol."""
    script = Script()
    script.answers["video_analysis"] = lambda asked: whole_video()
    script.models_ready = dict.fromkeys(MODELS, True)
    tls = ServerTls(papers.example, papers.authority.certificate)
    with Asking(request.param).serving(tls, script) as url:
        yield url, request.param


def run(guarded: tuple[str, str], *arguments: object):
    url, protocol = guarded
    options = ("--url", url, "--protocol", protocol)
    return CliRunner().invoke(app, [str(word) for word in (*arguments, *options)])


@pytest.mark.parametrize("command", [("status",), ("analyze", "a.mp4", "--server-path")])
def test_options_of_the_commands(guarded, papers: Papers, command: tuple[str, ...]) -> None:
    whole = {
        "--ca-file": papers.authority.certificate,
        "--certificate-file": papers.client.certificate,
        "--key-file": papers.client.key,
        "--server-name": "video.example",
    }

    def with_options(**changed: object):
        chosen = {**whole, **{f"--{name}".replace("_", "-"): to for name, to in changed.items()}}
        words = [word for pair in chosen.items() if pair[1] is not None for word in pair]
        with quickly():
            return run(guarded, *command, *words)

    result = with_options()
    assert result.exit_code == 0, result.stderr
    for changed, message in (
        ({"server_name": None}, "is not for 'localhost'"),
        ({"ca_file": papers.stranger.certificate}, "is not trusted"),
        ({"ca_file": "gone.pem"}, "ca_file: there is no file 'gone.pem'"),
        ({"key_file": None}, "key_file is missing"),
        ({"certificate_file": None, "key_file": None}, "wants a certificate of its clients"),
    ):
        result = with_options(**changed)
        assert_is_a_sentence(result, message)
    assert_is_a_sentence(run(guarded, *command), "speaks TLS: give `tls` (--tls)")


def test_tls_alone_trusts_the_system(guarded, papers: Papers, monkeypatch, tmp_path) -> None:
    assert_is_a_sentence(run(guarded, "status", "--tls"), "the certificate of the server at")
    # Trusted now, but for its name.
    monkeypatch.setenv("SSL_CERT_FILE", str(papers.authority.certificate))
    assert_is_a_sentence(run(guarded, "status", "--tls"), "is not for 'localhost'")


def assert_is_a_sentence(result, message: str) -> None:
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("trireel: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
