# SPDX-License-Identifier: Apache-2.0
"""Towers of reduced precision: what is typed how, against torch, and when the gate refuses."""

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from transformers import SiglipVisionConfig, SiglipVisionModel

from trireel_export import export as export_module
from trireel_export.checks.emulate import emulated
from trireel_export.checks.pictures import resized, verification_pictures
from trireel_export.errors import NotUnitLength, RetrievalDiffers
from trireel_export.export import export
from trireel_export.siglip.checkpoint import load_checkpoint
from trireel_export.siglip.graph import check_graph, write_graph
from trireel_export.siglip.layers import PoolingHead
from trireel_export.siglip.vision import DTYPES, VisionTower
from trireel_schema.files import TEXT_FILE, VISION_FILE
from trireel_schema.metadata import Normalisation
from trireel_schema.precision import Precision

pytestmark = pytest.mark.slow  # exports towers and runs them in emulated precisions
ROOT = Path(__file__).parents[4]
TINY = str(ROOT / "export/tiny/checkpoint")
TINY_EXPORT = ROOT / "export/tiny/model"
HALVES = [Precision.FP16, Precision.BF16]
ELEMENT_TYPES = {
    Precision.FP32: onnx.TensorProto.FLOAT,
    Precision.FP16: onnx.TensorProto.FLOAT16,
    Precision.BF16: onnx.TensorProto.BFLOAT16,
}
SIDE_PX, LAYERS = 32, 2
NORMALISATION = Normalisation(1 / 255, (0.5, 0.45, 0.4), (0.5, 0.55, 0.6))


@pytest.fixture(scope="module")
def model() -> SiglipVisionModel:
    torch.manual_seed(3)
    return SiglipVisionModel(
        SiglipVisionConfig(
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=LAYERS,
            num_attention_heads=3,
            image_size=SIDE_PX,
            patch_size=8,
        )
    ).eval()


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (5, SIDE_PX, SIDE_PX, 3), dtype=np.uint8)


def write(model, path, precision, opset=23):
    """Write a tower, which takes seconds: what only reads one takes it from `written`."""
    tower = VisionTower(model, NORMALISATION, precision, fused_attention=opset >= 23)
    example = torch.zeros(2, SIDE_PX, SIDE_PX, 3, dtype=torch.uint8)
    write_graph(tower.eval(), example, path, input_name="FRAMES", opset=opset)
    check_graph(path)
    return path


@pytest.fixture(scope="module")
def written(model, tmp_path_factory):
    """Towers by precision and opset, each alone in its folder and made once."""

    @cache
    def made(precision, opset):
        folder = tmp_path_factory.mktemp(f"{precision}-{opset}")
        return write(model, folder / "vision.onnx", precision, opset)

    return made


def run(path, frames):
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["EMBEDDINGS"], {"FRAMES": frames})[0]


def reference(model, frames, dtype=torch.float32):
    """The model as its own library runs it, in mixed precision where a dtype says so."""
    pixels = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (NORMALISATION.mean, NORMALISATION.std))
    with torch.no_grad(), torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
        pooled = model(pixel_values=(pixels - mean) / std).pooler_output
    return torch.nn.functional.normalize(pooled.float(), dim=-1).numpy()


def types_by_operator(path):
    """Element types of what each kind of node reads, without shapes and indices."""
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    types = {value.name: value.type.tensor_type.elem_type for value in model.graph.value_info}
    types |= {weights.name: weights.data_type for weights in model.graph.initializer}
    found: dict[str, set[int]] = {}
    for node in model.graph.node:
        read = {types[name] for name in node.input if name in types} - {onnx.TensorProto.INT64}
        found.setdefault(node.op_type, set()).update(read)
    return model, found


@pytest.mark.parametrize("precision", HALVES)
def test_products_are_narrow_and_what_rounding_hurts_is_wide(written, precision):
    graph, types = types_by_operator(written(precision, 23))
    wide, narrow = onnx.TensorProto.FLOAT, ELEMENT_TYPES[precision]
    assert types["LayerNormalization"] == {wide}
    assert types["Conv"] == {wide}
    assert types["Div"] == {wide}
    assert types["Softmax"] == {wide}  # of the pooling head
    assert types["Attention"] == {narrow}
    products = [node for node in graph.graph.node if node.op_type == "MatMul"]
    by_type = [types for node in products if (types := node_types(graph, node))]
    assert by_type.count({narrow}) == 4 * LAYERS
    assert by_type.count({narrow, wide}) == 0
    assert graph.graph.output[0].type.tensor_type.elem_type == wide


def node_types(graph, node):
    types = {value.name: value.type.tensor_type.elem_type for value in graph.graph.value_info}
    types |= {weights.name: weights.data_type for weights in graph.graph.initializer}
    return {types[name] for name in node.input}


@pytest.mark.parametrize("precision", Precision)
def test_attention_is_what_fused_kernels_take(written, precision):
    graph = onnx.load(written(precision, 23)).graph
    attention = [node for node in graph.node if node.op_type == "Attention"]
    assert len(attention) == LAYERS
    # TensorRT's importer refuses a node with softmax_precision or a second output.
    attributes = [{a.name: onnx.helper.get_attribute_value(a) for a in n.attribute}
                  for n in attention]  # fmt: skip
    assert [found for found in attributes if "softmax_precision" in found] == []
    assert [found["softcap"] for found in attributes] == [0.0] * LAYERS
    assert [found["scale"] for found in attributes] == [1.0] * LAYERS
    assert [len(node.output) for node in attention] == [1] * LAYERS
    assert {node.domain for node in graph.node} == {""}


@pytest.mark.parametrize("opset", [20, 23])
@pytest.mark.parametrize("precision", Precision)
def test_every_form_embeds_as_the_library_does(model, written, frames, precision, opset):
    path = written(precision, opset)
    if precision is Precision.BF16:
        with emulated(path) as runnable:
            embeddings = run(runnable, frames)
        assert list(path.parent.iterdir()) == [path]
    else:
        embeddings = run(path, frames)
    exact = reference(model, frames)
    cosines = (embeddings * exact).sum(axis=1)
    assert cosines.min() > (0.9999999 if precision is Precision.FP32 else 0.9999)
    if precision is not Precision.FP32:
        # As far off as the library's own mixed precision: rounding happens, and no more of it.
        own = (reference(model, frames, DTYPES[precision]) * exact).sum(axis=1)
        assert 0.1 * (1 - own.mean()) < 1 - cosines.mean() < 10 * (1 - own.mean())


def test_the_pooling_head_is_the_librarys_own(model):
    tokens = torch.randn(4, 16, 48, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(
            PoolingHead(model.head)(tokens), model.head(tokens), rtol=1e-5, atol=1e-6
        )


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Whole exports of the tiny checkpoint, each made once."""

    @cache
    def made(precision):
        return export(TINY, tmp_path_factory.mktemp(precision) / "model", precision=precision)

    return made


def copied(path):
    """Stand for the writing of a tower, where it takes seconds and is not what a test is about."""

    def copy(checkpoint, target, *_, opset):
        shutil.copy(path, target)

    return copy


@pytest.mark.parametrize("precision", HALVES)
def test_a_reduced_export_passes_its_gate_and_says_what_it_is(exported, precision):
    report = exported(precision)
    assert report.metadata.precision == precision.value
    assert report.metadata.opset == 23
    pictures = [check for check in report.checks if check.subject.startswith("pictures")]
    assert min(check.cosine for check in pictures) > 0.9999
    assert report.checks[-1].subject.startswith("order of texts")
    smaller, whole = report.output / VISION_FILE, TINY_EXPORT / VISION_FILE
    assert smaller.stat().st_size < 0.65 * whole.stat().st_size
    text, whole_text = smaller.with_name(TEXT_FILE), whole.with_name(TEXT_FILE)
    assert text.stat().st_size == whole_text.stat().st_size


@pytest.fixture(scope="module")
def overflowing(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny checkpoint with one unit whose output is beyond fp16's 65504, and never read."""
    checkpoint = load_checkpoint(TINY)
    layer = checkpoint.model.vision_model.encoder.layers[1].mlp
    with torch.no_grad():
        layer.fc1.weight[0], layer.fc1.bias[0] = 0, 100_000
        layer.fc2.weight[:, 0] = 0
    folder = tmp_path_factory.mktemp("overflowing")
    checkpoint.model.save_pretrained(folder)
    checkpoint.processor.save_pretrained(folder)
    return str(folder)


def test_fp16_that_overflows_is_refused_where_bf16_holds(overflowing, tmp_path, monkeypatch):
    # The text tower is the tiny checkpoint's own.
    monkeypatch.setattr(export_module, "write_text", copied(TINY_EXPORT / TEXT_FILE))
    with pytest.raises(NotUnitLength, match=r"'gradient, wide' has length nan .* take bf16 or"):
        export(overflowing, tmp_path / "model", precision=Precision.FP16)
    assert list(tmp_path.iterdir()) == []
    export(overflowing, tmp_path / "model", precision=Precision.BF16)


def test_another_order_of_texts_is_refused(exported, tmp_path, monkeypatch):
    """Two tags no picture tells apart in fp32, but for what reduced precision rounds away."""
    write = export_module.write_bank

    def nearly_equal(checkpoint, tags, descriptions, path, progress, **options):
        write(checkpoint, tags, descriptions, path, progress, **options)
        with np.load(path) as arrays:
            bank = dict(arrays)
        turn = np.random.default_rng(0).normal(scale=1e-1, size=bank["tag_embeddings"].shape)
        bank["tag_embeddings"] = (bank["tag_embeddings"] * 0 + turn).astype(np.float32)
        np.savez(path, **bank)

    folder = exported(Precision.BF16).output
    monkeypatch.setattr(export_module, "write_vision", copied(folder / VISION_FILE))
    monkeypatch.setattr(export_module, "write_text", copied(folder / TEXT_FILE))
    monkeypatch.setattr(export_module, "write_bank", nearly_equal)
    monkeypatch.setattr("trireel_schema.gate.TIE", 1e-4)
    with pytest.raises(RetrievalDiffers, match=r"comes out before .* nearer in fp32"):
        export(TINY, tmp_path / "model", precision=Precision.BF16)
    assert list(tmp_path.iterdir()) == []


def test_weights_in_their_own_file_are_emulated(model, written, frames, tmp_path, monkeypatch):
    inline = written(Precision.BF16, 23)
    monkeypatch.setattr("trireel_export.siglip.graph.EXTERNAL_DATA_ABOVE_BYTES", 0)
    apart = write(model, tmp_path / "apart.onnx", Precision.BF16)
    assert (tmp_path / "apart.onnx.data").is_file()
    with emulated(inline) as one, emulated(apart) as other:
        np.testing.assert_array_equal(run(one, frames), run(other, frames))


def test_bf16_does_not_run_on_the_cpu_as_it_is(written):
    """Else emulating it would be waste."""
    with pytest.raises(Exception, match="NOT_IMPLEMENTED"):
        ort.InferenceSession(written(Precision.BF16, 23), providers=["CPUExecutionProvider"])


def test_known_pictures_are_squashed_as_a_server_squashes_them():
    with np.load(ROOT / "export/tiny/model/gate.npz") as known:
        frames = dict(zip(known["names"].tolist(), known["frames"], strict=True))
    checkpoint = load_checkpoint(TINY)
    for name, picture in verification_pictures().items():
        squashed = resized(picture, checkpoint.image_size_px, checkpoint.resample)
        np.testing.assert_array_equal(frames[name], squashed)
