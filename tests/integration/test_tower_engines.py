# SPDX-License-Identifier: Apache-2.0
"""The embedded server with another engine for its tower."""

import shutil
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from support.cpu import needs_amx

from trireel_backend.launch.endpoint import Endpoint
from trireel_backend.launch.gate.command import check_served
from trireel_backend.launch.ports import Ports
from trireel_client import ServerPath, TrireelClient

from .conftest import EXPORT, served

VIDEO = ServerPath("sample.mp4")
BF16_TOLERANCE = 5e-3  # of a score: the embeddings' cosine to fp32 is above 0.9999
BATCH_TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def bf16_server(media, tmp_path_factory):
    parameters = {"tower_engine": "openvino-bf16"}
    with served(media, tmp_path_factory.mktemp("log"), parameters) as server:
        yield server


@pytest.fixture(scope="module")
def bf16_client(bf16_server):
    with TrireelClient(bf16_server.grpc_url) as client:
        yield client


@needs_amx
def test_openvino_in_bf16_answers_as_onnxruntime_in_fp32(client, bf16_client):
    fp32, bf16 = client.analyze(VIDEO), bf16_client.analyze(VIDEO)
    assert [tag.text for tag in bf16.tags] == [tag.text for tag in fp32.tags]
    assert bf16.caption.text == fp32.caption.text
    for one, other in zip(bf16.chunks, fp32.chunks, strict=True):
        assert one.tags[0].text == other.tags[0].text
        assert one.caption.text == other.caption.text
    assert [cut.timestamp_seconds for cut in bf16.scene_changes] == [
        cut.timestamp_seconds for cut in fp32.scene_changes
    ]
    scores = np.array([[tag.score for tag in answer.tags] for answer in (bf16, fp32)])
    np.testing.assert_allclose(scores[0], scores[1], atol=BF16_TOLERANCE)
    assert (scores[0] != scores[1]).any()  # it is another engine


@needs_amx
def test_it_passes_the_gate_in_batches_of_every_size(bf16_server):
    for report in check_served(Endpoint(bf16_server.grpc_url), EXPORT):
        assert 0.9999 < report.report.worst_cosine < 0.999999
        assert report.least_agreement > 0.999999


@needs_amx
def test_a_frame_alone_and_in_any_batch_has_one_embedding(bf16_server):
    import tritonclient.grpc as grpc

    frames = np.random.default_rng(0).integers(0, 256, (64, 96, 96, 3), np.uint8)
    with grpc.InferenceServerClient(bf16_server.grpc_url) as client:

        def embed(rows):
            tensor = grpc.InferInput("FRAMES", list(rows.shape), "UINT8")
            tensor.set_data_from_numpy(rows)
            return client.infer("siglip_vision", [tensor]).as_numpy("EMBEDDINGS")

        together = embed(frames)
        for count in (1, 2, 7, 33):
            np.testing.assert_allclose(
                embed(frames[:count]), together[:count], atol=BATCH_TOLERANCE
            )


def serve(export, engine):
    """Run the command until it ends, as it does where it refuses to serve."""
    ports = Ports.free()
    return subprocess.run(
        [
            *(sys.executable, "-m", "trireel_backend.launch.embedded.cli"),
            *("--http-port", str(ports.http), "--grpc-port", str(ports.grpc)),
            *("--metrics-port", str(ports.metrics), "--export", export, "--tower-engine", engine),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@needs_amx
def test_a_tower_that_fails_the_gate_is_not_served(tmp_path):
    export = shutil.copytree(EXPORT, tmp_path / "export")
    model = onnx.load(export / "vision.onnx")
    weight = max(model.graph.initializer, key=lambda weight: np.prod(weight.dims))
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) / 2, weight.name))
    onnx.save(model, export / "vision.onnx")
    done = serve(export, "openvino-bf16")
    assert done.returncode == 1
    assert "GateFailed: with tower_engine 'openvino-bf16' on this CPU the embedding" in done.stderr
    assert "use 'openvino', which computes in fp32" in done.stderr


def test_an_engine_that_does_not_exist_is_refused_in_one_sentence():
    done = serve(EXPORT, "tensorflow")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "trireel-serve: tower_engine is 'tensorflow': give one of onnxruntime, openvino,"
        " openvino-bf16\n"
    )
