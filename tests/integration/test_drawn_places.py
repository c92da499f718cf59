# SPDX-License-Identifier: Apache-2.0
"""The tiny checkpoint, served: drawings it has never seen get their tag and description."""

from itertools import product

import numpy as np
import pytest
import tritonclient.grpc as grpc
from PIL import Image

from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

LEAST_TAG_SHARE = 0.98
LEAST_DESCRIPTION_SHARE = 0.95
SCENES_OF_EACH = 12
PICTURE_PX = (320, 240)
SECONDS_INTO_SCENE = (0.4, 5.3)


@pytest.fixture(scope="module")
def answers(server):
    """Ask frame_chunk for every held-out drawing: (place, description, tag, caption) of each."""
    cases = []
    with grpc.InferenceServerClient(server.grpc_url) as client:
        size_px = client.get_model_metadata("siglip_vision").inputs[0].shape[1]
        seed = HELD_OUT_SEED + 100_000
        for number, (place, description) in product(range(SCENES_OF_EACH), PAIRS):
            seed += 1
            scene = draw_scene(seed, place, description)
            frame = scene.frame(SECONDS_INTO_SCENE[number % 2], PICTURE_PX)
            answer = ask(client, squash(frame, size_px))
            cases.append((place, description, *answer))
    return cases


def squash(frame, size_px):
    square = Image.fromarray(frame).resize((size_px, size_px), Image.Resampling.BICUBIC)
    return np.asarray(square)


def ask(client, picture):
    frames = grpc.InferInput("FRAMES", [1, *picture.shape], "UINT8")
    frames.set_data_from_numpy(picture[None])
    times = grpc.InferInput("TIMESTAMPS", [1], "FP64")
    times.set_data_from_numpy(np.zeros(1))
    answer = client.infer(
        "frame_chunk", [frames, times], sequence_id=1, sequence_start=True, sequence_end=True
    )
    return tuple(answer.as_numpy(name)[0].decode() for name in ("TAG_TEXTS", "CAPTION_TEXT"))


def test_places_are_told_apart(answers):
    right = [place == tag for place, _, tag, _ in answers]
    assert np.mean(right) >= LEAST_TAG_SHARE


def test_what_happens_is_told_apart(answers):
    right = [description == caption for _, description, _, caption in answers]
    assert np.mean(right) >= LEAST_DESCRIPTION_SHARE


def test_every_place_and_description_was_shown(answers):
    assert len({place for place, *_ in answers}) == 20
    assert len({description for _, description, *_ in answers}) == 20
