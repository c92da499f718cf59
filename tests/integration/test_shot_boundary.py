# SPDX-License-Identifier: Apache-2.0
"""shot_boundary in the real Triton: right, shared by many clients, and undisturbed by bad ones."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support.shots import shots_folder
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from trireel_backend.errors import CanaryFailed
from trireel_backend.launch.shot_canary import judge_windows
from trireel_backend.shots.files import load_windows
from trireel_schema.shots import SHOT_MODEL, WEIGHTS_FILE
from trireel_schema.windows import MOST_DIFFERENCE_FP32, KnownWindows, check_windows

from .conftest import served_alone

CLIENTS = 6
WINDOWS = 2  # each takes a second of a CPU
CALL_SECONDS = 60


def serving(folder, shots):
    return served_alone(folder, SHOT_MODEL, shots=shots)


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("shots"), shots_folder()) as url:
        yield url


@pytest.fixture
def client(url):
    with InferenceServerClient(url) as client:
        yield client


@pytest.fixture(scope="module")
def known():
    return load_windows(shots_folder())


@pytest.fixture(scope="module")
def alone(url, known):
    """The answers for each known window in a request of its own."""
    with InferenceServerClient(url) as client:
        return [
            judge_windows(client, frames[None], CALL_SECONDS) for frames in known.frames[:WINDOWS]
        ]


def statistics(client):
    (model,) = client.get_inference_statistics(SHOT_MODEL).model_stats
    return model


def test_the_answers_are_those_of_the_packages_own_code(alone, known):
    single, many = (np.concatenate(parts) for parts in zip(*alone, strict=True))
    judged = KnownWindows(known.names, known.frames, known.single[:WINDOWS], known.many[:WINDOWS])
    assert check_windows(judged, single, many, MOST_DIFFERENCE_FP32) < 1e-6


def test_windows_of_several_clients_share_executions(url, client, known, alone):
    windows = [index % WINDOWS for index in range(CLIENTS)]

    def judge(index):
        with InferenceServerClient(url) as own_client:
            return judge_windows(own_client, known.frames[index : index + 1], CALL_SECONDS)

    before = statistics(client)
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(judge, windows))
    after = statistics(client)
    assert after.inference_stats.success.count - before.inference_stats.success.count == CLIENTS
    assert after.inference_count - before.inference_count == CLIENTS
    # The first window is judged at once; those that arrive meanwhile are judged together.
    assert after.execution_count - before.execution_count <= CLIENTS // 2
    assert max(batch.batch_size for batch in after.batch_stats) >= CLIENTS // 2
    for index, answer in zip(windows, answers, strict=True):
        np.testing.assert_array_equal(answer, alone[index])


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((1, 99, 27, 48, 3), "UINT8"),
        ((1, 100, 48, 27, 3), "UINT8"),
        ((33, 100, 27, 48, 3), "UINT8"),
        ((1, 100, 27, 48, 3), "FP32"),
    ],
)
def test_a_wrong_window_disturbs_no_other(url, client, known, alone, shape, dtype):
    wrong = InferInput("FRAMES", list(shape), dtype)
    wrong.set_data_from_numpy(np.zeros(shape, np.uint8 if dtype == "UINT8" else np.float32))
    with ThreadPoolExecutor(1) as other:
        right = other.submit(judge_windows, client, known.frames[:1], CALL_SECONDS)
        with (
            InferenceServerClient(url) as own_client,
            pytest.raises(InferenceServerException) as raised,
        ):
            own_client.infer(SHOT_MODEL, [wrong], client_timeout=CALL_SECONDS)
        np.testing.assert_array_equal(right.result(), alone[0])
    message = raised.value.message()
    assert SHOT_MODEL in message
    assert "\n" not in message.strip()


def test_a_model_of_other_weights_is_never_ready(tmp_path):
    damaged = tmp_path / "damaged"
    shutil.copytree(shots_folder(), damaged)
    weights = np.fromfile(damaged / WEIGHTS_FILE, "<f4")
    weights[len(weights) // 2 :] = 0
    weights.tofile(damaged / WEIGHTS_FILE)
    expected = r"shot_boundary: in 'cuts between photographs' frame \d+ has .* at most 0.02 apart"
    with (
        pytest.raises(CanaryFailed, match=expected),
        serving(tmp_path, damaged),
    ):
        pass
