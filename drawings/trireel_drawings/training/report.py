# SPDX-License-Identifier: Apache-2.0
"""Measures a finished checkpoint on held-out scenes, and writes its model card."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from trireel_drawings.places.register import PAIRS
from trireel_drawings.places.vocabulary import DESCRIPTIONS, TAGS
from trireel_drawings.scenes.scene import HELD_OUT_SEED
from trireel_drawings.training.evaluate import (
    SAMPLING_SECONDS,
    Accuracy,
    CutStatistics,
    accuracy,
    cut_statistics,
    held_out_frames,
)
from trireel_drawings.training.train import encode_images, encode_texts, to_pixels
from trireel_schema.scenes import DEFAULT_SCENE_THRESHOLD

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, SiglipModel

SCENES_PER_PAIR = 20
CUT_SCENES = 400
CUT_SEED = HELD_OUT_SEED + 500_000
BATCH = 64
CARD_TEMPLATE = Path(__file__).with_name("model_card.md")


@dataclass(frozen=True)
class Report:
    """Measures of a checkpoint on held-out scenes."""

    tags: Accuracy
    """Accuracy with TAGS as captions."""
    descriptions: Accuracy
    """Accuracy with DESCRIPTIONS as captions."""
    cuts: CutStatistics
    """Cuts between scenes that follow each other."""


def measure(model: "SiglipModel", tokenizer: "PreTrainedTokenizerFast") -> Report:
    """Return the held-out numbers of a trained model."""
    frames, pairs = held_out_frames(HELD_OUT_SEED, SCENES_PER_PAIR)

    def embed(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            parts = [encode_images(model, to_pixels(part)) for part in _batches(images)]
        return np.asarray(torch.cat(parts).numpy(), dtype=np.float32)

    images = embed(frames)

    def compare(captions: tuple[str, ...], of_pair: list[int]) -> Accuracy:
        with torch.inference_mode():
            texts = encode_texts(model, tokenizer, list(captions)).numpy()
        return accuracy(
            images,
            texts,
            np.array(of_pair)[pairs],
            scale=model.logit_scale.exp().item(),
            bias=model.logit_bias.item(),
        )

    return Report(
        compare(TAGS, [TAGS.index(tag) for tag, _ in PAIRS]),
        compare(DESCRIPTIONS, [DESCRIPTIONS.index(words) for _, words in PAIRS]),
        cut_statistics(embed, first_seed=CUT_SEED, scenes=CUT_SCENES),
    )


def write_card(folder: Path, report: Report, train_minutes: float) -> None:
    """Write README.md, the model card, into the folder of a checkpoint."""
    cuts = report.cuts
    weights = (folder / "model.safetensors").stat().st_size
    text = CARD_TEMPLATE.read_text(encoding="utf-8").format(
        train_minutes=f"{train_minutes:.0f}",
        weights_mb=f"{weights / 1e6:.1f}",
        scenes=SCENES_PER_PAIR * len(PAIRS),
        pairs=len(PAIRS),
        held_out_seed=HELD_OUT_SEED,
        sampling=SAMPLING_SECONDS,
        threshold=DEFAULT_SCENE_THRESHOLD,
        tag_row=_row("tags", report.tags),
        description_row=_row("descriptions", report.descriptions),
        cuts=cuts,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def _row(name: str, numbers: Accuracy) -> str:
    return (
        f"| {len(TAGS)} {name} | {numbers.top1:.1%} | {numbers.true_above_half:.1%} "
        f"| {numbers.others_below_half:.1%} |"
    )


def _batches(images: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [images[start : start + BATCH] for start in range(0, len(images), BATCH)]
