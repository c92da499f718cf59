# SPDX-License-Identifier: Apache-2.0
"""How many videos and sequences a model's config has room for."""

import math
from collections.abc import Mapping
from typing import Any

from trireel_backend.errors import StartupError

WAITING_VIDEOS = "max_waiting_videos"
"""Parameter: number of whole videos that may wait in a model."""
WAITING_BYTES = "max_waiting_upload_bytes"
"""Parameter: bytes that the uploads of these waiting videos may have together."""
MOST_QUEUED = 2**32 - 1  # the largest value of the field in Triton's config
MOST_VIDEOS_AN_INSTANCE = 8  # at 7 ms of Python a video, and 32 calls that Triton lets it make
MAX_SEQUENCES = "max_sequences"
"""Parameter: number of sequences that clients may have open in a model."""


def distribute_videos(config: Any, videos: int | None) -> None:
    """Distribute the whole videos in flight, and those that wait, over instances.

    Few instances have many videos each, because a video that waits in one instance cannot move to
    another. If steps are traced, each instance has one video, and others wait in Triton's queue.

    Args:
        videos: whole videos in flight in all instances together; None for the config's number.

    Raises:
        StartupError: if a value in the config is not a number.
    """
    videos = videos or _whole_number(config, "videos_in_flight", least=1)
    if config.parameters["trace_steps"].string_value == "true":
        config.instance_group[0].count = videos
        # No timeout: before Triton 26.08 one starves the batcher. At least 1: 0 means no bound.
        bound = min(max(1, _whole_number(config, WAITING_VIDEOS)), MOST_QUEUED)
        config.parameters["videos_in_flight"].string_value = "1"
        config.parameters[WAITING_VIDEOS].string_value = "0"
        config.dynamic_batching.default_queue_policy.max_queue_size = bound
        return
    instances = math.ceil(videos / MOST_VIDEOS_AN_INSTANCE)
    config.instance_group[0].count = instances
    shares = {"videos_in_flight": videos}
    shares |= {name: _whole_number(config, name) for name in (WAITING_VIDEOS, WAITING_BYTES)}
    for name, number in shares.items():
        config.parameters[name].string_value = str(math.ceil(number / instances))


def _whole_number(config: Any, name: str, *, least: int = 0) -> int:
    text = config.parameters[name].string_value
    if not text.isdecimal() or int(text) < least:
        raise StartupError(f"{name} of {config.name} is {text!r}: give a number, {least} or more")
    return int(text)


def set_sequence_slots(config: Any, parameters: Mapping[str, str]) -> None:
    """Give Triton's sequence batcher more slots than the sequences that the model accepts.

    Without a free slot, Triton lets any number of sequences wait. A sequence that the model rejects
    keeps its slot until its idle time is over.
    """
    sequences = parameters.get(MAX_SEQUENCES, "")
    if MAX_SEQUENCES not in config.parameters or not sequences.isdecimal():
        return  # the model itself rejects a value that is not a number
    oldest = config.sequence_batching.oldest
    oldest.max_candidate_sequences = max(oldest.max_candidate_sequences, 2 * int(sequences))
