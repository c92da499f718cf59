# SPDX-License-Identifier: Apache-2.0
"""What may be given as a video, and as an address."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from trireel_client import (
    EmptySource,
    InvalidAddress,
    InvalidRequest,
    ServerPath,
    SourceNotFound,
    SourceTooLarge,
    TrireelClient,
    UnreadableSource,
)
from trireel_client._config import Address
from trireel_client._sources import (
    MAX_UPLOAD_BYTES,
    LocalFile,
    Reference,
    Upload,
    classify,
    read_upload,
)


@pytest.mark.parametrize(
    "uri", ["s3://b/k.mp4", "http://h/a", "https://h/a?b=c", "file:///a.mp4", "S3://b", "ftp://h/a"]
)
def test_uris_go_as_they_are(uri: str) -> None:
    assert classify(uri) == Reference(uri)


def test_server_path_goes_as_it_is() -> None:
    assert classify(ServerPath("no/such/local.mp4")) == Reference("no/such/local.mp4")
    with pytest.raises(InvalidRequest, match="server path is empty"):
        classify(ServerPath(" "))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes(kind) -> None:
    assert classify(kind(b"abc")) == Upload(b"abc")


@pytest.mark.parametrize("kind", [str, Path])
def test_local_file_is_resolved(kind, tmp_path, monkeypatch) -> None:
    real = tmp_path / "real.mp4"
    real.write_bytes(b"x")
    (tmp_path / "link.mp4").symlink_to(real)
    monkeypatch.chdir(tmp_path)
    assert classify(kind("link.mp4")) == LocalFile(real.resolve())
    assert read_upload(real) == b"x"


def test_missing_file_speaks_of_the_servers_folder() -> None:
    with pytest.raises(SourceNotFound, match=r"no file 'a\.mp4'.*ServerPath\('a\.mp4'\)"):
        classify("a.mp4")


def test_folder(tmp_path) -> None:
    with pytest.raises(UnreadableSource, match="is not a file"):
        classify(tmp_path)


@pytest.mark.parametrize("source", ["x" * 5000, "a\0b"])
def test_impossible_paths(source: str) -> None:
    with pytest.raises(UnreadableSource, match="cannot be read"):
        classify(source)


def test_empty_file_and_bytes(tmp_path) -> None:
    path = tmp_path / "empty.mp4"
    path.touch()
    with pytest.raises(EmptySource, match=r"empty\.mp4' is empty"):
        classify(path)
    with pytest.raises(EmptySource, match="given as bytes is empty"):
        classify(b"")


def test_file_too_large_for_one_message(tmp_path) -> None:
    path = tmp_path / "long.mp4"
    with path.open("wb") as file:
        os.truncate(file.fileno(), MAX_UPLOAD_BYTES + 1)  # sparse: takes no room
    with pytest.raises(SourceTooLarge, match="ServerPath or a URI"):
        classify(path)


def test_file_that_goes_away_before_it_is_read(tmp_path) -> None:
    with pytest.raises(UnreadableSource, match="No such file"):
        read_upload(tmp_path / "gone.mp4")


def test_open_files_are_read_from_where_they_stand(tmp_path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"abcdef")
    with path.open("rb") as file:
        file.seek(2)
        assert classify(file) == Upload(b"cdef")
        with pytest.raises(EmptySource, match="file object is empty"):
            classify(file)
    with pytest.raises(UnreadableSource, match="closed file"):
        classify(file)
    assert classify(io.BytesIO(b"abc")) == Upload(b"abc")


def test_a_pipe_is_read_to_its_end() -> None:
    with subprocess.Popen(["printf", "abc"], stdout=subprocess.PIPE) as process:
        assert classify(process.stdout) == Upload(b"abc")


def test_a_file_of_text_is_refused(tmp_path) -> None:
    path = tmp_path / "a.mp4"
    path.write_text("abc")
    with path.open() as file, pytest.raises(InvalidRequest, match="mode 'rb'"):
        classify(file)  # type: ignore[arg-type]


def test_a_file_object_without_end(monkeypatch) -> None:
    monkeypatch.setattr("trireel_client._sources.MAX_UPLOAD_BYTES", 3 * 2**20)
    with open("/dev/zero", "rb") as file, pytest.raises(SourceTooLarge, match="longer than"):
        classify(file)


def test_not_a_source_at_all() -> None:
    with pytest.raises(TypeError, match="not int"):
        classify(7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("127.0.0.1:8001", True),
        ("127.0.0.5:1", True),
        ("localhost:8001", True),
        ("[::1]:8001", True),
        ("10.0.0.1:8001", False),
        ("triton:8001", False),
        ("localhost.example.org:8001", False),
    ],
)
def test_loopback(url: str, loopback: bool) -> None:
    address = Address.parse(url)
    assert address.is_loopback is loopback
    assert str(address) == url


@pytest.mark.parametrize(
    "url", ["127.0.0.1", "http://h:8000", "h:port", ":8001", "::1:8001", "h:99999"]
)
def test_bad_addresses(url: str) -> None:
    with pytest.raises(InvalidAddress, match=r"HOST:PORT|brackets"):
        TrireelClient(url)


def test_bad_protocol() -> None:
    with pytest.raises(ValueError, match="'grpc' or 'http'"):
        TrireelClient(protocol="rest")


def test_importing_loads_no_transport() -> None:
    script = "import sys, trireel_client; print({'grpc', 'gevent', 'rich'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
