# SPDX-License-Identifier: Apache-2.0
"""The tensors of objects, as a server answers with them."""

import numpy as np
from unit.client.scripted import Tensors, bytes_of, whole_video

# A person walks from the left to the right through all three chunks; a ball is in the second one.
PERSON, BALL = 7, 9
EMPTY_SECONDS = 25.0
"""Time of the last frame looked at, on which there is nothing."""


def with_objects(tensors: Tensors | None = None) -> Tensors:
    """Return the scripted video's answer in mode `combined`: two tracks, four detections."""
    return {
        **(whole_video() if tensors is None else tensors),
        "OBJECT_MODE": bytes_of(["combined"] * 3),
        "OBJECT_FRAME_TIMESTAMPS": np.array([5.0, 15.0, 20.5, EMPTY_SECONDS]),
        "OBJECT_TIMESTAMPS": np.array([5.0, 15.0, 15.0, 20.5]),
        "OBJECT_CHUNK_INDICES": np.array([0, 1, 1, 2], np.int32),
        "OBJECT_BOXES": np.array(
            [
                [0.1, 0.2, 0.3, 0.8],
                [0.4, 0.2, 0.6, 0.8],
                [0.0, 0.0, 0.1, 0.2],
                [0.7, 0.2, 0.9, 1.0],
            ],
            np.float32,
        ),
        "OBJECT_SCORES": np.array([0.9, 0.8, 0.5, 0.95], np.float32),
        "OBJECT_LABELS": bytes_of(["person", "person", "ball", "person"]),
        "OBJECT_TRACK_IDS": np.array([PERSON, PERSON, BALL, PERSON]),
        "TRACK_IDS": np.array([BALL, PERSON]),
        "TRACK_LABELS": bytes_of(["ball", "person"]),
        "TRACK_SPANS": np.array([[15.0, 15.0], [5.0, 20.5]]),
        "TRACK_SCORES": np.array([0.5, 0.95], np.float32),
        "TRACK_BEST_SECONDS": np.array([15.0, 20.5]),
        "TRACK_BEST_BOXES": np.array([[0.0, 0.0, 0.1, 0.2], [0.7, 0.2, 0.9, 1.0]], np.float32),
        "ONSCREEN_LABELS": bytes_of(["person", "ball", "person"]),
        "ONSCREEN_SPANS": np.array([[20.5, 20.5], [15.0, 15.0], [5.0, 15.0]]),
        "PICTURE_SIZE_PX": np.array([200, 100], np.int32),
    }


def chunked(tensors: Tensors) -> Tensors:
    """Return an answer with objects in mode `chunked`: without tracks."""
    empty = {name: tensor[:0] for name, tensor in tensors.items() if name.startswith("TRACK_")}
    return {
        **tensors,
        **empty,
        "OBJECT_MODE": bytes_of(["chunked"] * len(tensors["OBJECT_MODE"])),
        "OBJECT_TRACK_IDS": np.full_like(tensors["OBJECT_TRACK_IDS"], -1),
    }


def without_objects(tensors: Tensors) -> Tensors:
    """Return an answer with objects of a video in which there are none."""
    kept = ("OBJECT_MODE", "OBJECT_FRAME_TIMESTAMPS")
    of_objects = ("OBJECT_", "TRACK_", "ONSCREEN_")
    empty = {
        name: tensor[:0]
        for name, tensor in tensors.items()
        if name.startswith(of_objects) and name not in kept
    }
    return {**tensors, **empty}
