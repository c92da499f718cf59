# SPDX-License-Identifier: Apache-2.0
"""The tower is judged on the machine that serves it, where it runs in less than fp32."""

import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from support.cpu import ENGINES_HERE, needs_amx
from support.repository import EXPORT, MODELS

from trireel_backend.errors import GateFailed, MissingPart
from trireel_backend.launch.repository.assemble import Assembly, assemble
from trireel_backend.models.siglip_vision import load_vision_tower
from trireel_backend.towers.gate import check_alike
from trireel_backend.towers.settings import TowerSettings
from trireel_schema.gate import MOST_APART
from trireel_schema.pictures import KnownPictures

WEIGHT_OF_A_LAYER = 64 * 64  # elements; the tiny tower's biases and norms are smaller


def settings(engine):
    return TowerSettings(2, "CPUExecutionProvider", tower_engine=engine)


@pytest.fixture
def export(tmp_path):
    return shutil.copytree(EXPORT, tmp_path / "export")


def version_folder(export, folder):
    """Return siglip_vision's version folder, as assembled from an export."""
    assemble(Assembly(MODELS, export, "embedded"), folder)
    return folder / "siglip_vision/1"


def damage(export):
    """Halve a weight matrix of an export's vision tower."""
    model = onnx.load(export / "vision.onnx")
    weights = [w for w in model.graph.initializer if np.prod(w.dims) >= WEIGHT_OF_A_LAYER]
    weight = weights[len(weights) // 2]
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) / 2, weight.name))
    onnx.save(model, export / "vision.onnx")


def exchange(export, name, **others):
    """Put other arrays into a file of an export."""
    with np.load(export / name) as arrays:
        kept = dict(arrays)
    np.savez(export / name, **(kept | others))


def exchange_in_metadata(export, **others):
    path = export / "metadata.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | others))


@pytest.mark.parametrize("engine", ENGINES_HERE)
def test_the_right_tower_is_loaded(tmp_path, engine):
    tower = load_vision_tower(version_folder(EXPORT, tmp_path / "r"), settings(engine))
    assert tower.run(np.zeros((1, 96, 96, 3), np.uint8)).shape == (1, 128)


@needs_amx
def test_a_bf16_export_is_served_without_a_gpu(tmp_path, export):
    from trireel_export.siglip.checkpoint import load_checkpoint
    from trireel_export.siglip.precision import default_opset
    from trireel_export.siglip.vision import write_vision
    from trireel_schema.precision import Precision

    checkpoint = load_checkpoint(str(EXPORT.parent / "checkpoint"))
    opset = default_opset(Precision.BF16)
    write_vision(checkpoint, export / "vision.onnx", Precision.BF16, opset=opset)
    exchange_in_metadata(export, precision="bf16")
    bf16 = settings("openvino-bf16")
    assembly = Assembly(MODELS, export, "embedded", {"tower_engine": bf16.tower_engine})
    assemble(assembly, tmp_path / "r")
    load_vision_tower(tmp_path / "r/siglip_vision/1", bf16)


@needs_amx
def test_a_damaged_tower_is_refused_in_bf16_by_the_name_of_a_picture(tmp_path, export):
    damage(export)
    folder = version_folder(export, tmp_path / "r")
    load_vision_tower(folder, settings("onnxruntime"))  # judged by the launcher's canary
    with pytest.raises(
        GateFailed,
        match=r"with tower_engine 'openvino-bf16' on this CPU the embedding of '.+' has cosine"
        r" 0\.\d+ to the checkpoint's own in fp32, at least 0\.999 is needed: use 'openvino'",
    ):
        load_vision_tower(folder, settings("openvino-bf16"))


@needs_amx
def test_known_pictures_that_do_not_fit_are_refused(tmp_path, export):
    with np.load(export / "gate.npz") as known:
        embeddings = known["embeddings"]
    exchange(export, "gate.npz", embeddings=np.roll(embeddings, 1, axis=0))
    with pytest.raises(GateFailed, match=r"'openvino-bf16' on this CPU the embedding of"):
        load_vision_tower(version_folder(export, tmp_path / "r"), settings("openvino-bf16"))


@needs_amx
def test_known_pictures_of_another_checkpoint_are_refused(tmp_path, export):
    exchange(export, "gate.npz", weights_sha256=np.array("other"))
    with pytest.raises(MissingPart, match=r"was made for weights other, .* files from one export"):
        load_vision_tower(version_folder(export, tmp_path / "r"), settings("openvino-bf16"))


def test_embeddings_that_depend_on_their_batch_are_refused():
    names, frames = ("one", "two"), np.zeros((2, 2, 2, 3), np.uint8)
    known = KnownPictures(names, frames, np.eye(2, 8, dtype=np.float32))
    near, far = known.embeddings.copy(), known.embeddings.copy()
    near[1, 5], far[1, 5] = 0.9 * MOST_APART, 1.1 * MOST_APART
    check_alike(known, near)
    with pytest.raises(GateFailed, match=r"'two' differs by 1\.1e-05 between batches .* at most"):
        check_alike(known, far)
    far[1, 5] = np.nan
    with pytest.raises(GateFailed, match="'two' differs by nan"):
        check_alike(known, far)
