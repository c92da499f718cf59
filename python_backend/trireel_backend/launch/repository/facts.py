# SPDX-License-Identifier: Apache-2.0
"""Facts about the checkpoint and its runtime in the models' configs."""

from typing import Any

from trireel_schema.metadata import Metadata

ENGINE = "TensorRT engine"


def set_facts(config: Any, metadata: Metadata, runtime: str) -> None:
    """Write facts into those parameters of a ModelConfig message that are there for them.

    Args:
        runtime: what computes the vision tower.
    """
    facts = {
        "checkpoint": metadata.checkpoint,
        "checkpoint_note": metadata.note,
        "runtime": runtime,
    }
    for name, value in facts.items():
        if name in config.parameters:
            config.parameters[name].string_value = value
