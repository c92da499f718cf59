# SPDX-License-Identifier: Apache-2.0
"""Bad input gets one clear sentence with a proper status; the next request works."""

import uuid

import httpx
import numpy as np
import pytest
from support.raw import Raw, number, texts, video
from tritonclient.utils import InferenceServerException


@pytest.fixture(params=["grpc", "http"])
def raw(server, request):
    raw = Raw(server, request.param)
    yield raw
    raw.infer("video_analysis", video("clip.mp4"))  # whatever was refused, the next one works
    raw.close()


BAD_VIDEOS = [
    (video("missing.mp4"), 404, "'missing.mp4' is not in the media folder"),
    (video("text.mp4"), 400, "not a video"),
    (video("truncated.mp4"), 400, "no video stream"),
    (video("empty.mp4"), 400, "not a video"),
    (video("audio.m4a"), 400, "no video stream"),
    (video("../../etc/passwd"), 400, "outside the media folder"),
    (video("/etc/passwd"), 400, "outside the media folder"),
    (video("file:///etc/passwd"), 400, "outside the media folder"),
    (video("gopher://host/x"), 501, "scheme 'gopher'"),
    (video(""), 400, "VIDEO is empty"),
    (video(b"\xff\xfe"), 404, r"'\udcff\udcfe' is not in the media folder"),
    (video(b"http://host/\xff"), 400, "not UTF-8"),
    ({"VIDEO_DATA": texts(b"")}, 400, "VIDEO_DATA is empty"),
    ({"VIDEO_DATA": texts(b"text")}, 400, "not a video"),
    ({}, 400, "neither of VIDEO and VIDEO_DATA"),
    ({"VIDEO": texts("clip.mp4"), "VIDEO_DATA": texts(b"x")}, 400, "both of VIDEO and VIDEO_DATA"),
]


@pytest.mark.parametrize("model", ["video_analysis", "frame_extractor", "chunk_encoder"])
@pytest.mark.parametrize(("inputs", "status", "message"), BAD_VIDEOS)
def test_a_bad_video(raw, model, inputs, status, message):
    if not inputs:  # an empty list of inputs is refused by the clients themselves
        inputs = {"CHUNK_SECONDS": number("FP64", 10.0)}
    assert message in raw.refused(status, model, inputs)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"TOP_K": number("INT32", 0)}, "TOP_K is 0: give a number from 1"),
        ({"FRAMES_PER_CHUNK": number("INT32", 0)}, "FRAMES_PER_CHUNK is 0: give 1 to 128"),
        ({"FRAMES_PER_CHUNK": number("INT32", 129)}, "FRAMES_PER_CHUNK is 129"),
        ({"CHUNK_SECONDS": number("FP64", -1.0)}, "CHUNK_SECONDS is -1"),
        ({"CHUNK_SECONDS": number("FP64", np.nan)}, "CHUNK_SECONDS is nan"),
        ({"SCENE_THRESHOLD": number("FP32", 3.0)}, "SCENE_THRESHOLD is 3"),
        ({"SCENE_ALPHA": number("FP32", -0.5)}, "SCENE_ALPHA is -0.5"),
        ({"SAMPLE_FPS": number("FP64", 0.0)}, "SAMPLE_FPS is 0: give more than 0"),
        ({"SAMPLE_FPS": number("FP64", np.nan)}, "SAMPLE_FPS is nan"),
        (
            {"SAMPLE_FPS": number("FP64", 30.0)},
            "makes 300 frames per chunk, and 128 are allowed: set CHUNK_SECONDS to 4.26 or less",
        ),
        (
            {"SAMPLE_FPS": number("FP64", 1.0), "FRAMES_PER_CHUNK": number("INT32", 4)},
            "both of FRAMES_PER_CHUNK and SAMPLE_FPS",
        ),
        ({"CROP": number("FP64", [0.5, 0.0, 0.6, 1.0])}, "CROP is [0.5, 0, 0.6, 1]"),
        ({"CROP": number("FP64", [0.5, 0.0])}, "CROP"),
        ({"CROP_PX": number("INT32", [0, 0, 65, 48])}, "upright picture of 64 x 48"),
        (
            {"CROP": number("FP64", [0, 0, 1, 1]), "CROP_PX": number("INT32", [0, 0, 8, 8])},
            "both of CROP and CROP_PX",
        ),
        ({"STREAM_INDEX": number("INT32", 3)}, "the file's video streams are 0"),
        ({"TAGS": texts("a", " ")}, "TAGS[1] is blank"),
        ({"TOP_K": number("FP32", 1.0)}, "TOP_K"),
        ({"TOP_K": ("INT32", np.array([1, 2], np.int32))}, "TOP_K"),
        ({"CHUNK_SECONDS": ("FP64", np.zeros((1, 1)))}, "CHUNK_SECONDS"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_bad_option(raw, inputs, message):
    refusal = raw.refused(400, "video_analysis", video("clip.mp4", **inputs))
    assert message in refusal
    assert "Traceback" not in refusal


@pytest.mark.parametrize(
    "said", [b'{"x": "\xff"}', b'{"sequence_id": "\xff", "sequence_start": true}']
)
@pytest.mark.parametrize(
    ("model", "name", "shape"),
    [("video_analysis", b"VIDEO", b"[1]"), ("siglip_text", b"TEXTS", b"[1, 1]")],
)
def test_what_is_no_text_beside_the_inputs(server, said, model, name, shape):
    """Triton passes such bytes on, and its Python fails to read them."""
    body = b'{"parameters": %s, "inputs": [{"name": "%s", "shape": %s, "datatype": "BYTES",'
    body = body % (said, name, shape) + b' "data": ["clip.mp4"]}]}'
    answer = httpx.post(f"http://{server.http_url}/v2/models/{model}/infer", content=body)
    assert answer.status_code == 400
    assert "is not UTF-8 text" in answer.json()["error"]


def test_an_unknown_input(raw):
    with pytest.raises(InferenceServerException, match="WRONG"):
        raw.infer("video_analysis", {"WRONG": texts("x")})


def chunk(**inputs):
    return video("clip.mp4", CHUNK_SECONDS=number("FP64", 2.0), **inputs)


@pytest.mark.parametrize("correlation_id", [9, "a-video"])
def test_a_sequence_without_start(raw, correlation_id):
    message = raw.refused(400, "video_chunk", chunk(), sequence_id=correlation_id)
    assert "must specify the START flag" in message


def test_a_chunk_without_correlation_id(raw):
    assert "correlation ID" in raw.refused(400, "video_chunk", chunk())


def test_end_twice(raw):
    sequence = {"sequence_id": uuid.uuid4().hex}
    raw.infer("video_chunk", chunk(), **sequence, sequence_start=True)
    raw.infer("video_chunk", chunk(), **sequence, sequence_end=True)
    message = raw.refused(400, "video_chunk", chunk(), **sequence, sequence_end=True)
    assert "must specify the START flag" in message


def test_a_refused_chunk_leaves_its_sequence_where_it_was(raw):
    sequence = {"sequence_id": uuid.uuid4().hex}
    raw.infer("video_chunk", chunk(), **sequence, sequence_start=True)
    late = chunk(START_SECONDS=number("FP64", 99.0))
    assert "ends at 12 s" in raw.refused(400, "video_chunk", late, **sequence)
    second = chunk(START_SECONDS=number("FP64", 1.0))
    answer = raw.infer("video_chunk", second, **sequence, sequence_end=True)
    assert answer.as_numpy("CHUNK_INDICES").tolist() == [1]


def test_a_sequence_that_is_kept_goes_on_where_it_was(raw):
    sequence = {"sequence_id": uuid.uuid4().hex}
    rows = {"EMBEDDINGS": ("FP32", np.eye(1, 128, dtype=np.float32)),
            "TIMESTAMPS": number("FP64", 0.0)}  # fmt: skip
    raw.infer("temporal_decoder", rows, **sequence, sequence_start=True)
    kept = raw.infer("temporal_decoder", rows, **sequence, parameters={"keep_sequence": True})
    assert kept.as_numpy("CHUNK_INDICES") is None
    later = {**rows, "TIMESTAMPS": number("FP64", 1.0)}
    answer = raw.infer("temporal_decoder", later, **sequence, sequence_end=True)
    assert answer.as_numpy("CHUNK_INDICES").tolist() == [1]


def test_start_again_forgets_what_was(raw):
    sequence = {"sequence_id": uuid.uuid4().hex, "sequence_start": True}
    for _ in range(2):
        answer = raw.infer("video_chunk", chunk(), **sequence)
        assert answer.as_numpy("CHUNK_INDICES").tolist() == [0]
    raw.infer("video_chunk", chunk(), sequence_id=sequence["sequence_id"], sequence_end=True)


def test_frames_of_another_size(raw):
    frames = {"FRAMES": ("UINT8", np.zeros((2, 7, 7, 3), np.uint8)),
              "TIMESTAMPS": ("FP64", np.zeros(2))}  # fmt: skip
    message = raw.refused(400, "frame_chunk", frames, sequence_id=5, sequence_start=True)
    assert "shape" in message


def test_embeddings_that_are_none(raw):
    rows = {"EMBEDDINGS": ("FP32", np.zeros((2, 7), np.float32)),
            "TIMESTAMPS": ("FP64", np.zeros(2))}  # fmt: skip
    message = raw.refused(400, "temporal_decoder", rows, sequence_id=5, sequence_start=True)
    assert "shape" in message


@pytest.mark.parametrize(
    "path", ["v2/repository/index", "v2/systemsharedmemory/status", "v2/logging"]
)
def test_admin_endpoints_are_closed(server, path):
    import urllib.error
    import urllib.request

    method = "POST" if "repository" in path else "GET"
    request = urllib.request.Request(f"http://{server.http_url}/{path}", method=method)
    with pytest.raises(urllib.error.HTTPError, match="403") as raised:
        urllib.request.urlopen(request)
    raised.value.close()
