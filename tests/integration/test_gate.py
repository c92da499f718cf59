# SPDX-License-Identifier: Apache-2.0
"""trireel-gate and the end of scripts/build_engine against the real Triton."""

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import numpy_helper
from support.shots import shots_folder
from support.trtexec import set_precision, tools_environment, write_tools, write_tritonserver
from typer.testing import CliRunner

from trireel_backend.artifacts import load_metadata
from trireel_backend.errors import GateFailed, NotReady
from trireel_backend.launch.embedded.server import ServerOptions, embedded_server
from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.launch.engines.names import find_engine
from trireel_backend.launch.engines.shots import find_shot_engine
from trireel_backend.launch.gate.command import BATCH_SIZES, app, check_served
from trireel_backend.launch.ports import Ports
from trireel_schema.files import GATE_FILE, METADATA_FILE
from trireel_schema.shots import SHOT_MODEL

from .conftest import EXPORT, MODELS, ROOT

WEIGHT_OF_A_LAYER = 64 * 64  # elements; the tiny tower's biases and norms are smaller


@pytest.fixture
def tower_alone(tmp_path):
    """A folder of models with the vision tower only: quick to start."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models/siglip_vision").symlink_to(MODELS / "siglip_vision")
    return tmp_path / "models"


@contextmanager
def serving(models, export, folder):
    options = ServerOptions(
        models=models,
        export=export,
        media_root=folder,
        ports=Ports.free(),
        log=folder / "triton.log",
    )
    with embedded_server(options) as running:
        yield Endpoint(f"127.0.0.1:{running.ports.grpc}")


def damaged_export(folder):
    """Copy the export with one weight matrix of the tower halved, and a canary that agrees."""
    shutil.copytree(EXPORT, folder)
    model = onnx.load(folder / "vision.onnx")
    weights = [w for w in model.graph.initializer if np.prod(w.dims) >= WEIGHT_OF_A_LAYER]
    weight = weights[len(weights) // 2]
    halved = numpy_helper.to_array(weight) / 2
    weight.CopyFrom(numpy_helper.from_array(halved, weight.name))
    onnx.save(model, folder / "vision.onnx")
    with np.load(folder / "canary.npz") as canary:
        arrays = dict(canary)
    session = ort.InferenceSession(folder / "vision.onnx")
    # Without this the server itself would refuse to start; the gate has to see for itself.
    (arrays["embeddings"],) = session.run(None, {"FRAMES": arrays["frames"]})
    np.savez(folder / "canary.npz", **arrays)
    return folder


def gate(endpoint, export=EXPORT):
    return CliRunner().invoke(app, ["--url", endpoint.url, "--export", str(export)])


def test_the_right_tower_passes_in_batches_of_every_size(server):
    reports = check_served(Endpoint(server.grpc_url), EXPORT)
    assert [report.batch_size for report in reports] == list(BATCH_SIZES)
    for report in reports:
        assert report.report.worst_cosine > 0.99999
        assert report.least_agreement > 0.99999
        assert report.report.pictures == len(np.load(EXPORT / GATE_FILE)["names"])


def test_the_command_prints_a_table(server):
    done = gate(Endpoint(server.grpc_url))
    assert done.exit_code == 0, done.output
    assert "as the checkpoint" in done.output
    (line,) = (line for line in done.output.splitlines() if line.startswith("│ 16 "))
    assert "1.000000" in line


def test_a_damaged_tower_is_refused_by_the_name_of_a_picture(tmp_path, tower_alone):
    export = damaged_export(tmp_path / "damaged")
    with serving(tower_alone, export, tmp_path) as endpoint:
        with pytest.raises(GateFailed, match=r"in batches of 1: .*'.+'.* is needed|may change"):
            check_served(endpoint, EXPORT)
        done = gate(endpoint)
    assert done.exit_code == 1
    assert done.stderr.startswith("trireel-gate: in batches of 1: ")
    assert done.stdout == ""


def test_a_tower_of_another_size_is_refused(server, tmp_path):
    export = tmp_path / "larger"
    shutil.copytree(EXPORT, export)
    with np.load(export / GATE_FILE) as known:
        arrays = dict(known)
    arrays["frames"] = arrays["frames"].repeat(2, axis=1).repeat(2, axis=2)
    np.savez(export / GATE_FILE, **arrays)
    metadata = json.loads((export / METADATA_FILE).read_text())
    (export / METADATA_FILE).write_text(json.dumps({**metadata, "image_size_px": 192}))
    with pytest.raises(
        GateFailed, match=r"has .*\[96, 96, 3\].*, the export has .*\[192, 192, 3\]"
    ):
        check_served(Endpoint(server.grpc_url), export)


def test_pictures_of_other_weights_are_refused(server, tmp_path):
    export = tmp_path / "other"
    shutil.copytree(EXPORT, export)
    metadata = json.loads((export / METADATA_FILE).read_text())
    (export / METADATA_FILE).write_text(json.dumps({**metadata, "weights_sha256": "0" * 64}))
    done = gate(Endpoint(server.grpc_url), export)
    assert done.exit_code == 1
    assert "take all files from one export" in " ".join(done.stderr.split())


def test_a_closed_port_is_named():
    endpoint = Endpoint(f"127.0.0.1:{Ports.free().grpc}")
    with pytest.raises(NotReady, match=rf"{endpoint.url} does not serve siglip_vision: .*"):
        check_served(endpoint, EXPORT)
    assert gate(endpoint).exit_code == 1


@pytest.fixture
def build(tmp_path):
    """Run the real script with a stand-in of trtexec, and the real Triton behind tritonserver."""
    export = tmp_path / "export"
    shutil.copytree(EXPORT, export)
    set_precision(export, "bf16")

    def run(tower, model="siglip_vision"):
        write_tools(tmp_path / "tools")
        server = write_tritonserver(tmp_path / "tools", tower)
        done = subprocess.run(
            [
                *(ROOT / "scripts/build_engine", "--export", export),
                *("--engines", tmp_path / "engines", "--models", MODELS),
                *("--tritonserver", server, "--model", model),
            ],
            env={**tools_environment(tmp_path / "tools"), "PYTHON": sys.executable},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done, export, tmp_path / "engines"

    return run


def test_an_engine_that_passes_the_gate_is_found(build, tmp_path, monkeypatch):
    done, export, engines = build(tower=EXPORT)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("s and passed the gate.\n")
    monkeypatch.setenv("PATH", str(tmp_path / "tools"))
    engine = find_engine(engines, load_metadata(export / METADATA_FILE))
    assert engine.read_bytes() == b"not an engine"
    note = json.loads(engine.with_suffix(".json").read_text())
    assert note["gpu"] == {"name": "NVIDIA H200", "compute_capability": "9.0"}
    assert (note["tensorrt"], note["precision"]) == ("11.1.0", "bf16")
    assert [row["batch_size"] for row in note["gate"]] == list(BATCH_SIZES)
    assert "--optShapes=FRAMES:64x96x96x3" in note["command"]
    assert sorted(path.suffix for path in engines.glob("*_b1*")) == [".json", ".log", ".plan"]


def test_an_engine_that_fails_the_gate_is_refused(build, tmp_path):
    tower = damaged_export(tmp_path / "damaged")
    done, _, engines = build(tower)
    assert done.returncode == 1
    assert done.stderr.startswith("build_engine: in batches of 1: ")
    assert done.stderr.count("\n") == 1
    assert "refused, and is not served" in done.stderr
    assert sorted(path.suffix for path in engines.glob("*_b1*")) == [".log", ".refused"]


def test_an_engine_of_shot_boundary_passes_its_gate(build, tmp_path, monkeypatch):
    done, _, engines = build(tower=shots_folder(), model=SHOT_MODEL)
    assert (done.returncode, done.stderr) == (0, "")
    monkeypatch.setenv("PATH", str(tmp_path / "tools"))
    engine = find_shot_engine(engines)
    assert engine.name.startswith("TransNetV2_")
    note = json.loads(engine.with_suffix(".json").read_text())
    assert [row["batch_size"] for row in note["gate"]] == [1, 5]
    assert max(row["difference"] for row in note["gate"]) < 1e-5
    assert "--optShapes=FRAMES:8x100x27x48x3" in note["command"]
