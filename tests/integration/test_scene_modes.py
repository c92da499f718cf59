# SPDX-License-Identifier: Apache-2.0
"""Scenes in every mode by the real Triton: one answer by every way, and windows that are shared."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tritonclient.grpc
from support.footage import brightened, cut_at, shot, times
from support.raw import Raw, number, texts, video
from support.shots import shots_folder
from support.videos import write_video

from trireel_client import ServerPath, TrireelClient
from trireel_schema.catalogue import FINDINGS

from .conftest import served

SECONDS = 6.0
CHUNK_SECONDS = 2.0
CUTS = [2.6, 4.4]
VIDEOS = 8
EVENTS = ("SCENE_TIMESTAMPS", "SCENE_TRANSITIONS", "SCENE_KINDS", "SCENE_SCORES", "SCENE_REASONS")
SCALE = 4  # from 48 x 27 pixels to 192 x 108


def enlarged(frames):
    return frames.repeat(SCALE, axis=1).repeat(SCALE, axis=2)


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """A video with a flash and two cuts, and eight videos of one cut each."""
    folder = tmp_path_factory.mktemp("footage")
    frames = cut_at(times(SECONDS, 25), CUTS, [0, 3, 8])
    frames[40:42] = brightened(frames[40:42], 110)
    write_video(folder / "flash.mp4", enlarged(frames))
    times_seconds = times(4, 25)
    for index in range(VIDEOS):
        still = [shot(2 * index + part, np.zeros(1)) for part in range(2)]
        cut = 20 + 3 * index
        frames = np.concatenate([still[0].repeat(cut, 0), still[1].repeat(100 - cut, 0)])
        assert len(frames) == len(times_seconds)
        write_video(folder / f"{index}.mp4", enlarged(frames))
    moving = cut_at(times_seconds, [1.6], [3, 9])
    write_video(folder / "moving.mp4", enlarged(moving))
    return folder


@pytest.fixture(scope="module")
def shot_server(footage, tmp_path_factory):
    with served(footage, tmp_path_factory.mktemp("log"), shots=shots_folder()) as server:
        yield server


@pytest.fixture(scope="module")
def raw(shot_server):
    raw = Raw(shot_server, "grpc")
    yield raw
    raw.close()


@pytest.fixture(params=["refined", "exact"])
def mode(request):
    return request.param


def chunk(raw, name, sequence, start_seconds, mode, *, seconds=CHUNK_SECONDS, **flags):
    inputs = video(
        name,
        START_SECONDS=number("FP64", start_seconds),
        CHUNK_SECONDS=number("FP64", seconds),
        SCENES=texts(mode),
        FIND=texts("scenes"),
        SCENE_WITH_TRACE=number("BOOL", True),
    )
    answer = raw.infer("video_chunk", inputs, sequence_id=sequence, **flags)
    return {output: answer.as_numpy(output) for output in FINDINGS["scenes"].outputs}


def test_every_way_gives_the_same_events(shot_server, raw, mode):
    options = {"scenes": mode, "find": ["scenes"], "chunk_seconds": CHUNK_SECONDS}
    source = ServerPath("flash.mp4")
    with TrireelClient(shot_server.grpc_url) as client:
        whole = client.analyze(source, **options)
        *streamed, last = client.stream(source, **options)
        stepped = list(client.step(source, **options))
    with TrireelClient(shot_server.http_url, protocol="http") as client:
        by_http = client.analyze(source, **options)
    assert whole.scene_mode == mode
    assert [change.timestamp_seconds for change in whole.scene_changes] == CUTS
    assert [(shot.start_seconds, shot.end_seconds) for shot in whole.shots] == [
        *zip([0.0, *CUTS], [*CUTS, SECONDS], strict=True)
    ]
    for other in (by_http, last):
        assert (other.scene_changes, other.shots) == (whole.scene_changes, whole.shots)
    for chunks in (streamed, stepped):
        changes = tuple(change for chunk in chunks for change in chunk.scene_changes)
        shots = tuple(shot for chunk in chunks for shot in chunk.shots)
        assert (changes, shots) == (whole.scene_changes, whole.shots)
    answers = [
        chunk(raw, "flash.mp4", 7, start, mode, sequence_start=start == 0, sequence_end=start == 4)
        for start in (0.0, 2.0, 4.0)
    ]
    times_seconds = np.concatenate([answer["SCENE_TIMESTAMPS"] for answer in answers])
    assert times_seconds.tolist() == CUTS
    signals = np.concatenate([answer["SCENE_SIGNAL_TIMESTAMPS"] for answer in answers])
    assert np.all(np.diff(signals) > 0)
    if mode == "exact":
        np.testing.assert_allclose(signals, np.arange(150) / 25, atol=1e-9)


def executions(url):
    with tritonclient.grpc.InferenceServerClient(url) as client:
        (model,) = client.get_inference_statistics("shot_boundary").model_stats
    return model.inference_count, model.execution_count


def test_interleaved_videos_share_executions_and_equal_each_alone(shot_server):
    """Chunks of 2 s: the first window of each video is complete with its second chunk."""

    def step(index, round_number, sequence):
        own = Raw(shot_server, "grpc")
        flags = {"sequence_start": round_number == 0, "sequence_end": round_number == 1}
        name, start = f"{index}.mp4", 2.0 * round_number
        answer = chunk(own, name, sequence, start, "exact", seconds=2.0, **flags)
        own.close()
        return answer

    alone = [[step(index, r, 100 + index) for r in range(2)] for index in range(VIDEOS)]
    before = executions(shot_server.grpc_url)
    with ThreadPoolExecutor(VIDEOS) as clients:
        rounds = [
            list(clients.map(lambda i, r=r: step(i, r, 200 + i), range(VIDEOS))) for r in range(2)
        ]
    after = executions(shot_server.grpc_url)
    inferences, runs = (late - early for late, early in zip(after, before, strict=True))
    assert inferences == VIDEOS  # windows
    assert runs < inferences
    for index in range(VIDEOS):
        found = np.concatenate([answer["SCENE_TIMESTAMPS"] for answer in alone[index]])
        assert found.tolist() == [pytest.approx((20 + 3 * index) / 25)]
        for one, other in zip(alone[index], (r[index] for r in rounds), strict=True):
            for name, array in one.items():
                np.testing.assert_array_equal(array, other[name], err_msg=name)


def test_exact_and_refined_agree_on_a_cut_in_motion(shot_server):
    with TrireelClient(shot_server.grpc_url) as client:
        found = [
            client.analyze(ServerPath("moving.mp4"), scenes=mode, find=["scenes"]).scene_changes
            for mode in ("refined", "exact")
        ]
    assert [[change.timestamp_seconds for change in changes] for changes in found] == [[1.6], [1.6]]


def test_exact_without_the_model_is_rejected_in_one_sentence(server):
    for protocol in ("grpc", "http"):
        raw = Raw(server, protocol)
        for model, flags in (
            ("video_analysis", {}),
            ("video_chunk", {"sequence_id": 95, "sequence_start": True, "sequence_end": True}),
        ):
            message = raw.refused(400, model, video("clip.mp4", SCENES=texts("exact")), **flags)
            assert (
                "SCENES is exact, which needs the model shot_boundary, and this server has none:"
                " request refined" in message
            )
            assert "\n" not in message.strip()
        raw.close()


@pytest.mark.parametrize("mode", ["refined", "exact"])
def test_frames_of_a_camera_have_no_frames_between(server, mode):
    raw = Raw(server, "grpc")
    frames = {
        "FRAMES": ("UINT8", np.zeros((2, 96, 96, 3), np.uint8)),
        "TIMESTAMPS": number("FP64", [0.0, 1.0]),
    }
    once = {"sequence_id": 96, "sequence_start": True, "sequence_end": True}
    message = raw.refused(400, "frame_chunk", {**frames, "SCENES": texts(mode)}, **once)
    assert f"SCENES is {mode}, which needs frames of its own" in message
    answer = raw.infer("frame_chunk", frames, **once)
    assert answer.as_numpy("SCENE_MODE").tolist() == [b"sampled"]
    raw.close()
