# SPDX-License-Identifier: Apache-2.0
"""Samples, snapshots and results with known numbers."""

from datetime import UTC, datetime

from trireel_client import ServerInfo
from trireel_client._config import Address
from trireel_client.load_test.drive.level_run import LevelRun, Window
from trireel_client.load_test.drive.samples import Outcome, Sample
from trireel_client.load_test.judge.loads import MachineLoad, ModelLoad
from trireel_client.load_test.judge.result import TestResult
from trireel_client.load_test.judge.summary import summarise
from trireel_client.load_test.plan import Level, Plan
from trireel_client.load_test.watch.capacity import Capacity
from trireel_client.load_test.watch.processes import Machine, Use
from trireel_client.load_test.watch.scrape import Scrape, Series
from trireel_client.load_test.watch.snapshots import Snapshot

CAPACITIES = {
    "frame_extractor": Capacity(2, 2),
    "siglip_vision": Capacity(1, 1),
    "video_analysis": Capacity(1, 4),
    "video_analysis_stream": Capacity(1, 16),
}


def sample(due, ended, outcome=Outcome.OK, **values):
    """Return a video that began at its time."""
    defaults = {"video": "a.mp4", "began_seconds": due, "video_seconds": 30.0, "frames": 12}
    return Sample(due_seconds=due, ended_seconds=ended, outcome=outcome, **{**defaults, **values})


def snapshot(at, *, values=None, server=None, busy=0.0, client=0.0, lags=()):
    """Return a look at a machine of 4 CPUs; `values` are the server's metrics by name and model."""
    scrape = None if values is None else Scrape({Series(*name): n for name, n in values.items()})
    return Snapshot(
        at_seconds=at,
        scrape=scrape,
        server=None if server is None else Use(*server, cpus_allowed=4.0),
        machine=Machine(busy, 4.0 * at, 4),
        client_cpu_seconds=client,
        lags_seconds=lags,
    )


def worked(model, requests, *, executions=None, rows=None, busy=0.0, queue=0.0, pending=0.0):
    """Return the metrics of a model that has done so much, times in seconds."""
    return {
        ("nv_inference_request_success", model): requests,
        ("nv_inference_exec_count", model): requests if executions is None else executions,
        ("nv_inference_count", model): requests if rows is None else rows,
        ("nv_inference_compute_infer_duration_us", model): busy * 1e6,
        ("nv_inference_queue_duration_us", model): queue * 1e6,
        ("nv_inference_pending_request_count", model): pending,
    }


def load(model="frame_extractor", **values):
    """Return a model's work of 10 s: 2 instances, hardly busy."""
    defaults = {
        "instances": 2,
        "slots": 2,
        "wall_seconds": 10.0,
        "requests": 100.0,
        "failures": 0.0,
        "executions": 100.0,
        "rows": 100.0,
        "busy_seconds": 2.0,
        "queue_seconds": 0.1,
        "pending": 0.0,
        "pending_max": 0.0,
    }
    return ModelLoad(model=model, **{**defaults, **values})


def machine(**values):
    """Return a machine of 4 CPUs that has nothing to do."""
    defaults = {"cpus": 4, "machine_cpu": 0.2, "server_machine_cpu": 0.2, "server_cpus": 0.5}
    return MachineLoad(**{**defaults, **values})


def result(*, message="no such file", interrupted=False):
    """Return a test of two closed levels and an open one, 10 s each, with all there may be."""
    plan = Plan(
        videos=("a.mp4",),
        levels=(Level(concurrency=1), Level(concurrency=2), Level(rate=2.0)),
        duration_seconds=10.0,
        warm_up_seconds=1.0,
        options={"tags": ["a beach"]},
    )
    runs = tuple(_run(level, 100.0 + 20.0 * i, message) for i, level in enumerate(plan.levels))
    snapshots = tuple(_snapshot(at) for at in range(100, 160))
    summaries = tuple(
        summarise(
            run,
            [
                one
                for one in snapshots
                if run.window.begin_seconds <= one.at_seconds <= run.window.end_seconds
            ],
            mode=plan.mode,
            capacities=CAPACITIES,
            server_is_here=True,
        )
        for run in runs
    )
    return TestResult(
        plan=plan,
        address=Address("127.0.0.1", 8001),
        server=ServerInfo("triton", "2.51.0"),
        capacities=CAPACITIES,
        began_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        began_seconds=100.0,
        runs=runs,
        summaries=summaries,
        snapshots=snapshots,
        interrupted=interrupted,
        notes=("a note",),
    )


def _run(level, began, message):
    window = Window(began + 1.0, began + 11.0)
    stages = {"fetch": 1.0, "extract": 200.0, "encode": 300.0, "decode": 5.0, "total": 400.0}
    answered = [
        sample(due, due + 0.4, stages_ms=stages, chunk_at_seconds=(due + 0.2,))
        for due in (began + i / 2 for i in range(22))
    ]
    failed = sample(
        began + 5.1, began + 5.2, Outcome.FAILED, kind="NotFound", message=message, frames=0
    )
    return LevelRun(level, began, window, (*answered, failed))


def _snapshot(at):
    done = 2.0 * (at - 100)
    values = {
        **worked("frame_extractor", done, busy=done / 4, pending=at % 3),
        **worked("siglip_vision", done, executions=done / 2, rows=16 * done, busy=done / 8),
        **worked("video_analysis", done, busy=done / 3, pending=2.0),
        ("trireel_open_videos", "video_analysis"): 1.0,
        ("trireel_live_sequences", "temporal_decoder"): at % 2,
        ("nv_cpu_utilization",): 0.5,
        ("nv_gpu_utilization", "", "GPU-1"): 0.4,
        ("nv_gpu_memory_used_bytes", "", "GPU-1"): 4e9,
        ("nv_gpu_memory_total_bytes", "", "GPU-1"): 8e9,
    }
    used = (0.8 * at, 2**29)
    return snapshot(at, values=values, server=used, busy=2.0 * at, client=0.1 * at, lags=(0.001,))
