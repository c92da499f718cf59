# SPDX-License-Identifier: Apache-2.0
"""How many questions fit into the memory that is free."""

from collections.abc import Callable
from typing import Any

KEPT_SHARE = 0.8  # of the free memory that a batch may use; the rest is for what is not foreseen
FIRST_ROW_BYTES = 64 * 2**20  # of the activations of a question, before one was measured
BYTES_PER_VALUE = 2


def rows_that_fit(free_bytes: int, row_bytes: int, most: int) -> int:
    """Return the size of the largest batch that fits, 1 at least and `most` at most."""
    return max(1, min(most, int(free_bytes * KEPT_SHARE) // max(1, row_bytes)))


def cache_bytes_per_token(config: Any) -> int:
    """Return the bytes of keys and values that a language model keeps for a token.

    Args:
        config: the model's transformers configuration.
    """
    text = config.get_text_config()
    all_heads: int = getattr(text, "num_attention_heads", 1)
    heads: int = getattr(text, "num_key_value_heads", None) or all_heads
    width: int = getattr(text, "head_dim", None) or getattr(text, "hidden_size", 64) // all_heads
    layers: int = getattr(text, "num_hidden_layers", 1)
    return 2 * layers * heads * width * BYTES_PER_VALUE


class RowCost:
    """Bytes that a question of a batch takes: foreseen at first, then as measured."""

    def __init__(self, config: Any) -> None:
        """Start with what the model's configuration says."""
        self._per_token = cache_bytes_per_token(config)
        self._others = FIRST_ROW_BYTES

    def row_bytes(self, tokens: int) -> int:
        """Return the bytes of a question of some tokens, with its answer."""
        return self._per_token * tokens + self._others

    def measured(self, peak_bytes: int, rows: int, tokens: int) -> None:
        """Take note of the memory that a batch has used at most beside the weights."""
        self._others = max(FIRST_ROW_BYTES // 16, peak_bytes // rows - self._per_token * tokens)

    def failed(self) -> None:
        """Take note that a batch did not fit."""
        self._others *= 2


def free_memory(device: Any, torch: Any) -> Callable[[], int]:
    """Return a function that returns the free bytes of a device."""
    if device.type == "cuda":
        return lambda: int(torch.cuda.mem_get_info(device)[0])
    return _free_of_machine


def _free_of_machine() -> int:
    with open("/proc/meminfo") as file:
        for line in file:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 2**30
