# SPDX-License-Identifier: Apache-2.0
"""Starting, stopping and killing the server as an operator does: nothing stays behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from trireel_backend.launch.flags import SHM_GROWTH_BYTES
from trireel_backend.launch.ports import Ports
from trireel_backend.launch.run_folder import FOLDER_PREFIX
from trireel_client import SequenceLost, ServerPath, TrireelClient

from .conftest import MODELS

READY_SECONDS = 60
GONE_SECONDS = 40
SERVE = Path(sys.executable).parent / "trireel-serve"


RUNS = set()
"""How the names of a test's own regions begin: other servers may run on this machine."""


@pytest.fixture(autouse=True)
def own_folder(tmp_path_factory, monkeypatch):
    """Have the servers of a test put their folders where no others are."""
    folder = str(tmp_path_factory.mktemp("tmp"))
    monkeypatch.setenv("TMPDIR", folder)
    monkeypatch.setattr(tempfile, "tempdir", folder)
    RUNS.clear()


def traces():
    """Return what the test's own servers have left on this machine so far."""
    folders = set(Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"))
    RUNS.update(folder.name.replace("-", "_") for folder in folders)
    regions = Path("/dev/shm").glob("trireel_serve_*")
    return folders | {region for region in regions if region.name.startswith(tuple(RUNS))}


def family(process_id):
    return [psutil.Process(process_id), *psutil.Process(process_id).children(recursive=True)]


@contextmanager
def serving(media, *options):
    """Run `trireel-serve`; yields the process, the ready line and the ports."""
    ports = Ports.free()
    command = [SERVE, "--media", media, "--http-port", ports.http, "--grpc-port", ports.grpc,
               "--metrics-port", ports.metrics, *options]  # fmt: skip
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        assert traces()
        yield process, line, ports
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=GONE_SECONDS)


def wait_until(condition, seconds=GONE_SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_server_and_leaves_nothing(media, number):
    before = traces()
    with serving(media) as (process, line, ports):
        assert re.fullmatch(
            rf"Trireel is ready: HTTP 127.0.0.1:{ports.http}, gRPC 127.0.0.1:{ports.grpc}, metrics"
            rf" 127.0.0.1:{ports.metrics} \(Triton 2\.51\.0, \d+ models,"
            r" checkpoint \S+, log \S+\)\n",
            line,
        )
        members = family(process.pid)
        assert traces() > before
        process.send_signal(number)
        output, errors = process.communicate(timeout=GONE_SECONDS)
    assert process.returncode == 0
    assert (output, errors) == ("", "")
    assert not any(member.is_running() for member in members)
    assert traces() == before


def test_only_loopback_is_listened_on(server):
    addresses = {
        connection.laddr.ip.removeprefix("::ffff:")  # IPv4 on an IPv6 socket
        for connection in psutil.Process(server.process_id).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def test_a_killed_launcher_takes_its_server_along(media):
    before = traces()
    with serving(media) as (process, _, _):
        members = family(process.pid)
        process.kill()
        wait_until(lambda: not any(alive(member) for member in members))
    with serving(media):  # the next start sweeps what the killed one could not remove
        pass
    assert traces() == before


def alive(member):
    return member.is_running() and member.status() != psutil.STATUS_ZOMBIE


def test_a_server_that_dies_ends_the_launcher_with_a_sentence(media):
    before = traces()
    with serving(media, "--restarts", 0) as (process, _, _):
        (triton,) = [m for m in family(process.pid) if m.name() == "tritonserver"]
        triton.kill()
        _, errors = process.communicate(timeout=GONE_SECONDS)
    assert process.returncode == 1
    assert errors.startswith("trireel-serve: Triton ended by SIGKILL without a request to stop")
    assert len(errors.splitlines()) == 1
    (kept,) = Path(tempfile.gettempdir()).glob("trireel-ended-*.log")
    assert str(kept) in errors
    assert "Started GRPCInferenceService" in kept.read_text()
    assert traces() == before


def test_a_server_that_dies_is_started_again_and_answers(media):
    before = traces()
    with serving(media) as (process, _, ports):
        (first,) = [m for m in family(process.pid) if m.name() == "tritonserver"]
        first.kill()
        assert "it starts again in 0.5 s (restart 1 of 5" in process.stderr.readline()
        assert any(line.startswith("Trireel is ready") for line in process.stdout)
        with TrireelClient(f"127.0.0.1:{ports.grpc}") as client:
            assert client.analyze(media / "sample.mp4").chunks
    assert process.returncode == 0
    assert traces() == before


@pytest.mark.parametrize("model", ["frame_extractor", "temporal_decoder", "video_analysis_stream"])
def test_a_models_process_that_dies_ends_the_launcher_with_a_sentence(media, model):
    before = traces()
    with serving(media, "--restarts", 0) as (process, _, _):
        stub = next(m for m in family(process.pid) if f"/{model}/1/" in " ".join(m.cmdline()))
        stub.kill()
        _, errors = process.communicate(timeout=GONE_SECONDS)
    assert process.returncode == 1
    assert errors.startswith("trireel-serve: a process of one of the models died")
    assert len(errors.splitlines()) == 1
    assert traces() == before


def test_what_is_killed_all_at_once_is_swept_by_the_next_start(media):
    before = traces()
    with serving(media) as (process, _, _):
        for member in family(process.pid):
            member.kill()
        process.wait(GONE_SECONDS)
        assert traces() > before
    with serving(media):
        pass
    assert traces() == before


def run_serve(*options):
    command = [str(SERVE), *(str(option) for option in options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=READY_SECONDS)


def test_a_busy_port_is_one_sentence(server, media):
    port = server.http_url.split(":")[1]
    done = run_serve("--media", media, "--http-port", port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"trireel-serve: port {port} (HTTP) on 127.0.0.1 cannot be used")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--log", "/nonexistent/log"), "No such file or directory"),
        (("--media", "/nonexistent"), "/nonexistent is not a folder"),
        (("--profile", "embeded"), "no model has configs/embeded.pbtxt"),
    ],
)
def test_a_mistaken_option_is_one_sentence(media, options, sentence):
    ports = Ports.free()
    done = run_serve(
        *("--media", media, "--http-port", ports.http, "--grpc-port", ports.grpc),
        *("--metrics-port", ports.metrics, *options),
    )
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_export_that_is_none_is_one_sentence(media, tmp_path):
    done = run_serve("--media", media, "--export", tmp_path)
    assert done.returncode == 1
    assert "give the output folder of trireel-export" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_model_that_cannot_load_is_told_from_the_log(media, tmp_path):
    before = traces()
    shutil.copytree(MODELS, tmp_path / "models")
    (tmp_path / "models/siglip_text/1/model.py").write_text("raise RuntimeError('no luck')")
    ports = Ports.free()
    done = run_serve(
        *("--media", media, "--models", tmp_path / "models", "--http-port", ports.http),
        *("--grpc-port", ports.grpc, "--metrics-port", ports.metrics),
    )
    assert done.returncode == 1
    assert "Triton ended; from its log" in done.stderr
    assert "no luck" in done.stderr
    assert traces() == before


def test_an_idle_sequence_expires_and_can_begin_again(media, tmp_path):
    shutil.copytree(MODELS, tmp_path / "models")
    config = tmp_path / "models/temporal_decoder/config.pbtxt"
    short = config.read_text().replace("microseconds: 300000000", "microseconds: 1000000")
    assert short != config.read_text()
    config.write_text(short)
    with (
        serving(media, "--models", tmp_path / "models") as (_, _, ports),
        TrireelClient(f"127.0.0.1:{ports.grpc}") as client,
    ):
        chunks = client.step(ServerPath("sample.mp4"), sequence_id="slow", resume=False)
        next(chunks)
        time.sleep(3)
        with pytest.raises(SequenceLost, match="START"):
            next(chunks)
        again = list(client.step(ServerPath("sample.mp4"), sequence_id="slow"))
        assert [chunk.index for chunk in again] == list(range(len(again)))


ANALYSES = 200
# A region keeps the size of the most that was ever in it, which depends on who met whom. A leak of
# one chunk's frames each would be 177 MB.
SHM_SLACK_BYTES = 4 * SHM_GROWTH_BYTES
MEMORY_SLACK_BYTES = 48 * 2**20  # allocators' arenas; a leak of one chunk's frames each is 88 MB


@pytest.mark.alone  # memory depends on who is slow
def test_nothing_grows_over_many_analyses(media):
    """Memory, shared memory, files and processes are where they were after a warm-up."""
    before = traces()
    with (
        serving(media) as (process, _, ports),
        TrireelClient(f"127.0.0.1:{ports.grpc}") as client,
        TrireelClient(f"127.0.0.1:{ports.http}", protocol="http") as http_client,
    ):
        data = (media / "clip.mp4").read_bytes()
        requests = [
            lambda: client.analyze(ServerPath("clip.mp4")),
            lambda: client.analyze(data),
            lambda: http_client.analyze(data, tags=["one", "two"]),
            lambda: list(client.stream(data)),
            lambda: list(client.step(ServerPath("clip.mp4"))),
        ]
        for warm_up in requests * 6:
            warm_up()
        members = family(process.pid)
        settled = footprint(members)
        for index in range(ANALYSES):
            requests[index % len(requests)]()
        grown = footprint(members)
        assert [m.pid for m in family(process.pid)] == [m.pid for m in members]
    assert grown["shm_bytes"] - settled["shm_bytes"] <= SHM_SLACK_BYTES
    assert grown["files"] == settled["files"]
    assert grown["uploads"] == settled["uploads"] == 0
    assert grown["memory_bytes"] - settled["memory_bytes"] < MEMORY_SLACK_BYTES
    assert traces() == before


def footprint(members):
    uploads = Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*/spool/upload-*")
    return {
        "memory_bytes": sum(member.memory_full_info().uss for member in members),
        "shm_bytes": sum(path.stat().st_size for path in traces() if not path.is_dir()),
        "files": sum(len(os.listdir(f"/proc/{member.pid}/fd")) for member in members),
        "uploads": len(list(uploads)),
    }
