# SPDX-License-Identifier: Apache-2.0
"""The bundled detector in the real Triton: finds drawn things, in batches of many clients too."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from trireel_backend.errors import CanaryFailed
from trireel_backend.launch.detector_canary import detect_frames
from trireel_drawings.detection.average_precision import Found
from trireel_drawings.detection.measure import held_out, measure
from trireel_drawings.detection.pictures import LABELS
from trireel_schema.detector import (
    DETECTOR_FILE,
    DETECTOR_MODEL,
    KNOWN_DETECTIONS_FILE,
    read_detector,
)

from .conftest import DETECTOR, served_alone

CLIENTS = 6
PICTURES = 165  # three of every kind of scene
LEAST_AP50 = 0.85
CALL_SECONDS = 60


def serving(folder, detector):
    return served_alone(folder, DETECTOR_MODEL, detector=detector)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("detector"), DETECTOR) as url:
        yield url


@pytest.fixture
def client(url):
    with InferenceServerClient(url) as client:
        yield client


@pytest.fixture(scope="module")
def pictures():
    return held_out(PICTURES)


def statistics(client):
    (model,) = client.get_inference_statistics(DETECTOR_MODEL).model_stats
    return model


def test_it_finds_the_things_of_drawings_it_never_saw(client, pictures):
    def detect(frames):
        found = detect_frames(client, frames, CALL_SECONDS)
        return [Found(*rows) for rows in zip(found.boxes, found.scores, found.labels, strict=True)]

    measured = measure(detect, pictures)
    assert len(measured.ap50) >= 12
    assert measured.mean >= LEAST_AP50, measured


def test_a_frame_has_the_same_boxes_alone_and_in_a_batch(client, pictures):
    frames = pictures.frames[:CLIENTS]
    together = detect_frames(client, frames, CALL_SECONDS)
    for index in range(CLIENTS):
        alone = detect_frames(client, frames[index : index + 1], CALL_SECONDS)
        np.testing.assert_allclose(alone.boxes[0], together.boxes[index], atol=1e-5)
        np.testing.assert_allclose(alone.scores[0], together.scores[index], atol=1e-5)
        np.testing.assert_array_equal(alone.labels[0], together.labels[index])


def test_frames_of_several_clients_share_executions(url, client, pictures):
    frames = pictures.frames[:CLIENTS]

    def detect(index):
        with InferenceServerClient(url) as own_client:
            return detect_frames(own_client, frames[index : index + 1].repeat(8, 0), CALL_SECONDS)

    before = statistics(client)
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(detect, range(CLIENTS)))
    deadline = time.monotonic() + CALL_SECONDS
    while True:  # Triton counts a request after its response was sent
        after = statistics(client)
        counted = after.inference_count - before.inference_count
        if counted >= 8 * CLIENTS or time.monotonic() > deadline:
            break
        time.sleep(0.05)
    assert counted == 8 * CLIENTS
    assert after.execution_count - before.execution_count < CLIENTS
    assert max(batch.batch_size for batch in after.batch_stats) > 8
    for index, answer in enumerate(answers):
        alone = detect_frames(client, frames[index : index + 1], CALL_SECONDS)
        np.testing.assert_allclose(answer.boxes[3], alone.boxes[0], atol=1e-5)


def test_boxes_are_sorted_fractions_and_labels_are_known(client, pictures):
    metadata = read_detector(DETECTOR / DETECTOR_FILE)
    assert metadata.labels == LABELS
    found = detect_frames(client, pictures.frames[:3], CALL_SECONDS)
    assert found.boxes.shape == (3, metadata.num_boxes, 4)
    assert found.boxes.min() >= 0
    assert found.boxes.max() <= 1
    assert (found.boxes[..., 2:] >= found.boxes[..., :2]).all()
    assert (np.diff(found.scores, axis=1) <= 0).all()
    assert set(found.labels.flat) <= set(range(len(LABELS)))


@pytest.mark.parametrize(
    ("shape", "dtype"), [((1, 160, 256, 4), np.uint8), ((1, 256, 160, 3), np.uint8)]
)
def test_a_frame_of_another_size_is_rejected(client, shape, dtype):
    wrong = InferInput("FRAMES", list(shape), "UINT8")
    wrong.set_data_from_numpy(np.zeros(shape, dtype))
    with pytest.raises(InferenceServerException, match="object_detector"):
        client.infer(DETECTOR_MODEL, [wrong], client_timeout=CALL_SECONDS)


def test_a_detector_that_finds_something_else_is_never_ready(tmp_path):
    other = tmp_path / "other"
    shutil.copytree(DETECTOR, other)
    with np.load(other / KNOWN_DETECTIONS_FILE) as stored:
        arrays = dict(stored)
    arrays["boxes"] = arrays["boxes"][..., [1, 0, 3, 2]]
    np.savez(other / KNOWN_DETECTIONS_FILE, **arrays)
    with (
        pytest.raises(CanaryFailed, match=r"object_detector: in .* has no partner"),
        serving(tmp_path, other),
    ):
        pass
