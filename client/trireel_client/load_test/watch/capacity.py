# SPDX-License-Identifier: Apache-2.0
"""The capacity of a server: how much each of its models can do at once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ORCHESTRATORS = ("video_analysis", "video_analysis_stream")
"""The whole-video models. They wait for other models, and one process works on many videos."""
VIDEO_SLOTS = "videos_in_flight"  # parameter: videos that one process works on


@dataclass(frozen=True)
class Capacity:
    """The capacity of one model."""

    instances: int
    """Number of processes or sessions of the model."""
    slots: int
    """Number of requests that the model works on at once, if none are batched."""


def known_capacities(configs: Mapping[str, Mapping[str, Any]]) -> dict[str, Capacity]:
    """Return what models can do at once, by name; models without an instance group are left out.

    Args:
        configs: the models' configurations by name, as Triton reports them.
    """
    return {
        model: capacity_of(model, config)
        for model, config in configs.items()
        if config.get("instance_group")
    }


def capacity_of(model: str, config: Mapping[str, Any]) -> Capacity:
    """Return the capacity in a model's configuration, as Triton reports it."""
    # An instance group counts once for each of its GPUs.
    instances = sum(
        int(group["count"]) * max(1, len(group.get("gpus", ())))
        for group in config["instance_group"]
    )
    slots = instances
    if model in ORCHESTRATORS:
        value = config.get("parameters", {}).get(VIDEO_SLOTS, {}).get("string_value", "1")
        slots = instances * math.floor(float(value))
    return Capacity(instances, slots)
