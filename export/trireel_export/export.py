# SPDX-License-Identifier: Apache-2.0
"""Exports a checkpoint to a folder that a server can use, or raises an error."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from trireel_export.bank import DEFAULT_DESCRIPTIONS, DEFAULT_TAGS, read_list, write_bank
from trireel_export.checks.canary import write_least_alike
from trireel_export.checks.emulate import emulated
from trireel_export.checks.gate import check_retrieval
from trireel_export.checks.pictures import SENTENCES, resized, verification_pictures
from trireel_export.checks.verify import Check, Items, check_tokens, check_tower, token_ids
from trireel_export.errors import BadSetting
from trireel_export.output import replacing, require_replaceable
from trireel_export.siglip.checkpoint import Checkpoint, load_checkpoint
from trireel_export.siglip.graph import Tower, check_graph
from trireel_export.siglip.precision import LEAST_OPSET, MOST_OPSET, default_opset, least_cosine
from trireel_export.siglip.text import write_text
from trireel_export.siglip.tokenizer import build_tokenizer
from trireel_export.siglip.vision import write_vision
from trireel_schema.errors import InvalidValue
from trireel_schema.files import (
    CANARY_FILE,
    EXPORT_FILES,
    GATE_FILE,
    METADATA_FILE,
    TEXT_BANK_FILE,
    TEXT_FILE,
    TOKENIZER_FILE,
    VISION_FILE,
    weights_file,
)
from trireel_schema.metadata import Metadata, write_metadata
from trireel_schema.pictures import KnownPictures, write_known_pictures
from trireel_schema.precision import Precision
from trireel_schema.prompts import BARE, check_prompt
from trireel_schema.scenes import DEFAULT_SCENE_ALPHA, DEFAULT_SCENE_THRESHOLD, check_scene_settings

EVERY_FILE = {*EXPORT_FILES, weights_file(VISION_FILE), weights_file(TEXT_FILE)}
"""All files that an export may have; large towers keep their weights in a file of their own."""
PACKAGES = ("torch", "transformers", "tokenizers", "onnx", "onnxscript", "onnxruntime")
"""Packages whose versions shape an export."""


@dataclass(frozen=True)
class ExportReport:
    """The files of an export, and how closely they follow the checkpoint."""

    output: Path
    """Folder of the export."""
    metadata: Metadata
    """The contents of its metadata file."""
    checks: tuple[Check, ...]
    """Comparisons that passed."""
    file_bytes: dict[str, int]
    """Size of every file in the output folder."""


def export(
    checkpoint: str,
    output: Path,
    *,
    tags: Path = DEFAULT_TAGS,
    descriptions: Path = DEFAULT_DESCRIPTIONS,
    precision: Precision = Precision.FP32,
    opset: int | None = None,
    scene_threshold: float = DEFAULT_SCENE_THRESHOLD,
    scene_alpha: float = DEFAULT_SCENE_ALPHA,
    note: str = "",
    tag_prompt: str = BARE,
    name: str = "",
    progress: Callable[[str], None] = lambda step: None,
) -> ExportReport:
    """Export a checkpoint, check the result against it, and only then put it into `output`.

    Args:
        checkpoint: a Hugging Face folder or hub name.
        output: a new or empty folder, or one that holds an earlier export, which is replaced.
        tags, descriptions: text files, one text a line.
        precision: number format of the vision tower; the text tower is always fp32.
        opset: ONNX opset; by default that of the precision.
        tag_prompt: sentence that every tag stands in when it is embedded, with {} for the tag.
        note: sentence that people should read beside the answers of this checkpoint.
        name: name of the checkpoint in the export; by default that of its folder or on the hub.
        progress: called with a sentence when a step begins.

    Raises:
        ExportError: if the checkpoint cannot be exported; `output` is then as it was before.
    """
    opset = default_opset(precision) if opset is None else opset
    _check_settings(opset, scene_threshold, scene_alpha, tag_prompt)
    require_replaceable(output, EVERY_FILE)
    tag_texts, description_texts = read_list(tags, progress), read_list(descriptions, progress)
    progress(f"Loading {checkpoint}")
    loaded = load_checkpoint(checkpoint)
    if name:
        loaded = replace(loaded, name=name)
    metadata = _metadata(loaded, precision, opset, scene_threshold, scene_alpha, note, tag_prompt)
    with replacing(output) as folder:
        progress("Writing the towers and the tokenizer")
        write_vision(loaded, folder / VISION_FILE, precision, opset=opset)
        write_text(loaded, folder / TEXT_FILE, opset=opset)
        build_tokenizer(loaded).save(str(folder / TOKENIZER_FILE))
        write_metadata(metadata, folder / METADATA_FILE)
        progress("Embedding tags and descriptions")
        bank = folder / TEXT_BANK_FILE
        write_bank(loaded, tag_texts, description_texts, bank, progress, tag_prompt=tag_prompt)
        checks = [
            *verify_text(loaded, folder, progress),
            *verify_vision(loaded, folder, metadata, progress),
        ]
        file_bytes = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
    return ExportReport(output, metadata, tuple(checks), file_bytes)


def verify_text(
    checkpoint: Checkpoint, folder: Path, progress: Callable[[str], None]
) -> list[Check]:
    """Compare tokenizer and text tower in `folder` with the checkpoint's own.

    Raises:
        VerificationFailed: if they differ; the message names the worst sentence.
    """
    progress("Checking the tokenizer and the text tower")
    check_graph(folder / TEXT_FILE)
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER_FILE))
    check_tokens(tokenizer, checkpoint, SENTENCES)
    reference = checkpoint.embed_texts(SENTENCES)
    sentences = Items("sentences", SENTENCES, token_ids(tokenizer, SENTENCES), reference)
    return check_tower(Tower(folder / TEXT_FILE).run, sentences).checks


def verify_vision(
    checkpoint: Checkpoint, folder: Path, metadata: Metadata, progress: Callable[[str], None]
) -> list[Check]:
    """Compare the vision tower in `folder` with the checkpoint's own in fp32.

    Writes the canary and the known pictures that a served tower is compared with.

    Raises:
        VerificationFailed: if they differ; the message names the worst picture.
    """
    progress("Embedding the known pictures with the checkpoint itself")
    check_graph(folder / VISION_FILE)
    pictures = verification_pictures()
    reference = checkpoint.embed_pictures(list(pictures.values()))
    write_least_alike(checkpoint, pictures, reference, folder / CANARY_FILE)
    # Squashed here and not by the processor, so that a crop or another filter in it shows.
    side, resample = checkpoint.image_size_px, checkpoint.resample
    frames = np.stack([resized(picture, side, resample) for picture in pictures.values()])
    known = KnownPictures(tuple(pictures), frames, reference)
    write_known_pictures(known, checkpoint.weights_sha256, folder / GATE_FILE)
    progress(f"Checking the vision tower in {metadata.precision}")
    items = Items("pictures", known.names, known.frames, known.embeddings)
    with _runnable(folder / VISION_FILE, metadata.precision) as path:
        checked = check_tower(Tower(path).run, items, least_cosine=least_cosine(metadata.precision))
    return [*checked.checks, check_retrieval(checked.embeddings, known, metadata, folder)]


def _runnable(path: Path, precision: Precision) -> AbstractContextManager[Path]:
    return emulated(path) if precision is Precision.BF16 else nullcontext(path)


def _metadata(
    checkpoint: Checkpoint,
    precision: Precision,
    opset: int,
    scene_threshold: float,
    scene_alpha: float,
    note: str,
    tag_prompt: str,
) -> Metadata:
    return Metadata(
        checkpoint=checkpoint.name,
        weights_sha256=checkpoint.weights_sha256,
        image_size_px=checkpoint.image_size_px,
        resample=checkpoint.resample.name.lower(),
        embedding_dim=checkpoint.embedding_dim,
        text_length=checkpoint.text_length,
        logit_scale=float(checkpoint.model.logit_scale.exp().item()),
        logit_bias=float(checkpoint.model.logit_bias.item()),
        scene_threshold=scene_threshold,
        scene_alpha=scene_alpha,
        opset=opset,
        note=note,
        tag_prompt=tag_prompt,
        precision=precision,
        normalisation=checkpoint.normalisation,
        versions={name: version(name) for name in PACKAGES},
    )


def _check_settings(
    opset: int, scene_threshold: float, scene_alpha: float, tag_prompt: str
) -> None:
    if not LEAST_OPSET <= opset <= MOST_OPSET:
        raise BadSetting(f"opset is {opset}: give a number from {LEAST_OPSET} to {MOST_OPSET}")
    try:
        check_scene_settings(scene_threshold, scene_alpha)
        check_prompt(tag_prompt)
    except InvalidValue as error:
        raise BadSetting(str(error)) from error
