# SPDX-License-Identifier: Apache-2.0
"""Shapes of SigLIP vision towers, and the work they are."""

from dataclasses import dataclass


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
        """The encoder in transformers' words, which are the same for the text tower."""
        return {
            "hidden_size": self.width,
            "intermediate_size": self.mlp_width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
        }

    @property
    def vision(self) -> dict[str, int]:
        """The vision tower in transformers' words."""
        return self.encoder | {"image_size": self.image_size_px, "patch_size": self.patch_size_px}

    @property
    def tokens(self) -> int:
        return (self.image_size_px // self.patch_size_px) ** 2

    @property
    def flops_per_frame(self) -> int:
        """Return the multiplications and additions of a frame's matrix products.

        In the pooling head those that every arrangement of it needs: keys and values of all tokens,
        0.6 % of so400m, can be saved, and are not counted.
        """
        patches = self.tokens * 3 * self.patch_size_px**2 * self.width
        projections = self.tokens * 4 * self.width**2
        attention = 2 * self.tokens**2 * self.width
        mlp = 2 * self.width * self.mlp_width
        head = 2 * self.tokens * self.width * self.heads + 2 * self.width**2 + mlp
        layer = projections + attention + self.tokens * mlp
        return 2 * (patches + self.layers * layer + head)


TINY = Size("tiny", 96, 16, 128, 5, 4, 384)
"""export/tiny/checkpoint"""
BASE = Size("base", 224, 16, 768, 12, 12, 3072)
"""google/siglip-base-patch16-224"""
SO400M = Size("so400m", 384, 14, 1152, 27, 16, 4304)
"""google/siglip-so400m-patch14-384"""
