# SPDX-License-Identifier: Apache-2.0
"""The tensors of scenes that a newer server adds to the scripted answers."""

import numpy as np
from unit.client.scripted import Tensors, bytes_of, scored, whole_video


def with_scenes(tensors: Tensors | None = None) -> Tensors:
    """Return the scripted video's answer: a dissolve at 13.75 s, a cut at 23.75 s, three scenes."""
    return {
        **(whole_video() if tensors is None else tensors),
        "SCENE_MODE": bytes_of(["refined"]),
        "SCENE_TRANSITIONS": np.array([[13.5, 14.0], [23.75, 23.75]]),
        "SCENE_KINDS": bytes_of(["dissolve", "cut"]),
        "SCENE_REASONS": bytes_of(["blend of both sides", "new histogram"]),
        "SCENE_SPANS": np.array([[0.0, 13.75], [13.75, 23.75], [23.75, 30.0]]),
        **scored("SCENE_TAG_{}S", ["beach", "park", "kitchen", "café", "gym", "bus"], (3, 2)),
        **scored("SCENE_CAPTION_{}S", ["a beach", "a kitchen", "a gym"], (3,)),
        "SCENE_REPRESENTATIVE_SECONDS": np.array([6.25, 18.75, 26.25]),
        "FRAME_RATE": np.array([25, 1]),
        "IS_VFR": np.array([False]),
        "PICTURE_SIZE_PX": np.array([1280, 720], np.int32),
    }


def ended_scene(tensors: Tensors) -> Tensors:
    """Return a chunk's answer that reports one scene and the signals of three frames."""
    return {
        **tensors,
        "SCENE_SPANS": np.array([[0.0, 13.75]]),
        "SCENE_TAG_TEXTS": np.zeros((1, 0), np.object_),
        "SCENE_CAPTION_TEXTS": np.zeros(0, np.object_),
        "SCENE_REPRESENTATIVE_SECONDS": np.array([6.25]),
        "SCENE_SIGNAL_TIMESTAMPS": np.array([0.0, 0.04, 0.08]),
        "SCENE_SIGNALS": np.array([[0.5, np.nan], [0.25, 0.75], [0.125, 0.9]], np.float32),
    }
