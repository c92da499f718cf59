# SPDX-License-Identifier: Apache-2.0
"""The orchestrator over stages that answer in-process and record what was asked of them."""

import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from trireel_backend.analysis import (
    SPAN_CHUNKS,
    AnalysisRequest,
    EncodedChunk,
    VideoPlan,
    analyze_video,
)
from trireel_backend.artifacts import TextBank
from trireel_backend.decoding import ChunkFrames, DecodeOptions, Decoder, VideoState
from trireel_backend.errors import StageFailed
from trireel_backend.plan import plan_chunks
from trireel_backend.scoring import Calibration, TextSet

WIDTH = 8
AXES = np.eye(WIDTH, dtype=np.float32)


class InProcessStages:
    """The real decoder behind an encoder that needs longer for earlier chunks."""

    def __init__(self, num_chunks=6, fail_at=None):
        texts = TextSet(tuple(f"text {i}" for i in range(WIDTH)), AXES)
        self.decoder = Decoder(TextBank(texts, texts), Calibration(10.0, -2.0))
        self.num_chunks, self.fail_at = num_chunks, fail_at
        self.encoding, self.most_encoding = 0, 0
        self.encoded, self.decoded = [], []
        self.state = VideoState()

    async def plan(self, request):
        seconds = self.num_chunks * request.chunk_seconds
        facts = {"VIDEO_DURATION_SECONDS": np.array([seconds]), "IS_COMPLETE": np.array([True])}
        return VideoPlan(plan_chunks(0.0, seconds, request.chunk_seconds), facts)

    async def encode(self, request, chunk):
        self.encoding += 1
        self.most_encoding = max(self.most_encoding, self.encoding)
        try:
            await asyncio.sleep(0.01 * (1 + (self.num_chunks - chunk.index) % 3))
            if chunk.index == self.fail_at:
                raise StageFailed("the encoder failed")
        finally:
            self.encoding -= 1
        self.encoded.append(chunk.index)
        num_frames = int(request.sampling["FRAMES_PER_CHUNK"][0])
        embeddings = AXES[[chunk.index % WIDTH] * num_frames]
        times = chunk.start_seconds + np.arange(num_frames, dtype=np.float64)
        return EncodedChunk(embeddings, {"TIMESTAMPS": times}, 0, 1_000_000)

    async def decode(self, turn, chunk, encoded, options):
        self.decoded.append((chunk.index, turn.start, turn.end, turn.correlation_id))
        tags = TextSet(
            tuple(t.decode() for t in options["TAGS"]), options["TAG_EMBEDDINGS"]
        ) if "TAGS" in options else None  # fmt: skip
        times = encoded.facts["TIMESTAMPS"]
        frames = ChunkFrames(encoded.embeddings, times, chunk.duration_seconds)
        self.state, answer = self.decoder.decode(self.state, frames, DecodeOptions(tags=tags))
        return answer

    async def embed_texts(self, values):
        return AXES[: len(values)]


def request(**changes):
    sampling = {"FRAMES_PER_CHUNK": np.array([4], np.int32)}
    return AnalysisRequest("clip", chunk_seconds=10.0, sampling=sampling, **changes)


async def collect(stages, asked=None, num_lanes=2):
    return [
        answer async for answer in analyze_video(asked or request(), stages, num_lanes=num_lanes)
    ]


async def test_chunks_are_decoded_in_order_in_one_sequence():
    stages = InProcessStages()
    answers = await collect(stages, num_lanes=3)
    assert stages.encoded != sorted(stages.encoded)  # they did overtake each other
    assert [index for index, *_ in stages.decoded] == list(range(6))
    assert [start for _, start, *_ in stages.decoded] == [True] + [False] * 5
    assert [end for *_, end, _ in stages.decoded] == [False] * 5 + [True]
    assert len({correlation_id for *_, correlation_id in stages.decoded}) == 1
    assert [bool(answer["IS_AGGREGATE"][0]) for answer in answers] == [False] * 6 + [True]


@pytest.mark.parametrize("num_lanes", [1, 2, 4])
async def test_no_more_chunks_than_lanes_are_under_way(num_lanes):
    stages = InProcessStages(num_chunks=10)
    await collect(stages, num_lanes=num_lanes)
    assert stages.most_encoding == num_lanes


async def test_a_lane_has_neighbours_and_none_runs_far_ahead():
    stages = InProcessStages(num_chunks=40)
    await collect(stages, num_lanes=2)
    lanes = [[i for i in stages.encoded if i // SPAN_CHUNKS % 2 == lane] for lane in (0, 1)]
    assert lanes == [sorted(lane) for lane in lanes]
    for done, index in enumerate(stages.encoded):
        assert index < done + 2 * SPAN_CHUNKS + 2


async def test_two_chunks_are_encoded_side_by_side():
    stages = InProcessStages(num_chunks=2)
    await collect(stages, num_lanes=2)
    assert stages.most_encoding == 2


async def test_the_answer_does_not_depend_on_the_lanes():
    alone, ahead = (
        await collect(InProcessStages(), num_lanes=1),
        await collect(InProcessStages(), num_lanes=4),
    )
    for one, other in zip(alone, ahead, strict=True):
        for name in one.keys() - {"TIMING_MS"}:
            np.testing.assert_array_equal(one[name], other[name])


async def test_the_aggregate_holds_every_chunk():
    *chunks, whole = await collect(InProcessStages())
    assert whole["CHUNK_INDICES"].tolist() == list(range(6))
    assert whole["CHUNK_START_SECONDS"].tolist() == [0, 10, 20, 30, 40, 50]
    assert whole["TIMESTAMPS"].shape == whole["SCENE_TRACE"].shape == (24,)
    assert whole["CHUNK_TAG_TEXTS"].shape == (6, 5)
    assert whole["SCENE_CHUNK_INDICES"].tolist() == [1, 2, 3, 4, 5]
    assert whole["TAG_TEXTS"].tolist() == chunks[-1]["TAG_TEXTS"].tolist()
    assert "CHUNK_EMBEDDINGS" not in whole
    assert "EMBEDDINGS" not in whole


async def test_embeddings_come_on_request():
    *_, whole = await collect(InProcessStages(), request(with_embeddings=True))
    assert whole["CHUNK_EMBEDDINGS"].shape == (6, WIDTH)
    assert whole["EMBEDDINGS"].shape == (24, WIDTH)


async def test_free_tags_are_embedded_and_scored():
    *_, whole = await collect(InProcessStages(num_chunks=1), request(tags=("mine", "other")))
    assert whole["TAG_TEXTS"].tolist() == [b"mine", b"other"]


async def test_stage_times_add_up():
    *_, whole = await collect(InProcessStages(), request(fetch_ms=7.0))
    timing = dict(zip(whole["TIMING_STAGES"].tolist(), whole["TIMING_MS"], strict=True))
    assert timing[b"fetch"] == 7.0
    assert timing[b"extract"] == pytest.approx(6.0)
    assert timing[b"total"] > 7.0


async def test_a_failing_chunk_closes_the_sequence_and_ends_the_rest():
    stages = InProcessStages(fail_at=3)
    with pytest.raises(StageFailed, match="the encoder failed"):
        await collect(stages)
    assert [(index, end) for index, _, end, _ in stages.decoded] == [
        (0, False),
        (1, False),
        (2, False),
        (2, True),  # sent again to free the slot
    ]
    assert len({correlation_id for *_, correlation_id in stages.decoded}) == 1
    assert stages.encoding == 0


async def test_what_is_under_way_is_waited_for():
    """The video's file goes when the analysis ends, and nobody may still be reading it."""
    stages = InProcessStages(num_chunks=6, fail_at=0)
    with pytest.raises(StageFailed):
        await collect(stages, num_lanes=3)
    assert stages.encoding == 0
    assert stages.encoded == [2, 4]  # begun beside the one that failed, and no more


async def test_a_video_that_fails_at_once_has_no_sequence_to_close():
    stages = InProcessStages(fail_at=0)
    with pytest.raises(StageFailed):
        await collect(stages)
    assert stages.decoded == []


async def test_a_consumer_that_leaves_stops_the_work():
    stages = InProcessStages(num_chunks=50)
    async with aclosing(analyze_video(request(), stages, num_lanes=2)) as answers:
        async for _ in answers:
            break
    assert stages.encoding == 0
    assert len(stages.encoded) < 8
    assert [end for *_, end, _ in stages.decoded] == [False, True]
