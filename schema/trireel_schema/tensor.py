# SPDX-License-Identifier: Apache-2.0
"""The entries of the catalogue: a tensor, and the tensors of one finding."""

from dataclasses import dataclass

Dim = int | str


@dataclass(frozen=True)
class Tensor:
    """One tensor, which means the same in every model."""

    name: str
    """Name on the wire."""
    dtype: str
    """Data type as KServe v2 names it; Triton's configs say STRING for BYTES."""
    shape: tuple[Dim, ...]
    """Sizes: a number, or the symbol of a size that differs from answer to answer; see SYMBOLS."""
    meaning: str
    """One sentence for people."""


@dataclass(frozen=True)
class FindingTensors:
    """The tensors of one finding."""

    inputs: tuple[str, ...]
    """Names of its inputs, all of them optional."""
    outputs: tuple[str, ...]
    """Names of its outputs."""
