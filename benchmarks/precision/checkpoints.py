# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of the published sizes with random weights: same classes, same files, same cost."""

from pathlib import Path

import torch
from transformers import (
    AutoTokenizer,
    SiglipConfig,
    SiglipModel,
    SiglipProcessor,
    SiglipTextConfig,
    SiglipVisionConfig,
)
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

from benchmarks.common.sizes import BASE, SO400M

TOKENIZER = Path(__file__).parents[2] / "export/tiny/checkpoint"
SEED = 20
TEXT_TOKENS = 64
SIZES = {"base-patch16-224": BASE, "so400m-patch14-384": SO400M}


def make_checkpoint(name: str, folder: Path) -> Path:
    """Save a SigLIP of the size of this name, with the library's own random initialisation."""
    size = SIZES[name]
    tokenizer = AutoTokenizer.from_pretrained(TOKENIZER)
    vision = SiglipVisionConfig(**size.vision)
    text = SiglipTextConfig(
        **size.encoder,
        projection_size=size.width,
        max_position_embeddings=TEXT_TOKENS,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    torch.manual_seed(SEED)
    model = SiglipModel(SiglipConfig(text_config=text.to_dict(), vision_config=vision.to_dict()))
    side = {"height": size.image_size_px, "width": size.image_size_px}
    images = SiglipImageProcessorPil(size=side, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    target = folder / f"random-{name}"
    model.save_pretrained(target)
    SiglipProcessor(images, tokenizer).save_pretrained(target)
    return target
