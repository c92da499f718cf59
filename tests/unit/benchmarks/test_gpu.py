# SPDX-License-Identifier: Apache-2.0
"""Figures of the served tower, and its two environments."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gpu import table
from benchmarks.gpu.__main__ import server_python
from benchmarks.gpu.headlines import headlines
from benchmarks.gpu.process import SIZES
from benchmarks.gpu.served import check_numpy

ROOT = Path(__file__).parents[3]
CONFIG = json.loads((ROOT / "export/tiny/checkpoint/config.json").read_text())["vision_config"]
REPORT = {
    "machine": {
        "gpu": "NVIDIA X, 1",
        "processor": "P",
        "cores": 16,
        "python": "3.12.3",
        "packages": {"torch": "2.11.0", "onnxruntime": None},
        "commit": "abc",
    },
    "runtime": "torch",
    "device": "cuda",
    "size": "so400m",
    "instances": 2,
    "flops_per_frame": 1e12,
    "matrix_flops_per_second": 1e15,
    "loop": [
        {"batch": 16, "frames_per_second": 700.0, "with_copies_frames_per_second": 650.0},
        {"batch": 64, "frames_per_second": 800.0, "with_copies_frames_per_second": 790.0},
    ],
    "served": [
        {"batch": 16, "concurrency": 1, "frames_per_second": 400.0, "mean_executed_batch": 16.0},
        {
            **{"batch": 64, "concurrency": 8, "frames_per_second": 776.0},
            **{"mean_executed_batch": 128.0},
        },
        {"batch": 256, "concurrency": 16, "error": "InferenceServerException: out of memory"},
    ],
}


@pytest.fixture(scope="module")
def tower():
    from transformers import SiglipModel

    from trireel_export.siglip.vision import VisionTower
    from trireel_schema.metadata import Normalisation
    from trireel_schema.precision import Precision

    model = SiglipModel.from_pretrained(ROOT / "export/tiny/checkpoint")
    normalisation = Normalisation(1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    return VisionTower(model.vision_model, normalisation, Precision.FP32, fused_attention=False)


def test_the_work_of_a_frame_is_what_torch_counts(tower):
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        tower(torch.zeros(4, 96, 96, 3, dtype=torch.uint8))
    counted = counter.get_total_flops() / 4
    assert SIZES["tiny"].flops_per_frame == pytest.approx(counted, rel=0.01)


def test_the_tiny_size_is_the_bundled_checkpoints():
    size = SIZES["tiny"]
    assert size.image_size_px == CONFIG["image_size"]
    assert size.patch_size_px == CONFIG["patch_size"]
    assert (size.width, size.layers) == (CONFIG["hidden_size"], CONFIG["num_hidden_layers"])
    assert (size.heads, size.mlp_width) == (
        CONFIG["num_attention_heads"],
        CONFIG["intermediate_size"],
    )


def test_so400m_is_two_thirds_of_a_tflop():
    assert SIZES["so400m"].tokens == 729
    assert SIZES["so400m"].flops_per_frame == pytest.approx(0.667e12, rel=0.002)


def test_the_page_sets_the_best_rate_against_limit_and_loop():
    page = table.page({"results.json": REPORT})
    prose = " ".join(page.split())
    best = "Best served: 776 frames/s (requests of 64, 8 at once), 78% of the limit of 1000"
    assert best in prose
    assert "97% of the plain loop's 800. The goals are 70% and 95%." in prose
    assert "| 64 | 8 | 776 | 78% | 97% | 128 |" in page
    assert "| 256 | 16 | InferenceServerException: out of memory |  |  |  |" in page
    assert "onnxruntime" not in page.split("\n")[2], "a package that is not there is not named"


def test_what_was_cut_off_makes_a_page_too():
    page = table.page({"results.json": {**REPORT, "served": []}})
    assert "The served tower was not measured." in page


def test_the_committed_limit_is_that_of_the_tower():
    report = json.loads((ROOT / "benchmarks/gpu/results.json").read_text())
    assert report["flops_per_frame"] == SIZES[report["size"]].flops_per_frame


def test_the_servers_python_prefers_the_packages_it_is_given(tmp_path):
    """A model's process reads no PYTHONPATH: all has to be in the environment itself."""
    (tmp_path / "site/numpy").mkdir(parents=True)
    (tmp_path / "site/numpy/__init__.py").write_text("__version__ = 'carried'")
    python = server_python(tmp_path / "python", tmp_path / "site")
    code = (
        "import numpy, sys, tritonclient, benchmarks.gpu, trireel_backend; print(numpy.__version__)"
    )
    done = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.stdout, done.stderr) == ("carried\n", "")
    assert np.__version__ != "carried"


def test_numpy_2_is_rejected_before_anything_is_started():
    check_numpy("1.26.4")
    with pytest.raises(
        SystemExit, match=r"NumPy is 2\.4\.0: from 2 on the embedded Triton answers"
    ):
        check_numpy("2.4.0")


def test_a_gpu_that_is_not_there_is_missed_at_once(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.gpu", "--device", "cuda"),
            *("--output", tmp_path / "results.json"),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("benchmarks.gpu: torch sees no GPU: give --device cpu")
    assert not (tmp_path / "results.json").exists()


@pytest.mark.parametrize(("device", "met"), [("cuda", [True, False]), ("cpu", [None, None])])
def test_goals_of_a_gpu_are_judged_on_one(device, met):
    report = {
        **{"machine": REPORT["machine"], "device": device, "size": "so400m"},
        **{"flops_per_frame": 1.0, "matrix_flops_per_second": 100.0},
        "loop": [{"batch": 16, "frames_per_second": 80.0}],
        "served": [{"batch": 16, "concurrency": 1, "frames_per_second": 75.0}],
    }
    (run,) = headlines({"results.json": report})
    assert [one.ratio for one in run.headlines] == [0.75, 75 / 80]
    assert [one.met for one in run.headlines] == met
