# SPDX-License-Identifier: Apache-2.0
"""Whole exports of small random checkpoints, in the file formats of the published ones."""

import json
import shutil
import string
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import sentencepiece
import torch
from onnx import numpy_helper
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    Siglip2Tokenizer,
    SiglipConfig,
    SiglipModel,
    SiglipProcessor,
    SiglipTokenizer,
)
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from trireel_export import export as export_module
from trireel_export.bank import DEFAULT_TAGS, read_list
from trireel_export.checks.pictures import SENTENCES, resized, verification_pictures
from trireel_export.checks.verify import check_tokens
from trireel_export.errors import (
    CheckpointNotLoaded,
    EmbeddingsDiffer,
    InvalidGraph,
    TokensDiffer,
    UnsupportedCheckpoint,
)
from trireel_export.export import EVERY_FILE, ExportReport, export
from trireel_export.siglip import graph
from trireel_export.siglip.checkpoint import Checkpoint, load_checkpoint
from trireel_export.siglip.text import write_text
from trireel_export.siglip.tokenizer import build_tokenizer
from trireel_schema.files import EXPORT_FILES

SIDE_PX, PATCH_PX, WIDTH, LAYERS, HEADS, TEXT_LENGTH = 64, 16, 48, 2, 3, 24
MEAN, STD = [0.5, 0.45, 0.4], [0.5, 0.55, 0.6]  # unlike each other: a swap would show
CORPUS = [
    *(f"a {colour} {thing} in the {place}" for colour in ("red", "blue", "small") for thing in
      ("car", "dog", "person", "table") for place in ("kitchen", "city street", "warehouse")),
    *(sentence for sentence in SENTENCES[:9] if sentence.isascii()),
    *string.ascii_letters + string.digits + string.punctuation,
]  # fmt: skip


def small_config(**text: int) -> SiglipConfig:
    sizes = {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
    }
    texts = {"projection_size": WIDTH, "max_position_embeddings": TEXT_LENGTH, "bos_token_id": None}
    return SiglipConfig(
        vision_config=sizes | {"image_size": SIDE_PX, "patch_size": PATCH_PX},
        text_config=sizes | texts | text,
    )


def save(folder: Path, tokenizer: SiglipTokenizer | Siglip2Tokenizer) -> str:
    """Save a random SigLIP around a tokenizer; weights are large, so that embeddings differ."""
    config = small_config(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(7)
    model = SiglipModel(config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(std=0.25)
        model.logit_scale.fill_(np.log(10))
        model.logit_bias.fill_(-2)
    model.save_pretrained(folder)
    images = SiglipImageProcessorPil(
        size={"height": SIDE_PX, "width": SIDE_PX}, image_mean=MEAN, image_std=STD
    )
    SiglipProcessor(images, tokenizer).save_pretrained(folder)
    return str(folder)


def sentencepiece_checkpoint(folder: Path) -> str:
    """SigLIP: a sentencepiece model, of which the end token is also the padding."""
    folder.mkdir()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS),
        model_prefix=str(folder / "spiece"),
        model_type="unigram",
        vocab_size=120,
        hard_vocab_limit=False,
        unk_id=2,
        eos_id=1,
        pad_id=0,
        bos_id=-1,
        minloglevel=2,
    )
    return save(folder, SiglipTokenizer(str(folder / "spiece.model")))


def gemma_checkpoint(folder: Path) -> str:
    """SigLIP 2: a BPE with byte fallback, as Gemma's."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=[*special, *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    bpe = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(pair) for pair in bpe["merges"]]
    own = Siglip2Tokenizer(
        vocab=bpe["vocab"],
        merges=merges,
        padding_side="right",
        add_bos_token=False,
        add_eos_token=True,
    )
    return save(folder, own)


CHECKPOINTS = {"siglip": sentencepiece_checkpoint, "siglip2": gemma_checkpoint}


@dataclass(frozen=True)
class Exported:
    source: str
    checkpoint: Checkpoint
    report: ExportReport


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Exported]:
    @cache
    def made(kind: str) -> Exported:
        folder = tmp_path_factory.mktemp(kind)
        source = CHECKPOINTS[kind](folder / "checkpoint")
        return Exported(source, load_checkpoint(source), export(source, folder / "model"))

    return made


@pytest.fixture(params=CHECKPOINTS)
def exported(request: pytest.FixtureRequest, exports: Callable[[str], Exported]) -> Exported:
    return exports(request.param)


@pytest.fixture
def siglip2(exports: Callable[[str], Exported]) -> Exported:
    return exports("siglip2")


@pytest.fixture
def ready_made(siglip2: Exported, monkeypatch: pytest.MonkeyPatch) -> Exported:
    """Take the towers from an earlier export: writing them is what takes seconds."""

    def copy(checkpoint: Checkpoint, path: Path, *_: object, opset: int) -> None:
        shutil.copy(siglip2.report.output / path.name, path)

    monkeypatch.setattr(export_module, "write_vision", copy)
    monkeypatch.setattr(export_module, "write_text", copy)
    return siglip2


def embed(report: ExportReport, tower: str, rows: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(report.output / tower, providers=["CPUExecutionProvider"])
    (embeddings,) = session.run(["EMBEDDINGS"], {session.get_inputs()[0].name: rows})
    return embeddings


def ids(report: ExportReport, texts: list[str]) -> np.ndarray:
    tokenizer = Tokenizer.from_file(str(report.output / "tokenizer.json"))
    return np.array([encoded.ids for encoded in tokenizer.encode_batch(texts)])


def test_everything_a_server_needs_is_written_and_checked(exported):
    report = exported.report
    assert set(report.file_bytes) == set(EXPORT_FILES)
    assert {file.name for file in report.output.parent.iterdir()} == {"checkpoint", "model"}
    assert len(report.checks) == 11  # ten comparisons of embeddings, one of what they retrieve
    assert min(check.cosine for check in report.checks) >= 0.9999


def test_metadata_says_what_a_server_must_know(exported):
    checkpoint, report = exported.checkpoint, exported.report
    metadata = json.loads((report.output / "metadata.json").read_text())
    assert metadata["format_version"] == 1
    assert metadata["checkpoint"] == "checkpoint"
    assert metadata["weights_sha256"] == checkpoint.weights_sha256
    assert metadata["image_size_px"] == SIDE_PX
    assert metadata["embedding_dim"] == WIDTH
    assert metadata["text_length"] == TEXT_LENGTH
    assert metadata["logit_scale"] == pytest.approx(10)
    assert metadata["logit_bias"] == -2
    assert (metadata["scene_threshold"], metadata["scene_alpha"]) == (0.15, 0.1)
    assert metadata["precision"] == "fp32"
    assert metadata["normalisation"]["mean"] == MEAN


@pytest.mark.parametrize("batch_size", [1, 2, 5, 16, 64])
def test_vision_takes_batches_of_any_size(exported, batch_size):
    checkpoint, report = exported.checkpoint, exported.report
    pictures = list(verification_pictures().values())
    chosen = [pictures[row % len(pictures)] for row in range(batch_size)]
    frames = np.stack([resized(picture, SIDE_PX, Image.Resampling.BICUBIC) for picture in chosen])
    embeddings = embed(report, "vision.onnx", frames)
    assert (embeddings.dtype, embeddings.shape) == (np.float32, (batch_size, WIDTH))
    np.testing.assert_allclose(embeddings, checkpoint.embed_pictures(chosen), atol=1e-4)


def test_a_text_is_padded_and_so_the_same_in_any_company(exported):
    checkpoint, report = exported.checkpoint, exported.report
    company = ["Kitchen!", "a " * 100, ""]
    together, alone = ids(report, company), ids(report, company[:1])
    assert together.shape == (3, TEXT_LENGTH)
    assert (together[0] == alone[0]).all()
    vectors = embed(report, "text.onnx", together)
    np.testing.assert_allclose(vectors[:1], embed(report, "text.onnx", alone), atol=1e-5)
    np.testing.assert_allclose(vectors, checkpoint.embed_texts(company), atol=1e-4)


def test_the_tokenizer_lower_cases(exported):
    report = exported.report
    upper, lower, other = ids(report, ["A Red CAR", "a red car", "a red dog"])
    assert (upper == lower).all()
    assert (upper != other).any()


def test_bank_and_canary_load_without_pickle(exported):
    checkpoint, report = exported.checkpoint, exported.report
    with np.load(report.output / "text_bank.npz", allow_pickle=False) as bank:
        assert str(bank["weights_sha256"]) == checkpoint.weights_sha256
        assert tuple(bank["tag_texts"].tolist()) == read_list(DEFAULT_TAGS)
        assert bank["tag_embeddings"].shape == (20, WIDTH)
        assert bank["description_embeddings"].dtype == np.float32
        tags, stored = bank["tag_texts"].tolist(), bank["tag_embeddings"]
    np.testing.assert_allclose(embed(report, "text.onnx", ids(report, tags)), stored, atol=1e-4)
    with np.load(report.output / "canary.npz", allow_pickle=False) as canary:
        frames, known = canary["frames"], canary["embeddings"]
    assert (frames.dtype, frames.shape) == (np.uint8, (2, SIDE_PX, SIDE_PX, 3))
    assert known[0] @ known[1] < 0.99
    np.testing.assert_allclose(embed(report, "vision.onnx", frames), known, atol=1e-4)


def test_graphs_carry_no_trace_of_where_they_were_made(exported):
    report = exported.report
    for tower in ("vision.onnx", "text.onnx"):
        written = (report.output / tower).read_bytes()
        assert b"site-packages" not in written
        assert str(report.output.parent).encode() not in written


def test_an_export_is_the_same_every_time(siglip2, tmp_path):
    again = export(siglip2.source, tmp_path / "model")
    for name in EXPORT_FILES:
        assert (again.output / name).read_bytes() == (siglip2.report.output / name).read_bytes()


def test_an_earlier_export_is_replaced(ready_made, tmp_path):
    export(ready_made.source, tmp_path / "model", scene_threshold=0.2)
    report = export(ready_made.source, tmp_path / "model", scene_threshold=0.3)
    assert json.loads((report.output / "metadata.json").read_text())["scene_threshold"] == 0.3
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_large_weights_go_to_a_file_of_their_own(siglip2, tmp_path, monkeypatch):
    monkeypatch.setattr(graph, "EXTERNAL_DATA_ABOVE_BYTES", 0)
    write_text(siglip2.checkpoint, tmp_path / "text.onnx", opset=20)
    shutil.copy(siglip2.report.output / "tokenizer.json", tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert names - {"tokenizer.json"} == {"text.onnx", "text.onnx.data"} <= EVERY_FILE
    assert export_module.verify_text(siglip2.checkpoint, tmp_path, print)


def test_text_is_lower_cased_if_its_tokenizer_does_not(siglip2, tmp_path):
    """The hub's SigLIP 2 names Gemma's tokenizer, which keeps capitals it was never trained on."""
    folder = tmp_path / "gemma"
    shutil.copytree(siglip2.source, folder)
    edit_json(folder / "tokenizer_config.json", tokenizer_class="GemmaTokenizer")
    spaces = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    edit_json(folder / "tokenizer.json", normalizer=spaces)
    checkpoint = load_checkpoint(str(folder))
    assert not checkpoint.lower_cases
    check_tokens(build_tokenizer(checkpoint), checkpoint, SENTENCES)
    expected = siglip2.checkpoint.token_ids(["A RED CAR"])
    assert (checkpoint.token_ids(["A RED CAR"]) == expected).all()


def perturb(path: Path) -> None:
    model = onnx.load(path)
    largest = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    values = numpy_helper.to_array(largest)
    noise = np.random.default_rng(0).normal(scale=0.2 * values.std(), size=values.shape)
    largest.CopyFrom(numpy_helper.from_array((values + noise).astype(values.dtype), largest.name))
    onnx.save(model, path)


def spoil(path: Path) -> None:
    path.write_bytes(b"not ONNX")


@pytest.mark.parametrize(
    ("tower", "change", "error", "match"),
    [
        ("vision", perturb, EmbeddingsDiffer, r"pictures, batch 1: the worst is '.+' with cosine"),
        ("text", perturb, EmbeddingsDiffer, r"sentences, batch \d+: the worst is '.+' with cosine"),
        ("vision", spoil, InvalidGraph, r"vision\.onnx is not valid ONNX"),
    ],
)
def test_a_tampered_graph_fails_and_leaves_nothing(
    ready_made, tmp_path, monkeypatch, tower, change, error, match
):
    write = getattr(export_module, f"write_{tower}")

    def tampered(checkpoint: Checkpoint, path: Path, *precision: object, opset: int) -> None:
        write(checkpoint, path, *precision, opset=opset)
        change(path)

    monkeypatch.setattr(export_module, f"write_{tower}", tampered)
    with pytest.raises(error, match=match):
        export(ready_made.source, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_tokenizer_fails_and_keeps_the_earlier_export(ready_made, tmp_path, monkeypatch):
    earlier = export(ready_made.source, tmp_path / "model")

    def without_end_token(checkpoint: Checkpoint) -> Tokenizer:
        tokenizer = build_tokenizer(checkpoint)
        tokenizer.post_processor = processors.TemplateProcessing(single="$A", special_tokens=[])
        return tokenizer

    monkeypatch.setattr(export_module, "build_tokenizer", without_end_token)
    with pytest.raises(TokensDiffer, match=r"reads '.+' differently .* \d+ of 24 ids differ"):
        export(ready_made.source, tmp_path / "model")
    assert {file.name for file in earlier.output.iterdir()} == set(EXPORT_FILES)


def test_a_processor_of_another_size_is_rejected(siglip2, tmp_path):
    shutil.copytree(siglip2.source, tmp_path / "copy")
    path = tmp_path / "copy" / "processor_config.json"
    images = json.loads(path.read_text())["image_processor"]
    edit_json(path, image_processor=images | {"size": {"height": 32, "width": 64}})
    with pytest.raises(UnsupportedCheckpoint, match="squash pictures to 64 x 64 px"):
        load_checkpoint(str(tmp_path / "copy"))


def test_missing_weights_are_refused(siglip2, tmp_path):
    shutil.copytree(siglip2.source, tmp_path / "copy")
    weights = load_file(tmp_path / "copy" / "model.safetensors")
    del weights["logit_scale"]
    save_file(weights, tmp_path / "copy" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointNotLoaded, match="lacks 1 weights, logit_scale"):
        load_checkpoint(str(tmp_path / "copy"))


def edit_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
