# SPDX-License-Identifier: Apache-2.0
"""perf_analyzer's recipes against the real server, and the memory that clients may name."""

import csv
import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import httpx
import numpy as np
import pytest
from support.exposition import Scrape
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException, shared_memory

from benchmarks.perf_analyzer.__main__ import main
from benchmarks.perf_analyzer.data import EXPORT, MEDIA, make
from benchmarks.perf_analyzer.recipes import RECIPES, Servers

from .test_lifecycle import serving

ROOT = Path(__file__).parents[2]
CHUNKS = 6  # of the sample
SHARED_MEMORY = Path("/dev/shm")


def regions():
    return {path.name for path in SHARED_MEMORY.iterdir()}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Every recipe, tried on a server of its own that lets clients name memory."""
    folder = tmp_path_factory.mktemp("perf")
    before = regions()
    status = main(["--quick", "--output", str(folder), "--data", str(folder / "data")])
    report = json.loads((folder / "run.json").read_text())
    assert status == 0, [run["problems"] for run in report["recipes"].values()]
    assert not {name for name in regions() - before if not name.startswith("trireel_serve_")}
    return folder, report["recipes"]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_reports_throughput_and_no_errors(results, name):
    folder, runs = results
    with (folder / f"{name}.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["Concurrency"] == "2"
    assert float(row["Inferences/Second"]) > 0
    assert 0 < float(row["p50 latency"]) <= float(row["p99 latency"])
    assert runs[name]["problems"] == []
    counts = runs[name]["counts"]
    assert counts["requests"] >= runs[name]["measured"] > 0
    assert (counts["failures"], counts["live_sequences"]) == (0, 0)
    each = {"video_chunk": 1, "video_analysis": CHUNKS}.get(RECIPES[name].model, 0)
    assert counts["chunks"] == each * counts["requests"]


@pytest.fixture(scope="module")
def servers(server):
    return Servers(server.grpc_url, server.http_url, server.metrics_url)


def test_a_sequence_is_a_stream_from_its_first_chunk_to_its_last(servers, tmp_path):
    make(tmp_path, servers.grpc, MEDIA, "sample.mp4", EXPORT)
    before = Scrape(servers.metrics)
    command = RECIPES["video_chunk-grpc"].command(servers, tmp_path, tmp_path / "x.csv", quick=True)
    export = ["--profile-export-file", str(tmp_path / "requests.json")]
    done = subprocess.run([*command, *export], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (experiment,) = json.loads((tmp_path / "requests.json").read_text())["experiments"]
    lengths = Counter(one["sequence_id"] for one in experiment["requests"])
    streams = json.loads((tmp_path / "chunks.json").read_text())["data"]
    # The first and the last of each of two lines of sequences may be cut by the measurement.
    whole = [length for _, length in sorted(lengths.items())][2:-2]
    assert set(whole) <= {len(stream) for stream in streams} == {6, 5, 4, 3}
    after = Scrape(servers.metrics)
    grown = after.total("trireel_chunks_total") - before.total("trireel_chunks_total")
    assert grown >= lengths.total()


def test_a_server_that_runs_is_asked_and_its_closed_memory_is_explained(servers, tmp_path, capsys):
    before = regions()
    status = main(
        [
            *("--quick", "--output", str(tmp_path), "--data", str(tmp_path / "data")),
            *("--grpc-url", servers.grpc, "--http-url", servers.http),
            *("--metrics-url", servers.metrics),
            *("--recipe", "siglip_text-b1-grpc", "--recipe", "siglip_vision-b1-grpc-shm"),
        ]
    )
    assert status == 1
    runs = json.loads((tmp_path / "run.json").read_text())["recipes"]
    assert runs["siglip_text-b1-grpc"]["problems"] == []
    (problem,) = runs["siglip_vision-b1-grpc-shm"]["problems"]
    assert "Start the server with --allow-client-shared-memory" in problem
    assert problem in capsys.readouterr().out
    assert not (tmp_path / "siglip_vision-b1-grpc-shm.csv").exists()
    # perf_analyzer itself leaves the region that the server would not be told of.
    assert not {name for name in regions() - before if not name.startswith("trireel_serve_")}


def test_clients_may_not_name_memory_unless_told_so(servers):
    url = f"http://{servers.http}/v2/systemsharedmemory"
    assert httpx.get(f"{url}/status").status_code == 403
    assert httpx.post(f"{url}/region/x/register").status_code == 403
    with (
        InferenceServerClient(servers.grpc) as raw,
        pytest.raises(InferenceServerException, match="restricted"),
    ):
        raw.get_system_shared_memory_status()


def test_the_option_opens_memory_of_clients_and_nothing_else(media):
    frames = np.random.default_rng(5).integers(0, 256, (3, 96, 96, 3), np.uint8)
    name = f"/trireel_test_{os.getpid()}"
    given = InferInput("FRAMES", frames.shape, "UINT8")
    with (
        serving(media, "--allow-client-shared-memory") as (_, _, ports),
        InferenceServerClient(f"127.0.0.1:{ports.grpc}") as raw,
    ):
        given.set_data_from_numpy(frames)
        sent = raw.infer("siglip_vision", [given]).as_numpy("EMBEDDINGS")
        region = shared_memory.create_shared_memory_region("frames", name, frames.nbytes)
        try:
            shared_memory.set_shared_memory_region(region, [frames])
            raw.register_system_shared_memory("frames", name, frames.nbytes)
            given.set_shared_memory("frames", frames.nbytes)
            shared = raw.infer("siglip_vision", [given]).as_numpy("EMBEDDINGS")
            raw.unregister_system_shared_memory()
        finally:
            shared_memory.destroy_shared_memory_region(region)
        closed = httpx.post(f"http://127.0.0.1:{ports.http}/v2/repository/index")
    np.testing.assert_allclose(shared, sent, atol=1e-6)
    assert closed.status_code == 403
