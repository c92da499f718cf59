# SPDX-License-Identifier: Apache-2.0
"""The orchestrator over stages that answer in-process and record what was asked of them."""

import asyncio
import time
from contextlib import aclosing

import numpy as np
import pytest
from support.findings import default_findings

from trireel_backend.errors import StageFailed, TooMuchWork
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.decoder import Decoder, VideoState
from trireel_backend.findings.finding import Knowledge
from trireel_backend.plan import plan_chunks
from trireel_backend.whole_video import turns
from trireel_backend.whole_video.analysis import analyze_video
from trireel_backend.whole_video.budget import CostLimits
from trireel_backend.whole_video.lookahead import CROWDED_NS, EncodedSpan, spans
from trireel_backend.whole_video.pipeline import AnalysisRequest, VideoPlan
from trireel_schema.catalogue import FREE_TEXTS
from trireel_schema.texts import TextBank, TextSet
from trireel_schema.vectors import Calibration

WIDTH = 8
AXES = np.eye(WIDTH, dtype=np.float32)


class InProcessStages:
    """The real decoder behind an encoder that needs longer for earlier chunks."""

    def __init__(self, num_chunks=6, fail_at=None, waits_ns=()):
        texts = TextSet(tuple(f"text {i}" for i in range(WIDTH)), AXES)
        self.decoder = Decoder(Knowledge(TextBank(texts, texts), Calibration(10.0, -2.0)))
        self.num_chunks, self.fail_at = num_chunks, fail_at
        self.waits_ns = list(waits_ns)  # for an extractor: the look's, then each span's
        self.encoding, self.most_encoding = 0, 0
        self.encoded, self.decoded, self.kept_open, self.kept = [], [], [], []
        self.abandoned = []
        self.is_gone = False
        self.keep_arrived = asyncio.Event()
        self.encodes_after_keep = False
        """Whether chunks after the first are encoded only once `keep` has been called."""
        self.state = VideoState()

    async def plan(self, request):
        seconds = self.num_chunks * request.chunk_seconds
        facts = {"VIDEO_DURATION_SECONDS": np.array([seconds]), "IS_COMPLETE": np.array([True])}
        return VideoPlan(plan_chunks(0.0, seconds, request.chunk_seconds), facts, self._wait_ns())

    def _wait_ns(self):
        return self.waits_ns.pop(0) if self.waits_ns else 0

    async def encode(self, request, chunks, *, keep_open):
        began_ns = time.monotonic_ns() + self._wait_ns()
        self.kept_open.append((chunks[0].index, keep_open))
        self.encoding += 1
        self.most_encoding = max(self.most_encoding, self.encoding)
        indices = [chunk.index for chunk in chunks]
        try:
            await asyncio.sleep(0.01 * (1 + (self.num_chunks - indices[0]) % 3))
            if self.encodes_after_keep and indices[0] > 0:
                await asyncio.wait_for(self.keep_arrived.wait(), 10)
            if self.fail_at in indices:
                raise StageFailed("the encoder failed")
        finally:
            self.encoding -= 1
        self.encoded.append(indices)
        num_frames = 4
        embeddings = AXES[np.repeat([index % WIDTH for index in indices], num_frames)]
        starts = np.array([chunk.start_seconds for chunk in chunks])
        facts = {
            "TIMESTAMPS": (starts[:, None] + np.arange(num_frames)).ravel(),
            "CHUNK_NUM_FRAMES": np.full(len(chunks), num_frames, np.int32),
            "TIME_BASE": np.array([1, 25]),
        }
        return EncodedSpan(embeddings, facts, began_ns, began_ns + 1_000_000 * len(chunks))

    async def decode(self, turn, chunk, encoded, options):
        self.decoded.append((chunk.index, turn.start, turn.end, turn.correlation_id))
        free = {
            name.lower(): TextSet(tuple(t.decode() for t in options[name]), options[embeddings])
            for name, embeddings in FREE_TEXTS.items()
            if name in options
        }
        times = encoded.facts["TIMESTAMPS"]
        frames = ChunkFrames(encoded.embeddings, times, chunk.duration_seconds)
        self.state, answer = self.decoder.decode(self.state, frames, default_findings(**free))
        return answer

    async def keep(self, turn, encoded):
        assert not turn.start
        if turn.end:
            self.abandoned.append(turn.correlation_id)
            return
        self.kept.append((turn.correlation_id, encoded.facts["TIMESTAMPS"][0]))
        self.keep_arrived.set()
        if self.is_gone:
            raise StageFailed("the decoder is gone")

    async def embed_texts(self, values, *, are_tags):
        return AXES[: len(values)]


def request(**changes):
    return AnalysisRequest("clip", chunk_seconds=10.0, **{"most_chunks": 8} | changes)


async def collect(stages, asked=None, window=2):
    return [answer async for answer in analyze_video(asked or request(), stages, window=window)]


async def test_chunks_are_decoded_in_order_in_one_sequence():
    stages = InProcessStages()
    answers = await collect(stages, window=3)
    assert stages.encoded != sorted(stages.encoded)  # they did overtake each other
    assert sorted(index for span in stages.encoded for index in span) == list(range(6))
    assert [index for index, *_ in stages.decoded] == list(range(6))
    assert [start for _, start, *_ in stages.decoded] == [True] + [False] * 5
    assert [end for *_, end, _ in stages.decoded] == [False] * 5 + [True]
    assert len({correlation_id for *_, correlation_id in stages.decoded}) == 1
    assert [bool(answer["IS_AGGREGATE"][0]) for answer in answers] == [False] * 6 + [True]


@pytest.mark.parametrize("window", [1, 2, 4])
async def test_no_more_chunks_than_lanes_are_under_way(window):
    stages = InProcessStages(num_chunks=10)
    await collect(stages, window=window)
    assert stages.most_encoding == window


@pytest.mark.parametrize(
    ("num_chunks", "window", "expected"),
    [
        (1, 2, [1]),
        (2, 2, [1, 1]),
        (6, 2, [1, 1, 2, 1, 1]),
        (12, 2, [1, 1, 2, 2, 3, 2, 1]),
        (20, 2, [1, 1, 2, 2, 4, 4, 3, 2, 1]),
        (7, 1, [1, 2, 4]),
        (30, 4, [1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 3, 2, 2, 1, 1, 1]),
    ],
)
def test_spans_grow_and_leave_work_for_all(num_chunks, window, expected):
    chunks = plan_chunks(0.0, num_chunks * 10.0, 10.0)
    cut = list(spans(chunks, window, 8))
    assert [len(span) for span in cut] == expected
    assert [chunk for span in cut for chunk in span] == list(chunks)


@pytest.mark.parametrize("most_chunks", [1, 2, 3, 4, 8])
def test_a_span_has_no_more_chunks_than_fit_into_a_request(most_chunks):
    chunks = plan_chunks(0.0, 1000.0, 10.0)
    longest = max(len(span) for span in spans(chunks, 2, most_chunks))
    assert longest == min(4, most_chunks)


async def test_one_long_span_at_a_time_while_other_videos_keep_the_extractors_busy():
    stages = InProcessStages(num_chunks=10, waits_ns=[2 * CROWDED_NS] * 4)
    await collect(stages, window=2)
    assert stages.encoded == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert stages.most_encoding == 1


async def test_spans_of_a_video_with_one_place_grow_too():
    stages = InProcessStages(num_chunks=7)
    await collect(stages, window=1)
    assert stages.encoded == [[0], [1, 2], [3, 4, 5, 6]]


async def test_spans_go_side_by_side_again_when_extractors_are_idle():
    stages = InProcessStages(num_chunks=12, waits_ns=[2 * CROWDED_NS, 0])
    await collect(stages, window=2)
    assert stages.encoded[0] == [0, 1, 2, 3]
    assert sorted(len(span) for span in stages.encoded) == [1, 1, 1, 1, 2, 2, 4]
    assert stages.most_encoding == 2


@pytest.mark.parametrize(
    ("num_chunks", "waited_ns", "closed_at"),
    [(1, 0, {0}), (2, 0, {0, 1}), (3, 0, {1, 2}), (12, 0, {9, 11}), (10, 2 * CROWDED_NS, {8})],
)
async def test_each_place_closes_the_video_with_its_last_span(num_chunks, waited_ns, closed_at):
    stages = InProcessStages(num_chunks, waits_ns=[waited_ns] * 4)
    await collect(stages, window=2)
    assert {index for index, keep_open in stages.kept_open if not keep_open} == closed_at


async def test_every_chunk_gets_its_own_part_of_a_span():
    stages = InProcessStages(num_chunks=30)
    *answers, whole = await collect(stages, request(with_embeddings=True))
    for index, answer in enumerate(answers):
        assert answer["TIMESTAMPS"].tolist() == [10.0 * index + second for second in range(4)]
        assert answer["CHUNK_NUM_FRAMES"].tolist() == [4]
        assert answer["TIME_BASE"].tolist() == [1, 25]
        np.testing.assert_array_equal(answer["EMBEDDINGS"], AXES[[index % WIDTH] * 4])
    assert whole["CHUNK_NUM_FRAMES"].tolist() == [4] * 30


async def test_two_chunks_are_encoded_side_by_side():
    stages = InProcessStages(num_chunks=2)
    await collect(stages, window=2)
    assert stages.most_encoding == 2


async def test_the_answer_does_not_depend_on_the_lanes():
    alone, ahead = (
        await collect(InProcessStages(), window=1),
        await collect(InProcessStages(), window=4),
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
    *_, whole = await collect(
        InProcessStages(num_chunks=1), request(free_texts={"TAGS": ("mine", "other")})
    )
    assert whole["TAG_TEXTS"].tolist() == [b"mine", b"other"]


async def test_free_descriptions_are_embedded_and_scored():
    free = {"DESCRIPTIONS": ("mine",), "TAGS": ("other", "third")}
    *_, whole = await collect(InProcessStages(num_chunks=2), request(free_texts=free))
    assert whole["CAPTION_TEXT"].tolist() == [b"mine"]
    assert whole["CHUNK_CAPTION_TEXTS"].tolist() == [b"mine", b"mine"]
    assert whole["TAG_TEXTS"].tolist() == [b"other", b"third"]


async def test_stage_times_add_up():
    *_, whole = await collect(InProcessStages(), request(fetch_ms=7.0))
    timing = dict(zip(whole["TIMING_STAGES"].tolist(), whole["TIMING_MS"], strict=True))
    assert timing[b"fetch"] == 7.0
    assert timing[b"extract"] == pytest.approx(6.0)
    assert timing[b"total"] > 7.0


@pytest.mark.parametrize("is_gone", [False, True])
async def test_a_sequence_is_kept_while_its_next_chunk_takes_long(monkeypatch, is_gone):
    monkeypatch.setattr(turns, "KEEP_SECONDS", 0.001)
    stages = InProcessStages(num_chunks=3)
    stages.is_gone, stages.encodes_after_keep = is_gone, True
    *answers, _ = await collect(stages, window=1)
    assert len(answers) == 3
    # By the first chunk, when there is one.
    assert set(stages.kept) == {(stages.decoded[0][3], 0.0)}


async def test_a_failing_chunk_closes_the_sequence_and_ends_the_rest():
    stages = InProcessStages(fail_at=3)
    with pytest.raises(StageFailed, match="the encoder failed"):
        await collect(stages)
    assert [(index, end) for index, _, end, _ in stages.decoded] == [
        (0, False),
        (1, False),  # the second is in one span with the one that fails
    ]
    assert {correlation_id for *_, correlation_id in stages.decoded} == set(stages.abandoned)
    assert len(stages.abandoned) == 1
    assert stages.encoding == 0


async def test_what_is_under_way_is_waited_for():
    """The video's file goes when the analysis ends, and nobody may still be reading it."""
    stages = InProcessStages(num_chunks=6, fail_at=0)
    with pytest.raises(StageFailed):
        await collect(stages, window=3)
    assert stages.encoding == 0
    assert stages.encoded == [[2], [1]]  # begun beside the one that failed, and no more


async def test_a_video_that_fails_at_once_has_no_sequence_to_close():
    stages = InProcessStages(fail_at=0)
    with pytest.raises(StageFailed):
        await collect(stages)
    assert stages.decoded == []


async def test_a_consumer_that_leaves_stops_the_work():
    stages = InProcessStages(num_chunks=50)
    async with aclosing(analyze_video(request(), stages, window=2)) as answers:
        async for _ in answers:
            break
    assert stages.encoding == 0
    assert len(stages.encoded) < 8
    assert [end for *_, end, _ in stages.decoded] == [False]
    assert stages.abandoned == [stages.decoded[0][3]]


async def test_too_many_frames_are_rejected_before_the_first():
    stages = InProcessStages()
    limits = CostLimits(max_frames_per_video=23)
    with pytest.raises(TooMuchWork, match="6 chunks of 4 frames are 24 frames"):
        await collect(stages, request(frames_per_chunk=4, limits=limits))
    assert stages.encoded == []


async def test_too_large_an_answer_ends_the_sequence():
    stages = InProcessStages()
    with pytest.raises(TooMuchWork, match="the answer for 6 chunks"):
        await collect(stages, request(limits=CostLimits(max_answer_bytes=100)))
    assert stages.abandoned == [stages.decoded[0][3]]
