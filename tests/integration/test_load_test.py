# SPDX-License-Identifier: Apache-2.0
"""Load tests of the real server, short ones: what they count is what the server counts."""

import asyncio
import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from support.exposition import Scrape
from support.quiet import Quiet

from trireel_client import ServerPath
from trireel_client._config import Address
from trireel_client.load_test.drive.arrivals import poisson_arrivals
from trireel_client.load_test.drive.connection import Connection
from trireel_client.load_test.drive.samples import Outcome
from trireel_client.load_test.plan import Level, Mode, Plan
from trireel_client.load_test.session import Watched, run_test
from trireel_client.load_test.watch.processes import ServerProcesses, listening_process

from .conftest import served

TRIREEL = Path(sys.executable).parent / "trireel"
CLIP = ServerPath("clip.mp4")
CLIP_FRAMES = 32  # two chunks


def plan(*levels, videos=(CLIP,), **values):
    defaults = {"duration_seconds": 2.0, "warm_up_seconds": 0.5, "timeout_seconds": 60.0}
    return Plan(videos=videos, levels=levels, **{**defaults, **values})


async def load_tested(server, plan, protocol="grpc"):
    address = Address.parse(server.url(protocol))
    watched = Watched(Address.parse(server.metrics_url), ServerProcesses(server.process_id), True)
    return await run_test(plan, Connection(address, protocol), watched, Quiet())


def samples_of(result):
    return [one for run in result.runs for one in run.samples]


def command(server, *arguments):
    parts = (TRIREEL, "load-test", "--url", server.grpc_url, "--metrics-url", server.metrics_url)
    return [str(part) for part in (*parts, *arguments)]


def test_the_command_counts_what_the_server_counts(server, tmp_path):
    before = Scrape(server.metrics_url)
    done = subprocess.run(
        command(
            server,
            *("--video", server.media / "clip.mp4", "--concurrency", "1,2", "--rate", "2"),
            *("--duration", 2, "--warm-up", 0.5, "--report", tmp_path),
        ),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    after = Scrape(server.metrics_url)
    data = json.loads((tmp_path / "results.json").read_text())
    samples = [one for level in data["levels"] for one in level["samples"]]
    assert {one["outcome"] for one in samples} == {"ok"}
    ok = {"model": "video_analysis", "outcome": "ok"}

    def grown(metric, **labels):
        return after.total(metric, **labels) - before.total(metric, **labels)

    assert grown("trireel_videos_total", **ok) == grown("trireel_videos_total") == len(samples)
    assert grown("trireel_frames_extracted_total") == sum(one["frames"] for one in samples)
    assert grown("trireel_video_seconds_total") == pytest.approx(
        sum(one["video_seconds"] for one in samples)
    )
    busy = {
        stage: sum(one["stages_ms"][stage] for one in samples) for stage in ("extract", "encode")
    }
    for stage, busy_ms in busy.items():
        assert grown("trireel_stage_seconds_total", stage=stage) == pytest.approx(busy_ms / 1e3)
    # What a level says of the models is about what its own videos asked of them.
    level = data["levels"][1]
    models = {one["model"]: one for one in level["models"]}
    assert models["siglip_vision"]["rows"] == pytest.approx(
        CLIP_FRAMES * models["video_analysis"]["requests"], abs=CLIP_FRAMES * 6
    )
    assert (models["frame_extractor"]["slots"], models["video_analysis"]["slots"]) == (2, 4)
    assert 0 < models["frame_extractor"]["utilisation"] <= 1
    # The server was found by the port it listens at.
    assert level["machine"]["server_cpus"] > 0
    assert level["machine"]["server_memory_bytes"] > 2**26
    with (tmp_path / "levels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["loop"] for row in rows] == ["closed", "closed", "open"]
    for chart in ("Throughput by concurrency", "Time per stage by arrivals", "CPU"):
        assert f"<h3>{chart}</h3>" in (tmp_path / "report.html").read_text()
    assert "What bounds it" in done.stdout
    assert "0.00 videos/s" not in done.stdout


MODES = [("grpc", mode) for mode in Mode] + [("http", Mode.WHOLE), ("http", Mode.SEQUENCE)]


@pytest.mark.parametrize(("protocol", "mode"), MODES)
async def test_every_mode_and_protocol(server, protocol, mode):
    before = Scrape(server.metrics_url)
    result = await load_tested(server, plan(Level(concurrency=2), mode=mode), protocol)
    after = Scrape(server.metrics_url)
    samples = samples_of(result)
    assert {(one.outcome, one.message) for one in samples} == {(Outcome.OK, "")}
    assert {one.frames for one in samples} == {CLIP_FRAMES}
    (summary,) = result.summaries
    assert summary.counts.ok > 0
    assert summary.latency.p50 > 0
    chunks = after.total("trireel_chunks_total") - before.total("trireel_chunks_total")
    assert chunks == 2 * len(samples)
    if mode is not Mode.WHOLE:
        assert 0 < summary.first_chunk.p50 < summary.latency.max
        assert summary.chunk.count == 2 * summary.counts.ok
    assert bool(summary.stages_ms) is (mode is not Mode.SEQUENCE)
    if mode is Mode.SEQUENCE:
        assert after.total("trireel_live_sequences") == 0


async def test_failing_videos_are_counted_by_kind_beside_others(server):
    videos = (CLIP, ServerPath("text.mp4"), CLIP, ServerPath("missing.mp4"))
    result = await load_tested(server, plan(Level(concurrency=1), videos=videos))
    samples = samples_of(result)
    wanted = {"clip.mp4": "", "text.mp4": "InvalidRequest", "missing.mp4": "NotFound"}
    assert all(one.kind == wanted[one.video] for one in samples)
    assert {one.video for one in samples} == set(wanted)
    failures = {one.kind: one for one in result.summaries[0].failures}
    assert "not a video" in failures["InvalidRequest"].example
    assert "missing.mp4" in failures["NotFound"].example
    counts = result.summaries[0].counts
    assert counts.refused == 0
    assert counts.success_rate == pytest.approx(counts.ok / (counts.ok + counts.failed))
    assert abs(counts.ok - counts.failed) <= 1


@pytest.mark.alone  # judged by the clock
async def test_an_open_level_keeps_its_rate(server):
    level = Level(rate=3.0)
    result = await load_tested(server, plan(level, duration_seconds=3.0))
    (run,), samples = result.runs, samples_of(result)
    due = sorted(one.due_seconds - run.began_seconds for one in samples)
    assert due == pytest.approx(poisson_arrivals(3.0, 3.5))
    (summary,) = result.summaries
    assert summary.counts.ok == len(run.counted) == sum(0.5 <= at < 3.5 for at in due)
    assert summary.late.p50 < 0.25
    assert all(one.latency_seconds >= one.ended_seconds - one.began_seconds for one in samples)


def test_ctrl_c_ends_the_level_and_reports_what_is_there(server, tmp_path):
    process = subprocess.Popen(
        command(
            server,
            *("--video", server.media / "clip.mp4", "--concurrency", "1,2"),
            *("--duration", 60, "--warm-up", 0, "--report", tmp_path),
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    videos = Scrape(server.metrics_url).total("trireel_videos_total", outcome="ok")
    deadline = time.monotonic() + 60
    while Scrape(server.metrics_url).total("trireel_videos_total", outcome="ok") < videos + 3:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert "interrupted in concurrency 1" in stdout
    assert "Traceback" not in stderr
    data = json.loads((tmp_path / "results.json").read_text())
    assert data["interrupted"] is True
    (level,) = data["levels"]
    assert level["counts"]["ok"] >= 2
    assert level["counts"]["failed"] == 0
    assert level["counts"]["interrupted"] <= 1
    assert level["seconds"] < 60
    assert (tmp_path / "report.html").is_file()


@pytest.fixture
def own_server(media, tmp_path):
    with served(media, tmp_path) as server:
        yield server


@pytest.mark.alone  # its steps are timed
async def test_a_server_that_hangs_and_dies_does_not_hang_the_test(own_server):
    """It answers, then it is stopped (SIGSTOP), then it is gone."""
    process = psutil.Process(own_server.process_id)
    told = plan(
        *(Level(concurrency=2), Level(concurrency=4)), duration_seconds=7.0, timeout_seconds=2.0
    )
    loop = asyncio.get_running_loop()
    loop.call_later(2.5, process.suspend)
    loop.call_later(5.5, process.kill)
    began = time.perf_counter()
    result = await load_tested(own_server, told)
    assert time.perf_counter() - began < 60
    samples = samples_of(result)
    assert samples[0].outcome is Outcome.OK
    assert "RequestTimeout" in {one.kind for one in samples}
    assert (samples[-1].outcome, samples[-1].kind) == (Outcome.REFUSED, "ServerUnavailable")
    assert len(result.runs) == 1
    assert any("ended before concurrency 4" in note for note in result.notes)
    assert any("no metrics at" in note for note in result.notes)
    assert listening_process(Address.parse(own_server.grpc_url)) is None
