# SPDX-License-Identifier: Apache-2.0
"""clip_encoder in the real Triton: clips side by side, bad requests alone, and a real browser."""

import io
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import av
import numpy as np
import psutil
import pytest
from support import browser
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from trireel_backend.clips.isolation import WORKER_MODULE
from trireel_backend.launch.embedded.server import ServerOptions, embedded_server
from trireel_backend.launch.ports import Ports

from .conftest import EXPORT, MODELS, Server

COUNT = 8
GREYS = [20 + 25 * index for index in range(COUNT)]
PTS = [90_000 * 600 + 9000 * index + 90 * (index % 2) for index in range(COUNT)]  # from 600 s on


@contextmanager
def serving(folder):
    """Serve the vision tower, which the start checks, and clip_encoder alone."""
    (folder / "models").mkdir()
    for name in ("siglip_vision", "clip_encoder"):
        (folder / "models" / name).symlink_to(MODELS / name)
    options = ServerOptions(
        models=folder / "models",
        export=EXPORT,
        media_root=folder,
        ports=Ports.free(),
        log=folder / "triton.log",
    )
    with embedded_server(options) as running:
        yield Server(
            grpc_url=f"127.0.0.1:{running.ports.grpc}",
            http_url=f"127.0.0.1:{running.ports.http}",
            metrics_url=f"127.0.0.1:{running.ports.metrics}",
            media=folder,
            process_id=running.process.pid,
            log=options.log,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("clips")) as server:
        yield server


@pytest.fixture
def client(server):
    with InferenceServerClient(server.grpc_url) as client:
        yield client


def pictures(height=97, width=383):
    """Frames of one grey each, which tells them apart."""
    return np.stack([np.full((height, width, 3), grey, np.uint8) for grey in GREYS])


def encoded(client, frames, **options):
    arrays = {
        "FRAMES": frames,
        "PTS": np.array(PTS, np.int64),
        "TIME_BASE": np.array([1, 90_000], np.int64),
        **options,
    }
    inputs = []
    for name, array in arrays.items():
        inputs.append(InferInput(name, array.shape, np_to_triton_dtype(array.dtype)))
        inputs[-1].set_data_from_numpy(array)
    (clip,) = client.infer("clip_encoder", inputs, client_timeout=60).as_numpy("CLIP_DATA")
    return clip


def bytes_tensor(text):
    return np.array([text.encode()], np.object_)


def times(clip):
    with av.open(io.BytesIO(clip)) as container:
        return [frame.pts for frame in container.decode(video=0)]


EXPECTED = [600_000 + 100 * index + index % 2 for index in range(COUNT)]


def test_clips_are_encoded_side_by_side(client):
    with ThreadPoolExecutor(6) as pool:
        clips = list(pool.map(lambda _: encoded(client, pictures()), range(12)))
    assert len(set(clips)) == 1
    assert times(clips[0]) == EXPECTED


@pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no Chromium")
@pytest.mark.parametrize("codec", ["vp9", "av1"])
def test_a_browser_plays_every_frame(client, codec, tmp_path):
    clip = encoded(client, pictures(), CLIP_CODEC=bytes_tensor(codec))
    assert times(clip) == EXPECTED
    middles = [ms / 1000 + 0.04 for ms in EXPECTED]
    seen = browser.play(clip, middles, tmp_path)
    assert seen["errors"] == []
    assert seen["size"] == [383, 97]
    assert seen["times"] == pytest.approx([ms / 1000 for ms in EXPECTED], abs=1e-6)
    for grey, pixel in zip(GREYS, seen["frames"], strict=True):
        assert pixel == pytest.approx([grey, grey, grey, 255], abs=4)
    assert seen["ended"] == pytest.approx(EXPECTED[-1] / 1000 + 0.1, abs=0.05)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"CLIP_CODEC": bytes_tensor("h264")}, "CLIP_CODEC is 'h264'"),
        ({"PTS": np.arange(3)}, "got 3 PTS of 8 frames"),
        ({"TIME_BASE": np.array([0, 1])}, "TIME_BASE is 0/1"),
        ({"PTS": np.zeros(8, np.int64)}, r"PTS\[1\] is 0 ms after"),
        ({"CLIP_CRF": np.array([99], np.int32)}, "CLIP_CRF is 99: give 0 to 63"),
    ],
)
def test_a_bad_request_is_rejected_with_a_sentence(client, options, reason):
    with pytest.raises(InferenceServerException, match=reason) as error:
        encoded(client, pictures(), **options)
    assert error.value.status() == "StatusCode.INVALID_ARGUMENT"


def test_a_killed_encoder_is_replaced(client, server):
    encoded(client, pictures())
    workers = [
        child
        for child in psutil.Process(server.process_id).children(recursive=True)
        if WORKER_MODULE in child.cmdline()
    ]
    assert workers
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
    for _ in range(4):
        assert times(encoded(client, pictures())) == EXPECTED
