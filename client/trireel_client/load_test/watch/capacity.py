# SPDX-License-Identifier: Apache-2.0
"""How a server is configured: how much of each model it can do at once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ORCHESTRATORS = ("video_analysis", "video_analysis_stream")
"""They wait for the other models; each process of them works on several videos."""
VIDEO_SLOTS = "videos_in_flight"  # on so many


@dataclass(frozen=True)
class Capacity:
    """What one model can do at once."""

    instances: int
    """Processes or sessions of it."""
    slots: int
    """Requests it works on at once, without those that a batch joins."""


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
    """Return what a model's configuration, as Triton tells it, allows."""
    # An instance group is there once on each of its GPUs.
    instances = sum(
        int(group["count"]) * max(1, len(group.get("gpus", ())))
        for group in config["instance_group"]
    )
    slots = instances
    if model in ORCHESTRATORS:
        value = config.get("parameters", {}).get(VIDEO_SLOTS, {}).get("string_value", "1")
        slots = instances * math.floor(float(value))
    return Capacity(instances, slots)
