# SPDX-License-Identifier: Apache-2.0
"""SigLIP towers of the published sizes: shapes, FLOP, checkpoints with random weights, sessions."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.common.record import ROOT

if TYPE_CHECKING:
    import onnxruntime as ort

TINY_CHECKPOINT = ROOT / "export/tiny/checkpoint"
SEED = 20
TEXT_TOKENS = 64


@dataclass(frozen=True)
class Size:
    """The shape of a SigLIP vision tower."""

    name: str
    image_size_px: int
    patch_size_px: int
    width: int
    layers: int
    heads: int
    mlp_width: int

    @property
    def encoder(self) -> dict[str, int]:
        """The encoder's options of transformers; those of the text tower have the same names."""
        return {
            "hidden_size": self.width,
            "intermediate_size": self.mlp_width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
        }

    @property
    def vision(self) -> dict[str, int]:
        """The vision tower's options of transformers."""
        return self.encoder | {"image_size": self.image_size_px, "patch_size": self.patch_size_px}

    @property
    def tokens(self) -> int:
        """Number of patches of a frame."""
        return (self.image_size_px // self.patch_size_px) ** 2

    @property
    def flops_per_frame(self) -> int:
        """Multiplications and additions of a frame's matrix products.

        The keys and values of the pooling head are not counted (0.6 % of so400m): a graph can be
        arranged so that it does not compute them.
        """
        patches = self.tokens * 3 * self.patch_size_px**2 * self.width
        projections = self.tokens * 4 * self.width**2
        attention = 2 * self.tokens**2 * self.width
        mlp = 2 * self.width * self.mlp_width
        head = 2 * self.tokens * self.width * self.heads + 2 * self.width**2 + mlp
        layer = projections + attention + self.tokens * mlp
        return 2 * (patches + self.layers * layer + head)


TINY = Size("tiny", 96, 16, 128, 5, 4, 384)
"""The bundled checkpoint."""
BASE = Size("base", 224, 16, 768, 12, 12, 3072)
"""google/siglip-base-patch16-224"""
SO400M = Size("so400m", 384, 14, 1152, 27, 16, 4304)
"""google/siglip-so400m-patch14-384"""
PUBLISHED = {"base-patch16-224": BASE, "so400m-patch14-384": SO400M}


def session(onnx: Path, threads: int) -> "ort.InferenceSession":
    """Return a bare onnxruntime session whose threads share each run and do not spin."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])


def make_checkpoint(name: str, folder: Path) -> Path:
    """Save a checkpoint of a published size with random weights of transformers' initialisation."""
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

    size = PUBLISHED[name]
    tokenizer = AutoTokenizer.from_pretrained(TINY_CHECKPOINT)
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
