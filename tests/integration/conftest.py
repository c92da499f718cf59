# SPDX-License-Identifier: Apache-2.0
"""The real Triton, embedded, for as long as the tests run."""

import json
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.blob_detector import write_blob_detector
from support.videos import numbered_frame, write_audio, write_video

from trireel_backend.launch.embedded.server import ServerOptions, embedded_server
from trireel_backend.launch.ports import Ports
from trireel_client import TrireelClient
from trireel_schema.catalogue import FINDINGS

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "model_repository"
EXPORT = ROOT / "export/tiny/model"
DETECTOR = ROOT / "export/detector/model"
SAMPLE = ROOT / "media/sample.mp4"
SERVED_FINDINGS = tuple(name for name in FINDINGS if name not in ("text", "description"))
"""Findings of the session's server, which has no models that read text or describe pictures."""


@dataclass(frozen=True)
class Server:
    """Where the tests' server is."""

    grpc_url: str
    http_url: str
    metrics_url: str
    media: Path
    process_id: int
    log: Path

    def url(self, protocol):
        return self.grpc_url if protocol == "grpc" else self.http_url


@pytest.fixture(scope="session")
def truth():
    """What is seen when in the bundled sample."""
    return json.loads(SAMPLE.with_suffix(".truth.json").read_text())


@pytest.fixture(scope="session")
def media(tmp_path_factory):
    """A media folder with the sample, a short clip and files that are no videos."""
    folder = tmp_path_factory.mktemp("media")
    shutil.copy(SAMPLE, folder)
    write_video(folder / "clip.mp4", [numbered_frame(i % 256) for i in range(300)])
    write_audio(folder / "audio.m4a")
    (folder / "text.mp4").write_text("I am not a video.")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "truncated.mp4").write_bytes(SAMPLE.read_bytes()[:300])
    return folder


@contextmanager
def served(media, log_folder, parameters=None, shots=None, detector=None, describe=None):
    """Run a server that reads a media folder.

    Without `shots` it cannot find scenes exactly, without `detector` it finds no objects, and
    without `describe` it describes no scenes.
    """
    options = ServerOptions(
        models=MODELS,
        export=EXPORT,
        media_root=media,
        ports=Ports.free(),
        parameters=parameters or {},
        shots=shots,
        detector=detector,
        describe=describe,
        stop_seconds=1,  # a sequence that a test has left open is not worth a wait
        log=log_folder / "triton.log",
    )
    with embedded_server(options) as running:
        ports = running.ports
        yield Server(
            grpc_url=f"127.0.0.1:{ports.grpc}",
            http_url=f"127.0.0.1:{ports.http}",
            metrics_url=f"127.0.0.1:{ports.metrics}",
            media=media,
            process_id=running.process.pid,
            log=options.log,
        )


@contextmanager
def served_alone(folder, *models, **options):
    """Serve the vision tower and a few models alone, which is quick to start; yield the address."""
    (folder / "models").mkdir()
    for name in ("siglip_vision", *models):
        (folder / "models" / name).symlink_to(MODELS / name)
    server = ServerOptions(
        models=folder / "models",
        export=EXPORT,
        media_root=folder,
        ports=Ports.free(),
        log=folder / "triton.log",
        **options,
    )
    with embedded_server(server) as running:
        yield f"127.0.0.1:{running.ports.grpc}"


@pytest.fixture(scope="session")
def server(media, tmp_path_factory):
    detector = tmp_path_factory.mktemp("detector")
    write_blob_detector(detector)
    with served(media, tmp_path_factory.mktemp("log"), detector=detector) as server:
        yield server


@pytest.fixture
def client(server):
    with TrireelClient(server.grpc_url) as client:
        yield client


@pytest.fixture(params=["grpc", "http"])
def either_client(server, request):
    """A client of each protocol in turn."""
    with TrireelClient(server.url(request.param), protocol=request.param) as client:
        yield client


@pytest.fixture(autouse=True)
def no_unexpected_errors_in_the_log(request):
    """Fail a test during which Triton or a model logged an error."""
    if "server" not in request.fixturenames:
        yield
        return
    log = request.getfixturevalue("server").log
    before = log.stat().st_size
    yield
    with log.open("rb") as lines:
        lines.seek(before)
        errors = [line for line in lines.read().decode().splitlines() if line.startswith("E")]
    assert errors == []
