# SPDX-License-Identifier: Apache-2.0
"""Loads a SigLIP checkpoint; its own embeddings are the reference of every check."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import AutoConfig, SiglipModel

from trireel_export.errors import UnsupportedCheckpoint
from trireel_export.loading import (
    accidents_as_sentences,
    display_name,
    require_all_weights,
    weights_hash,
)
from trireel_export.siglip.processor import load_processor
from trireel_schema.metadata import Normalisation

FIXED_RESOLUTION = "siglip"  # model type of SigLIP, and of SigLIP 2 with a fixed resolution
NAFLEX = "siglip2"
TEXTS_AT_ONCE = 256  # a bank may hold 100,000


@dataclass(frozen=True)
class Checkpoint:
    """A fixed-resolution SigLIP with its own processor."""

    name: str
    model: Any
    """transformers.SiglipModel, float32, in evaluation mode."""
    processor: Any
    """transformers.SiglipProcessor: `image_processor` and `tokenizer`."""

    @property
    def image_size_px(self) -> int:
        return int(self.model.config.vision_config.image_size)

    @property
    def embedding_dim(self) -> int:
        return int(self.model.config.vision_config.hidden_size)

    @property
    def text_length(self) -> int:
        return int(self.model.config.text_config.max_position_embeddings)

    @property
    def resample(self) -> Image.Resampling:
        return Image.Resampling(self.processor.image_processor.resample)

    @property
    def normalisation(self) -> Normalisation:
        images = self.processor.image_processor
        return Normalisation(
            rescale_factor=images.rescale_factor if images.do_rescale else 1.0,
            mean=tuple(images.image_mean) if images.do_normalize else (0.0, 0.0, 0.0),
            std=tuple(images.image_std) if images.do_normalize else (1.0, 1.0, 1.0),
        )

    @cached_property
    def weights_sha256(self) -> str:
        """Hash of names, shapes and values of all weights, however the files are split."""
        return weights_hash(self.model)

    @cached_property
    def lower_cases(self) -> bool:
        """True if the processor lower-cases text itself.

        All SigLIPs were trained on lower case, but the Gemma tokenizer that SigLIP 2 names on
        the hub leaves it to the caller.
        """
        upper, lower = self._own_token_ids(["A KITCHEN", "a kitchen"])
        return bool((upper == lower).all())

    def token_ids(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the processor's ids [N, L] of lower-cased texts, padded and cut to L."""
        return self._own_token_ids(texts if self.lower_cases else [text.lower() for text in texts])

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings [N, D] of texts, unit length."""
        embeddings = np.empty((len(texts), self.embedding_dim), np.float32)
        # All batches go into one array. Parts that are kept one by one would lie between the memory
        # of the batches, and little of that memory would be used again.
        for at in range(0, len(texts), TEXTS_AT_ONCE):
            here = slice(at, at + TEXTS_AT_ONCE)
            embeddings[here] = self._embed_some(texts[here])
        return embeddings

    def _embed_some(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with torch.no_grad():
            ids = torch.from_numpy(self.token_ids(texts))
            return _unit(self.model.text_model(input_ids=ids).pooler_output)

    def embed_pictures(self, pictures: Sequence[Image.Image]) -> NDArray[np.float32]:
        """Return the embeddings [N, D] of RGB pictures of any sizes, unit length."""
        with torch.no_grad():
            pixels = self.processor(images=list(pictures), return_tensors="pt")["pixel_values"]
            return _unit(self.model.vision_model(pixel_values=pixels).pooler_output)

    def _own_token_ids(self, texts: Sequence[str]) -> NDArray[np.int64]:
        # SigLIP reads a text's last position, so that the padding is part of the text.
        encoded = self.processor.tokenizer(
            list(texts),
            padding="max_length",
            truncation=True,
            max_length=self.text_length,
            return_tensors="np",
        )
        return np.asarray(encoded["input_ids"], np.int64)


def load_checkpoint(source: str) -> Checkpoint:
    """Load a Hugging Face folder or hub name.

    Raises:
        CheckpointNotLoaded: if it is not there, or weights are missing from it.
        UnsupportedCheckpoint: if it is not a SigLIP of fixed resolution, or not used as one.
    """
    with accidents_as_sentences(source):
        config = AutoConfig.from_pretrained(source)
        _require_fixed_resolution(source, config)
        model, loading = SiglipModel.from_pretrained(
            source,
            dtype=torch.float32,
            # Products and a softmax make the smallest graph, and optimizers know how to fuse them.
            attn_implementation="eager",
            output_loading_info=True,
        )
        processor = load_processor(source)
    require_all_weights(source, loading)
    checkpoint = Checkpoint(display_name(source), model.eval(), processor)
    _require_square(checkpoint)
    return checkpoint


def _require_fixed_resolution(source: str, config: Any) -> None:
    if config.model_type == NAFLEX:
        raise UnsupportedCheckpoint(
            f"{source} is a NaFlex checkpoint (Siglip2Model), which takes pictures of any shape:"
            " take the same model with a fixed resolution, such as google/siglip2-base-patch16-224"
        )
    if config.model_type != FIXED_RESOLUTION:
        raise UnsupportedCheckpoint(
            f"{source} is of type {config.model_type!r}: only SigLIP and SigLIP 2 with a fixed"
            f" resolution ({FIXED_RESOLUTION!r}) can be exported"
        )
    if not getattr(config.vision_config, "vision_use_head", True):
        raise UnsupportedCheckpoint(
            f"{source} has no attention-pooling head, so its pictures have no embedding:"
            " take the checkpoint it was made from"
        )


def _require_square(checkpoint: Checkpoint) -> None:
    images, side = checkpoint.processor.image_processor, checkpoint.image_size_px
    size = (images.size.get("height"), images.size.get("width"))
    crops = getattr(images, "do_center_crop", None) or getattr(images, "do_pad", None)
    if size != (side, side) or not images.do_resize or crops:
        raise UnsupportedCheckpoint(
            f"{checkpoint.name}: its processor must squash pictures to {side} x {side} px as its"
            f" vision tower wants them, but resizes to {dict(images.size)}"
            + (" and crops or pads" if crops else "")
        )


def _unit(embeddings: torch.Tensor) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = torch.nn.functional.normalize(embeddings, dim=-1).numpy()
    return unit
