# SPDX-License-Identifier: Apache-2.0
"""Answers that come chunk by chunk, and sequences of requests."""

from fractions import Fraction

import numpy as np
import pytest
from unit.client.loopback import Loopback
from unit.client.scripted import (
    FRAMES,
    INVALID,
    WIDTH,
    Refused,
    one_chunk,
    plan,
    stepped_chunk,
    stream_of,
)

from trireel_client import (
    Analysis,
    ChunkAnalysis,
    ClientBusy,
    InvalidRequest,
    RequestTimeout,
    ServerPath,
    SourceNotFound,
    Timeout,
    TrireelClient,
    UnexpectedAnswer,
    Unsupported,
)

VIDEO = ServerPath("a.mp4")


@pytest.fixture
def streaming(grpc_only: Loopback) -> Loopback:
    """A server that streams one video."""
    grpc_only.script.answers["video_analysis_stream"] = lambda asked: stream_of()
    return grpc_only


@pytest.fixture
def stepping(server: Loopback) -> Loopback:
    """A server that is asked chunk by chunk."""
    server.script.answers.update(
        frame_extractor=lambda asked: plan(),
        video_chunk=stepped_chunk,
        temporal_decoder=lambda asked: {"CHUNK_INDICES": np.array([9], np.int32)},
        siglip_text=lambda asked: {"EMBEDDINGS": np.ones((2, WIDTH), np.float32)},
    )
    return server


def flags(server: Loopback, model: str) -> list[tuple[bool, bool]]:
    """Return START and END of the requests that reached a model."""
    return [
        (asked.parameters["sequence_start"], asked.parameters["sequence_end"])
        for asked in server.script.asked_of(model)
    ]


def endless(server: Loopback):
    """Answer one chunk, then nothing until the test allows it."""
    yield {**one_chunk(0), "IS_AGGREGATE": np.array([False])}
    server.script.go_on.wait(10.0)


def test_chunks_then_the_whole(streaming: Loopback) -> None:
    with streaming.client() as client:
        *chunks, whole = client.stream(VIDEO, stream_id="cam")
    assert [type(chunk) for chunk in chunks] == [ChunkAnalysis] * 3
    assert [chunk.index for chunk in chunks] == [0, 1, 2]
    assert isinstance(whole, Analysis)
    assert whole.stream_id == "cam"
    assert [chunk.scene_changes for chunk in whole.chunks] == [c.scene_changes for c in chunks]
    assert [chunk.frame_pts for chunk in whole.chunks] == [c.frame_pts for c in chunks]
    assert {chunk.time_base for chunk in chunks} == {whole.time_base}


def test_streams_follow_one_another(streaming: Loopback) -> None:
    with streaming.client() as client:
        assert len(list(client.stream(VIDEO))) == 4
        assert len(list(client.stream(VIDEO))) == 4


def test_closing_early_cancels(streaming: Loopback) -> None:
    streaming.script.answers["video_analysis_stream"] = lambda asked: endless(streaming)
    with streaming.client() as client:
        answers = client.stream(VIDEO)
        next(answers)
        assert not streaming.script.cancelled.is_set()
        answers.close()
        assert streaming.script.cancelled.wait(5.0)
        streaming.script.answers["video_analysis_stream"] = lambda asked: stream_of()
        assert len(list(client.stream(VIDEO))) == 4  # the client is fit for use


def test_one_stream_at_a_time(streaming: Loopback) -> None:
    with streaming.client() as client:
        first = client.stream(VIDEO)
        next(first)
        with pytest.raises(ClientBusy, match="a client for each stream"):
            next(client.stream(VIDEO))
        assert len(list(first)) == 3


def test_http_does_not_stream() -> None:
    with (
        TrireelClient(protocol="http") as client,
        pytest.raises(Unsupported, match="streaming needs gRPC"),
    ):
        client.stream(VIDEO)


def test_refused_at_once_and_half_way(streaming: Loopback) -> None:
    def breaks():
        yield {**one_chunk(0), "IS_AGGREGATE": np.array([False])}
        raise Refused("INTERNAL", 500, "the tower fell")

    with streaming.client() as client:
        streaming.script.refusals = [INVALID]
        with pytest.raises(InvalidRequest, match="TOP_K is 0"):
            next(client.stream(VIDEO))
        streaming.script.answers["video_analysis_stream"] = lambda asked: breaks()
        answers = client.stream(VIDEO)
        next(answers)
        with pytest.raises(Exception, match="the tower fell"):
            next(answers)


def test_stream_that_stops_short(streaming: Loopback) -> None:
    short = list(stream_of())[:-1]
    streaming.script.answers["video_analysis_stream"] = lambda asked: iter(short)
    with streaming.client() as client, pytest.raises(UnexpectedAnswer, match="before the answer"):
        list(client.stream(VIDEO))
    streaming.script.answers["video_analysis_stream"] = lambda asked: iter([])
    with streaming.client() as client, pytest.raises(UnexpectedAnswer, match="before the answer"):
        list(client.stream(VIDEO))


def test_stream_times_out(streaming: Loopback) -> None:
    streaming.script.answers["video_analysis_stream"] = lambda asked: endless(streaming)
    with (
        streaming.client(timeout=Timeout(5.0, 0.3)) as client,
        pytest.raises(RequestTimeout, match=r"within 0\.3 s"),
    ):
        list(client.stream(VIDEO))


def test_arguments_are_checked_before_the_first_request(streaming: Loopback) -> None:
    with streaming.client() as client:
        with pytest.raises(SourceNotFound, match=r"no\.mp4"):
            client.stream("no.mp4")
        with pytest.raises(SourceNotFound, match=r"no\.mp4"):
            client.step("no.mp4")
        with pytest.raises(InvalidRequest, match="got both of crop and crop_px"):
            client.stream(VIDEO, crop=(0, 0, 1, 1), crop_px=(0, 0, 8, 8))
        with pytest.raises(TypeError, match="no option 'with_embeddings'"):
            client.step(VIDEO, with_embeddings=True)


def test_steps_follow_the_plan(stepping: Loopback) -> None:
    with stepping.client() as client:
        chunks = list(client.step(VIDEO, chunk_seconds=10.0, frames_per_chunk=4, top_k=2))
    assert [chunk.index for chunk in chunks] == [0, 1, 2]
    assert chunks[-1].is_last
    assert chunks[-1].video_so_far is not None
    (look,) = stepping.script.asked_of("frame_extractor")
    assert look.inputs["FRAMES_PER_CHUNK"] == [0]
    assert set(look.outputs) == {
        "PLAN_START_SECONDS",
        "PLAN_DURATION_SECONDS",
        "VIDEO_DURATION_SECONDS",
    }
    asked = stepping.script.asked_of("video_chunk")
    assert [float(each.inputs["START_SECONDS"][0]) for each in asked] == [0.0, 10.0, 20.0]
    assert [float(each.inputs["CHUNK_SECONDS"][0]) for each in asked] == [10.0] * 3
    assert {int(each.inputs["FRAMES_PER_CHUNK"][0]) for each in asked} == {4}
    assert len({each.parameters["sequence_id"] for each in asked}) == 1
    assert flags(stepping, "video_chunk") == [(True, False), (False, False), (False, True)]
    assert not stepping.script.asked_of("temporal_decoder")


def test_steps_sample_as_they_are_asked_to(stepping: Loopback) -> None:
    with stepping.client() as client:
        options = {"sample_fps": 0.4, "crop_px": (0, 0, 8, 8), "stream_index": 1}
        chunks = list(client.step(VIDEO, keyframes_only=True, **options))
    assert chunks[1].frame_pts == (144000, 176000, 208000, 240000)
    assert chunks[1].time_base == Fraction(1, 12800)
    (look,) = stepping.script.asked_of("frame_extractor")
    assert look.inputs.keys() == {"VIDEO", "STREAM_INDEX", "FRAMES_PER_CHUNK"}
    assert look.inputs["STREAM_INDEX"] == [1]
    for asked in stepping.script.asked_of("video_chunk"):
        assert asked.inputs["SAMPLE_FPS"] == [0.4]
        assert asked.inputs["KEYFRAMES_ONLY"] == [True]
        assert asked.inputs["CROP_PX"].tolist() == [0, 0, 8, 8]
        assert asked.inputs["STREAM_INDEX"] == [1]
        assert "FRAMES_PER_CHUNK" not in asked.inputs


def test_steps_of_differing_numbers_of_frames(stepping: Loopback) -> None:
    def one_frame_fewer_each_time(asked):
        tensors = stepped_chunk(asked)
        kept = FRAMES - int(tensors["CHUNK_INDICES"][0])
        frames = {name: tensors[name][:kept] for name in ("TIMESTAMPS", "PTS", "SCENE_TRACE")}
        counts = {
            "CHUNK_NUM_FRAMES": np.array([kept], np.int32),
            "CHUNK_DAMAGED_PACKETS": np.array([FRAMES - kept], np.int32),
        }
        return {**tensors, **frames, **counts}

    stepping.script.answers["video_chunk"] = one_frame_fewer_each_time
    with stepping.client() as client:
        chunks = list(client.step(VIDEO, keyframes_only=True))
    assert [len(chunk.frame_pts) for chunk in chunks] == [4, 3, 2]
    assert [chunk.damaged_packets for chunk in chunks] == [0, 1, 2]


def test_steps_bring_the_embeddings_of_free_tags(stepping: Loopback) -> None:
    with stepping.client() as client:
        list(client.step(VIDEO, tags=["cat", "dog"]))
    for asked in stepping.script.asked_of("video_chunk"):
        assert list(asked.inputs["TAGS"]) == [b"cat", b"dog"]
        assert asked.inputs["TAG_EMBEDDINGS"].shape == (2, WIDTH)
    assert len(stepping.script.asked_of("siglip_text")) == 1


def test_steps_bring_the_embeddings_of_free_descriptions(stepping: Loopback) -> None:
    with stepping.client() as client:
        list(client.step(VIDEO, descriptions=["A cat asleep", "A dog"]))
    for asked in stepping.script.asked_of("video_chunk"):
        assert list(asked.inputs["DESCRIPTIONS"]) == [b"A cat asleep", b"A dog"]
        assert asked.inputs["DESCRIPTION_EMBEDDINGS"].shape == (2, WIDTH)
        assert "TAGS" not in asked.inputs


def test_one_chunk_both_starts_and_ends(stepping: Loopback) -> None:
    stepping.script.answers["frame_extractor"] = lambda asked: plan(1)
    with stepping.client() as client:
        (chunk,) = client.step(VIDEO, sequence_id="cam-1")
    assert chunk.num_chunks == 1
    assert flags(stepping, "video_chunk") == [(True, True)]
    (asked,) = stepping.script.asked_of("video_chunk")
    assert asked.parameters["sequence_id"] == "cam-1"
    assert "CHUNK_SECONDS" not in asked.inputs  # all there is, however short


def test_stopping_early_frees_the_sequence(stepping: Loopback) -> None:
    with stepping.client() as client:
        steps = client.step(VIDEO, sequence_id=7)
        next(steps)
        steps.close()
    assert flags(stepping, "video_chunk") == [(True, False)]
    (end,) = stepping.script.asked_of("temporal_decoder")
    assert end.parameters["sequence_id"] == 7
    assert flags(stepping, "temporal_decoder") == [(False, True)]
    assert end.inputs["EMBEDDINGS"].shape == (1, WIDTH)
    assert 8.75 < end.inputs["TIMESTAMPS"] < 8.751  # a chunk that is not late


def test_freeing_that_fails_does_not_hide_the_error(stepping: Loopback) -> None:
    del stepping.script.answers["temporal_decoder"]
    with stepping.client() as client:
        steps = client.step(VIDEO)
        next(steps)
        stepping.script.refusals = [INVALID]
        with pytest.raises(InvalidRequest, match="TOP_K is 0"):
            next(steps)


@pytest.mark.parametrize("sequence_id", [0, "", -1, 2**63, "a\nb", "\udcff"])
def test_ids_that_stand_for_no_sequence(stepping: Loopback, sequence_id) -> None:
    with stepping.client() as client, pytest.raises(InvalidRequest, match="sequence_id is"):
        next(client.step(VIDEO, sequence_id=sequence_id))
