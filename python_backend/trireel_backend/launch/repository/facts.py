# SPDX-License-Identifier: Apache-2.0
"""Facts about the checkpoint, its runtime and the machine in the models' configs."""

from typing import Any

from trireel_schema.metadata import Metadata

ENGINE = "TensorRT engine"
SHOT_PARAMETER = "shot_model"
"""Parameter of models that call `shot_boundary`: whether the repository has it."""
TEXT_PARAMETER = "text_models"
"""Parameter of models that call those that read text: whether the repository has them."""
EVERY_WINDOW_PARAMETER = "every_shot_window"
"""Parameter of the same models: whether `shot_boundary` judges windows without a change too."""


def set_facts(
    config: Any,
    metadata: Metadata,
    *,
    runtime: str,
    has_shots: bool,
    has_text_models: bool,
    has_gpu: bool,
) -> None:
    """Write facts into those parameters of a ModelConfig message that are there for them.

    Args:
        runtime: what computes the vision tower.
        has_shots: True if the repository has the model `shot_boundary`.
        has_text_models: True if the repository has the models that read text.
        has_gpu: True if the models have a GPU.
    """
    facts = {
        "checkpoint": metadata.checkpoint,
        "checkpoint_note": metadata.note,
        "runtime": runtime,
        SHOT_PARAMETER: str(has_shots).lower(),
        TEXT_PARAMETER: str(has_text_models).lower(),
        EVERY_WINDOW_PARAMETER: str(has_gpu).lower(),
    }
    for name, value in facts.items():
        if name in config.parameters:
            config.parameters[name].string_value = value
