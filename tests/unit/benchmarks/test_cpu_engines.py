# SPDX-License-Identifier: Apache-2.0
"""Figures of the CPU runtimes, from rounds of invented numbers."""

import numpy as np
import pytest

from benchmarks.cpu_engines.__main__ import VARIANTS, create_parser
from benchmarks.cpu_engines.headlines import headlines
from benchmarks.cpu_engines.table import FIRST, cells, machine, medians
from benchmarks.cpu_engines.worker import batches, pictures
from trireel_backend.towers.runtimes import TOWER_RUNTIMES
from trireel_backend.towers.settings import TowerSettings
from trireel_backend.towers.tower import Tower


def row(variant, rate, *, threads=2, batch=16, peak=1, cosine=1.0):
    return {
        "variant": variant,
        "threads": threads,
        "batch": batch,
        "frames_per_second": rate,
        "peak_rss_bytes": peak,
        "worst_cosine": cosine,
    }


def test_rates_are_medians_and_the_rest_the_worst_round():
    rounds = [
        row("a", 10, peak=5, cosine=0.9),
        row("a", 30, peak=7, cosine=0.8),
        row("a", 11, peak=6, cosine=1.0),
        row("b", 1),
    ]
    first, second = medians(rounds, ("variant", "batch"))
    assert (first["variant"], first["frames_per_second"], first["batch"]) == ("a", 11, 16)
    assert (first["peak_rss_bytes"], first["worst_cosine"]) == (7, 0.8)
    assert second["frames_per_second"] == 1


def test_ratios_are_to_the_first_engine_at_the_same_batch_and_threads():
    rounds = [
        row(FIRST, 10),
        row(FIRST, 4, threads=1),
        row("other", 25),
        row("other", 8, threads=1),
    ]
    found = cells({"parts": {"batches": rounds}})
    assert [(cell["threads"], cell["variant"], cell["ratio"]) for cell in found] == [
        (1, FIRST, 1.0),
        (1, "other", 2.0),
        (2, FIRST, 1.0),
        (2, "other", 2.5),
    ]


def test_the_commits_of_all_runs_are_told():
    runs = [{"commit": "a", "cores": 2}, {"commit": "b", "cores": 2}, {"commit": "a", "cores": 4}]
    assert machine({"machines": runs}) == {"commit": "a, b", "cores": 4}
    assert machine({"machine": runs[0]}) == runs[0]


def test_every_engine_takes_part():
    assert {variant.engine for variant in VARIANTS} == set(TOWER_RUNTIMES)
    assert VARIANTS[0].name == FIRST


def test_the_tower_is_asked_for_whole_batches_and_its_embeddings_kept(tmp_path):
    export = create_parser().parse_args(["--output", "unused"]).export
    frames = pictures(export)
    settings = TowerSettings(1, "CPUExecutionProvider", rows_at_once=16)
    found = batches(Tower(export / "vision.onnx", settings), frames, 16, tmp_path / "kept.npy")
    assert found["frames_per_second"] > 0
    assert found["cpu_ms_per_frame"] > 0
    with np.load(export / "gate.npz") as known:
        reference = known["embeddings"][: len(frames)]
    cosines = (np.load(tmp_path / "kept.npy") * reference).sum(axis=1)
    assert cosines.min() == pytest.approx(1, abs=1e-5)


def test_engines_are_set_beside_onnxruntime():
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
        **{
            "machine": {"cores": ["P"] * 2, "commit": "abc"},
            "export": {"checkpoint": "c", "image_size_px": 96},
        },
        "parts": {"batches": rows, "slices": slices},
    }
    (run,) = headlines({"base.json": report})
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
