# SPDX-License-Identifier: Apache-2.0
"""What is read out of raw numbers, where no committed ones show it."""

import json

import pytest

from benchmarks.headlines import (
    Headline,
    cost_by_size,
    cpu_engines,
    long_video,
    past_capacity,
    perf_analyzer,
    precision,
    soak,
)
from benchmarks.headlines import gpu as served
from benchmarks.past_capacity.table import rows

MACHINE = {"cores": ["P"] * 2, "commit": "abc"}
CSV = """\
Concurrency,Inferences/Second,Client Send,Network+Server Send/Recv,Client Recv,p50 latency,\
p95 latency
16,{rate},1,1,1,1,1
1,5,1,1,1,1,1
"""


def test_recipes_are_set_beside_the_plain_ones(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    rates = {
        "siglip_vision-b4-grpc": 1.0,
        "siglip_vision-b4-http": 1.0,
        "siglip_vision-b16-grpc": 300.0,
        "siglip_vision-b16-grpc-shm": 450.0,
        "siglip_vision-b16-http": 200.0,
        "video_chunk-grpc": 9.0,
    }
    for name, rate in rates.items():
        (folder / f"{name}.csv").write_text(CSV.format(rate=rate))
    recipes = {name: {"quick": False, "problems": [], "command": "x"} for name in rates}
    report = {"machine": MACHINE, "triton": "1", "recipes": recipes}
    (folder / "run.json").write_text(json.dumps(report))
    (run,) = perf_analyzer.runs(tmp_path)
    assert run.headlines == (
        Headline("siglip_vision-b16-grpc, 16 at once", 300.0, "frames/s", "HTTP", 200.0),
        Headline("siglip_vision-b16-grpc-shm, 16 at once", 450.0, "frames/s",
                 "without shared memory", 300.0),
    )  # fmt: skip


def long_report(long_seconds, long_mib):
    runs = [
        {"minutes": 10, "extractors": 1, "wall_seconds": 5.0, "pss_mib": [90.0, 100.0]},
        {"minutes": 120, "extractors": 1, "wall_seconds": long_seconds, "pss_mib": long_mib},
        {"minutes": 120, "extractors": 2, "wall_seconds": 9.0, "pss_mib": [1.0]},
    ]
    return {"machine": MACHINE, "runs": runs}


def test_recipes_that_varied_are_set_beside_nothing(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    names = ("siglip_vision-b4-http", "siglip_vision-b16-grpc", "siglip_vision-b16-http")
    for name in names:
        (folder / f"{name}.csv").write_text(CSV.format(rate=300.0))
    run = {"quick": False, "problems": [], "command": "x --stability-percentage 50"}
    recipes = {name: run | {"machine": MACHINE, "triton": "1"} for name in names}
    (folder / "run.json").write_text(json.dumps({"recipes": recipes}))
    (found,) = perf_analyzer.runs(tmp_path)
    assert found.headlines == (
        Headline("siglip_vision-b16-grpc, 16 at once", 300.0, "frames/s"),
        Headline("siglip_vision-b16-http, 16 at once", 300.0, "frames/s"),
    )
    assert "within 50 %" in found.note


@pytest.mark.parametrize(
    ("seconds", "mib", "met"),
    [
        (60.0, [100.0, 105.0], [True, True]),
        (70.0, [100.0, 105.0], [False, True]),
        (60.0, [100.0, 125.0, 100.0], [True, False]),
    ],
)
def test_a_long_video_is_set_beside_a_short_one(tmp_path, seconds, mib, met):
    (tmp_path / "results.json").write_text(json.dumps(long_report(seconds, mib)))
    (run,) = long_video.runs(tmp_path)
    assert [one.met for one in run.headlines] == met
    assert run.headlines[0].ratio == pytest.approx(seconds / 60)
    assert run.headlines[1].ratio == max(mib) / 100


def test_a_refused_export_misses_its_goal(tmp_path):
    gate = {"checkpoint": "c", "precision": "fp16", "worst_cosine": None}
    report = {"machine": MACHINE, "gates": [gate, gate | {"worst_cosine": 0.9995}], "forms": []}
    (tmp_path / "results.json").write_text(json.dumps(report))
    (run,) = precision.runs(tmp_path)
    assert [one.met for one in run.headlines] == [False, True]


@pytest.mark.parametrize(("device", "met"), [("cuda", [True, False]), ("cpu", [None, None])])
def test_goals_of_a_gpu_are_judged_on_one(tmp_path, device, met):
    report = {
        **{"machine": MACHINE, "device": device, "size": "so400m"},
        **{"flops_per_frame": 1.0, "matrix_flops_per_second": 100.0},
        "loop": [{"batch": 16, "frames_per_second": 80.0}],
        "served": [{"batch": 16, "concurrency": 1, "frames_per_second": 75.0}],
    }
    (tmp_path / "results.json").write_text(json.dumps(report))
    (run,) = served.runs(tmp_path)
    assert [one.ratio for one in run.headlines] == [0.75, 75 / 80]
    assert [one.met for one in run.headlines] == met


def test_engines_are_set_beside_onnxruntime(tmp_path):
    def row(variant, rate, cosine=1.0, apart=0.0, threads=2, batch=16):
        return {
            **{"variant": variant, "threads": threads, "batch": batch},
            **{"frames_per_second": rate, "worst_cosine": cosine, "apart_from_alone": apart},
        }

    rows = [
        *(row("onnxruntime", rate) for rate in (2.0, 3.0, 4.0)),
        *(row("onnxruntime", 8.0, threads=threads, batch=1) for threads in (1, 2)),
        row("openvino-bf16", 9.0, 0.9995),
        row("openvino-bf16", 8.0, 0.5, apart=0.1, batch=1),
        row("openvino-bf16", 8.0, 0.5, threads=1, batch=1),
        row("openvino", 4.5, 0.9),
    ]
    slices = [
        {"variant": "onnxruntime", "rows_at_once": rows_at_once, "peak_rss_bytes": mib * 2**20}
        for rows_at_once, mib in ((16, 300), (128, 600))
    ]
    report = {
        **{"machine": MACHINE, "export": {"checkpoint": "c", "image_size_px": 96}},
        "parts": {"batches": rows, "slices": slices},
    }
    (tmp_path / "base.json").write_text(json.dumps(report))
    (run,) = cpu_engines.runs(tmp_path)
    found = {one.what: (one.ratio, one.met) for one in run.headlines}
    assert found == {
        "openvino, batches of 16, 2 threads": (1.5, None),
        "openvino: worst cosine": (None, False),
        "openvino: an embedding in a batch, its distance": (None, True),
        "openvino-bf16, batches of 16, 2 threads": (3.0, None),
        "openvino-bf16: worst cosine": (None, True),
        "openvino-bf16: an embedding in a batch, its distance": (None, False),
        "Memory for 128 frames, 16 at a time": (0.5, None),
    }


def crowd(clients, admitted_ms, refused_ms=(), failures=()):
    return {
        **{"clients": clients, "window_seconds": 2.0, "most_pss_mib": 400.0 + clients},
        **{"admitted_ms": list(admitted_ms), "refused_ms": list(refused_ms)},
        "failures": list(failures),
    }


def test_the_most_clients_are_set_beside_as_many_as_are_let_in(tmp_path):
    rounds = [
        [crowd(4, [1.0]), crowd(64, [100.0] * 10), crowd(256, [110.0] * 9, [5.0, 7.0], ["x"])],
        [crowd(4, [1.0]), crowd(64, [100.0] * 10), crowd(256, [110.0] * 9 + [300.0], [6.0])],
        [crowd(4, [1.0]), crowd(64, [100.0] * 10), crowd(256, [130.0] * 9)],
    ]
    (tmp_path / "results.json").write_text(json.dumps({"machine": MACHINE, "rounds": rounds}))
    (run,) = past_capacity.runs(tmp_path)
    found = {one.what: (one.judged, one.met) for one in run.headlines}
    assert found == {
        "256 clients: throughput": (pytest.approx(0.9), False),
        "256 clients: p50 of those let in": (pytest.approx(1.1), True),
        "256 clients: p99 over p50 of those let in": (pytest.approx(130 / 110), True),
        "256 clients: a refusal, p99": (pytest.approx((6.98 + 6.0) / 2), None),
        "256 clients: the most memory": (pytest.approx(656 / 464), None),
        "256 clients: failures": (1, False),
    }


def test_a_clients_time_for_an_answer_is_computed():
    (row,) = rows({"rounds": [[crowd(256, [110.0] * 23, [5.0])]]})
    assert row.seconds_an_answer == pytest.approx(256 / 11.5)


def point(series, size, ms, pss_mib=100.0):
    seconds = [ms / 1e3, ms / 1e3, 9.0]
    return {
        **{"series": series, "size": size, "label": f"{size:,}"},
        **{"seconds": seconds, "pss_mib": pss_mib},
    }


def test_every_axis_has_its_largest_size(tmp_path):
    axes = {
        "length": [point("v", 10, 1.0), point("v", 600, 600.0), point("v", 7200, 9000.0)],
        "tags": [point("alone", 20, 1.0), point("alone", 100_000, 19.0)],
        "sequences": [point("served", 1, 2.0), point("served", 1000, 3.0, 150.0)],
    }
    report = {name: {"machine": MACHINE, "points": points} for name, points in axes.items()}
    (tmp_path / "results.json").write_text(json.dumps(report))
    length, tags, sequences = (run.headlines for run in cost_by_size.runs(tmp_path))
    assert [(one.ratio, one.met) for one in length] == [(pytest.approx(1.25), False), (1.0, True)]
    assert [(one.what, one.judged, one.met) for one in tags] == [
        ("A chunk against 100,000 tags, alone", pytest.approx(19.0), True)
    ]
    assert [(one.what, one.ratio, one.met) for one in sequences] == [
        ("served, 1,000: time", pytest.approx(1.5), None),
        ("served, 1,000: memory", 1.5, None),
    ]


def test_nothing_is_said_of_what_was_not_measured(tmp_path):
    readers = (cost_by_size, cpu_engines, soak, long_video, past_capacity, perf_analyzer, precision)
    for reader in (*readers, served):
        assert list(reader.runs(tmp_path)) == []
