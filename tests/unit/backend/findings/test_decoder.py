# SPDX-License-Identifier: Apache-2.0
"""The decoder against the replaced pipeline's algorithm in plain NumPy."""

import numpy as np
import pytest
from support import reference
from support.findings import default_findings

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.decoder import Decoder, VideoState
from trireel_backend.findings.finding import Knowledge
from trireel_backend.wire.tensors import stack_chunks
from trireel_schema.texts import TextBank, TextSet
from trireel_schema.vectors import Calibration

WIDTH = 24
FRAMES = 16


def unit_rows(rng, count):
    rows = rng.normal(size=(count, WIDTH))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def make_bank(rng):
    def texts(prefix, count):
        names = tuple(f"{prefix} {i}" for i in range(count))
        return TextSet(names, unit_rows(rng, count).astype(np.float32))

    return TextBank(texts("tag", 20), texts("description", 20))


def make_chunks(rng):
    """Four chunks with scenes that begin within and at the edges of chunks."""
    scene_starts = {0, 5, 16, 17, 40}
    frames = []
    for index in range(4 * FRAMES):
        if index in scene_starts:
            scene = unit_rows(rng, 1)[0]
        frames.append(scene + rng.normal(scale=0.02, size=WIDTH))
    frames = np.array([frame / np.linalg.norm(frame) for frame in frames])
    durations = [10.0, 10.0, 10.0, 3.5]
    return [
        reference.ReferenceChunk(
            frames[i * FRAMES : (i + 1) * FRAMES],
            [10.0 * i + 0.3 + 0.61 * j for j in range(FRAMES)],
            durations[i],
        )
        for i in range(4)
    ]


def decode_all(decoder, chunks, options=default_findings()):  # noqa: B008  (frozen)
    state, answers = VideoState(), []
    for chunk in chunks:
        frames = ChunkFrames(
            chunk.embeddings.astype(np.float32), np.array(chunk.timestamps), chunk.duration
        )
        state, answer = decoder.decode(state, frames, options)
        answers.append(answer)
    return stack_chunks(answers)


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture
def bank(rng):
    return make_bank(rng)


@pytest.fixture
def decoder(bank):
    return Decoder(Knowledge(bank, Calibration(10.0, -2.0)))


def texts_of(array):
    return [text.decode() for text in array.ravel()]


def test_cuts_are_those_of_the_reference(decoder, rng):
    chunks = make_chunks(rng)
    answer = decode_all(decoder, chunks)
    expected = reference.cuts(chunks)
    assert [(c, f) for _, _, c, f in expected] == [(0, 5), (1, 0), (1, 1), (2, 8)]
    np.testing.assert_array_equal(answer["SCENE_TIMESTAMPS"], [time for time, *_ in expected])
    np.testing.assert_allclose(answer["SCENE_SCORES"], [s for _, s, *_ in expected], atol=1e-5)
    np.testing.assert_array_equal(answer["SCENE_CHUNK_INDICES"], [c for *_, c, _ in expected])
    np.testing.assert_array_equal(answer["SCENE_FRAME_INDICES"], [f for *_, f in expected])


def test_threshold_and_alpha_are_the_requests(decoder, rng):
    chunks = make_chunks(rng)
    answer = decode_all(decoder, chunks, default_findings(scene_threshold=0.004, scene_alpha=0.7))
    expected = reference.cuts(chunks, threshold=0.004, alpha=0.7)
    assert len(expected) > 10
    np.testing.assert_array_equal(answer["SCENE_TIMESTAMPS"], [time for time, *_ in expected])


def test_tags_and_caption_of_each_chunk_are_those_of_the_reference(decoder, rng, bank):
    chunks = make_chunks(rng)
    answer = decode_all(decoder, chunks, default_findings(top_k=3))
    for index, chunk in enumerate(chunks):
        tags = bank.tags
        expected = reference.top(list(tags.texts), tags.embeddings, reference.pooled(chunk), 3)
        assert texts_of(answer["CHUNK_TAG_TEXTS"][index]) == [text for text, _ in expected]
        np.testing.assert_allclose(
            answer["CHUNK_TAG_SCORES"][index], [score for _, score in expected], atol=1e-5
        )


def test_video_tags_are_the_duration_weighted_mean_over_all_chunks(decoder, rng, bank):
    chunks = make_chunks(rng)
    answer = decode_all(decoder, chunks)
    tags = bank.tags
    expected = reference.video_tags(chunks, list(tags.texts), tags.embeddings, 5)
    assert texts_of(answer["TAG_TEXTS"]) == [text for text, _ in expected]
    np.testing.assert_allclose(answer["TAG_SCORES"], [score for _, score in expected], atol=1e-5)


def test_the_videos_caption_is_the_best_of_any_chunk(decoder, rng):
    answer = decode_all(decoder, make_chunks(rng))
    best = int(answer["CHUNK_CAPTION_SCORES"].argmax())
    assert texts_of(answer["CAPTION_TEXT"])[0] == texts_of(answer["CHUNK_CAPTION_TEXTS"])[best]
    assert answer["CAPTION_SCORE"][0] == answer["CHUNK_CAPTION_SCORES"][best]


def test_free_tags_stand_in_for_the_banks(decoder, rng):
    chunks = make_chunks(rng)[:1]
    free = TextSet(
        ("mine", "other"),
        np.stack([reference.pooled(chunks[0]), -unit_rows(rng, 1)[0]]).astype(np.float32),
    )
    answer = decode_all(decoder, chunks, default_findings(tags=free))
    assert texts_of(answer["TAG_TEXTS"])[0] == "mine"
    assert answer["TAG_SCORES"][0] == pytest.approx(1.0, abs=1e-5)
    assert answer["CHUNK_TAG_TEXTS"].shape == (1, 2)


def test_free_descriptions_stand_in_for_the_banks(decoder, rng):
    chunks = make_chunks(rng)[:1]
    free = TextSet(
        ("other", "mine"),
        np.stack([-unit_rows(rng, 1)[0], reference.pooled(chunks[0])]).astype(np.float32),
    )
    answer = decode_all(decoder, chunks, default_findings(descriptions=free))
    assert texts_of(answer["CAPTION_TEXT"]) == texts_of(answer["CHUNK_CAPTION_TEXTS"]) == ["mine"]
    assert answer["CAPTION_SCORE"][0] == pytest.approx(1.0, abs=1e-5)
    wide = TextSet(("wide",), np.eye(1, WIDTH + 1, dtype=np.float32))
    with pytest.raises(InvalidInput, match="DESCRIPTION_EMBEDDINGS are 25 wide"):
        decode_all(decoder, chunks, default_findings(descriptions=wide))


def test_a_refused_chunk_leaves_the_state_as_it_was(decoder, rng):
    chunk = make_chunks(rng)[0]
    frames = ChunkFrames(chunk.embeddings.astype(np.float32), np.array(chunk.timestamps), 10.0)
    state, _ = decoder.decode(VideoState(), frames, default_findings())
    average = state.findings["scenes"].average.copy()
    wide = ChunkFrames(np.eye(3, WIDTH + 1, dtype=np.float32), np.zeros(3), 10.0)
    with pytest.raises(InvalidInput, match="EMBEDDINGS are 25 wide: this checkpoint's are 24"):
        decoder.decode(state, wide, default_findings())
    np.testing.assert_array_equal(state.findings["scenes"].average, average)
    assert state.chunks == 1


@pytest.mark.parametrize(
    ("embeddings", "timestamps", "weight", "message"),
    [
        (np.zeros((0, WIDTH)), np.zeros(0), 1.0, "1 or more"),
        (np.eye(2, WIDTH), np.zeros(3), 1.0, "one timestamp per frame"),
        (2 * np.eye(2, WIDTH), np.zeros(2), 1.0, "not of unit length"),
        (np.full((2, WIDTH), np.nan), np.zeros(2), 1.0, "not of unit length"),
        (np.eye(2, WIDTH), np.zeros(2), 0.0, "above 0"),
        (np.eye(2, WIDTH), np.zeros(2), np.nan, "above 0"),
        (np.eye(2, WIDTH), np.zeros(2), np.inf, "above 0"),
        (np.eye(2, WIDTH), np.array([0, np.nan]), 1.0, "TIMESTAMPS"),
    ],
)
def test_frames_that_cannot_be_decoded_are_refused(embeddings, timestamps, weight, message):
    with pytest.raises(InvalidInput, match=message):
        ChunkFrames(embeddings.astype(np.float32), timestamps, weight)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top_k": 0}, "TOP_K is 0"),
        ({"top_k": 1001}, "TOP_K is 1001"),
        ({"scene_threshold": 0.0}, "SCENE_THRESHOLD is 0"),
        ({"scene_threshold": float("nan")}, "SCENE_THRESHOLD is nan"),
        ({"scene_alpha": 1.5}, "SCENE_ALPHA is 1.5"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        default_findings(**options)
