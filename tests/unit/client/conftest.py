# SPDX-License-Identifier: Apache-2.0
"""Loopback servers for the client's tests."""

from collections.abc import Iterator

import pytest
from unit.client.loopback import SERVERS, Loopback
from unit.client.scripted import Script
from unit.client.secured import Papers


@pytest.fixture(params=sorted(SERVERS))
def server(request: pytest.FixtureRequest) -> Iterator[Loopback]:
    """A loopback server, once for each protocol."""
    script = Script()
    with SERVERS[request.param](script) as url:
        yield Loopback(url, request.param, script)


@pytest.fixture
def grpc_only() -> Iterator[Loopback]:
    """A loopback server for what only gRPC does."""
    script = Script()
    with SERVERS["grpc"](script) as url:
        yield Loopback(url, "grpc", script)


@pytest.fixture(scope="session")
def papers(tmp_path_factory) -> Papers:
    """Authorities and certificates."""
    return Papers.new(tmp_path_factory.mktemp("papers"))


@pytest.fixture
def video(tmp_path) -> str:
    """A small local file that stands for a video."""
    path = tmp_path / "sample.mp4"
    path.write_bytes(b"\x00moving pictures\x00")
    return str(path)
