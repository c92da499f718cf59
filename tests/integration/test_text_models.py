# SPDX-License-Identifier: Apache-2.0
"""text_detector and text_recognizer in the real Triton: right, shared, and undisturbed."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support.text import lettered, text_folder
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from trireel_backend.errors import CanaryFailed
from trireel_backend.launch.text_canary import read_frame
from trireel_backend.text_models.files import (
    CHARACTERS_FILE,
    DETECTOR_MODEL,
    RECOGNIZER_MODEL,
    TEXT_MODELS,
    load_characters,
)

from .conftest import served_alone

TEXTS = ("We leave at 7:30", "Früher stand hier eine Mühle", "jusqu'à 40 km", "o comboio")
CALL_SECONDS = 60


def serving(folder, text_models):
    return served_alone(folder, *TEXT_MODELS, text_models=text_models)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("text"), text_folder()) as url:
        yield url


@pytest.fixture
def client(url):
    with InferenceServerClient(url) as client:
        yield client


def frame_of(text):
    return lettered((480, 64), [((12, 12), text, 28)])


def texts_of(url, frame):
    with InferenceServerClient(url) as client:
        _, lines = read_frame(client, frame, load_characters(text_folder()), CALL_SECONDS)
    return [line.text for line in lines]


def statistics(client, name):
    (model,) = client.get_inference_statistics(name).model_stats
    return model


def infer(client, model, name, array):
    tensor = InferInput(name, list(array.shape), "UINT8")
    tensor.set_data_from_numpy(array)
    return client.infer(model, [tensor], client_timeout=CALL_SECONDS)


def test_many_clients_share_batches_and_read_what_is_written(url, client):
    before = {name: statistics(client, name) for name in TEXT_MODELS}
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda text: texts_of(url, frame_of(text)), TEXTS * 4))
    assert read == [[text] for text in TEXTS * 4]
    for name in TEXT_MODELS:
        after = statistics(client, name)
        rows = after.inference_count - before[name].inference_count
        assert rows == len(read)
        assert after.execution_count - before[name].execution_count < rows


def test_frames_of_one_request_get_their_own_maps(client):
    frames = np.stack([frame_of(text) for text in TEXTS[:2]])
    together = infer(client, DETECTOR_MODEL, "FRAMES", frames).as_numpy("TEXT_MAP")
    assert (together.dtype, together.shape) == (np.uint8, (2, 64, 480))
    for frame, text_map in zip(frames, together, strict=True):
        alone = infer(client, DETECTOR_MODEL, "FRAMES", frame[None]).as_numpy("TEXT_MAP")[0]
        assert np.abs(text_map.astype(int) - alone).max() <= 1


@pytest.mark.parametrize(
    ("model", "name", "shape", "message"),
    [
        (DETECTOR_MODEL, "FRAMES", (1, 64, 100, 3), "each side must be a multiple of 32"),
        (DETECTOR_MODEL, "FRAMES", (9, 32, 32, 3), "batch-size must be <= 8"),
        (RECOGNIZER_MODEL, "LINES", (1, 48, 8, 3), "LINES are 8 pixels wide: give 16 to 4096"),
        (RECOGNIZER_MODEL, "LINES", (1, 32, 160, 3), "unexpected shape for input 'LINES'"),
    ],
)
def test_pictures_that_are_not_allowed_are_rejected(client, url, model, name, shape, message):
    with pytest.raises(InferenceServerException, match=message):
        infer(client, model, name, np.zeros(shape, np.uint8))
    assert texts_of(url, frame_of(TEXTS[0])) == [TEXTS[0]]


def test_a_server_that_reads_other_characters_does_not_start(tmp_path):
    wrong = shutil.copytree(text_folder(), tmp_path / "wrong")
    characters = (wrong / CHARACTERS_FILE).read_text().replace('"W"', '"V"')
    (wrong / CHARACTERS_FILE).write_text(characters)
    with pytest.raises(CanaryFailed, match="were read as"), serving(tmp_path, wrong):
        raise AssertionError("it reports ready")
