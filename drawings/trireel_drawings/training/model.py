# SPDX-License-Identifier: Apache-2.0
"""The tiny SigLIP: its size and its files."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from trireel_drawings.training.captions import TEXT_LENGTH
from trireel_drawings.training.dataset import IMAGE_SIZE_PX

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, SiglipModel

WIDTH = 128  # of both towers, and of the embeddings
HEADS = 4
PATCH_PX = 16
VISION_LAYERS = 5
VISION_MLP_WIDTH = 384
TEXT_LAYERS = 2
TEXT_MLP_WIDTH = 256
MEAN_AND_STD = [0.5, 0.5, 0.5]  # as all SigLIP checkpoints


def build_model(tokenizer: "PreTrainedTokenizerFast") -> "SiglipModel":
    """Return an untrained SigLIP for the tokenizer; seed torch first."""
    from transformers import SiglipConfig, SiglipModel, SiglipTextConfig, SiglipVisionConfig

    vision = SiglipVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=VISION_MLP_WIDTH,
        num_hidden_layers=VISION_LAYERS,
        num_attention_heads=HEADS,
        image_size=IMAGE_SIZE_PX,
        patch_size=PATCH_PX,
    )
    text = SiglipTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        projection_size=WIDTH,
        intermediate_size=TEXT_MLP_WIDTH,
        num_hidden_layers=TEXT_LAYERS,
        num_attention_heads=HEADS,
        max_position_embeddings=TEXT_LENGTH,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return SiglipModel(SiglipConfig(text_config=text.to_dict(), vision_config=vision.to_dict()))


def save_checkpoint(
    model: "SiglipModel", tokenizer: "PreTrainedTokenizerFast", folder: Path
) -> None:
    """Write an ordinary Hugging Face folder: weights, config, processor and tokenizer."""
    from transformers import SiglipProcessor
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    images = SiglipImageProcessorPil(
        size={"height": IMAGE_SIZE_PX, "width": IMAGE_SIZE_PX},
        image_mean=MEAN_AND_STD,
        image_std=MEAN_AND_STD,
    )
    model.save_pretrained(folder)
    SiglipProcessor(images, tokenizer).save_pretrained(folder)
    images.save_pretrained(folder)
    _name_tokenizer_class(folder / "tokenizer_config.json")


def _name_tokenizer_class(path: Path) -> None:
    """Write the class name that releases 4 and 5 of Transformers both know."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["tokenizer_class"] = "PreTrainedTokenizerFast"
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
