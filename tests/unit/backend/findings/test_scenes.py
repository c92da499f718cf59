# SPDX-License-Identifier: Apache-2.0
"""The finding `scenes` through the decoder: modes, events, traces, and scenes as results."""

import itertools
from itertools import chain

import numpy as np
import pytest
from support.findings import options_of
from support.footage import judged, varied

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.decoder import Decoder, VideoState
from trireel_backend.findings.finding import Knowledge
from trireel_backend.wire.views import PackedView
from trireel_schema.texts import TextBank, TextSet
from trireel_schema.vectors import Calibration

WIDTH, SCALE, BIAS = 12, 10.0, -2.0
PIXELS, SECONDS = varied()
END_SECONDS = 22.0
CUTS = [3.0, 6.4, 6.8, 13.0, 19.52]
KINDS = ["cut", "cut", "cut", "dissolve", "wipe", "cut", "fade", "cut"]


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def embeddings_of(seconds):
    """Return an embedding for each PTS: near for frames of one shot, far for others."""
    rng = np.random.default_rng(4)
    shots = rng.normal(size=(9, WIDTH))
    rows = shots[np.searchsorted([*CUTS, 9.3, 11.4, 17.0], seconds, side="right")]
    return unit(rows + 0.1 * rng.normal(size=rows.shape)).astype(np.float32)


SAMPLED_SECONDS = SECONDS[6::12]
EMBEDDINGS = embeddings_of(SAMPLED_SECONDS)


@pytest.fixture(scope="module")
def bank():
    rng = np.random.default_rng(8)
    tags, descriptions = (unit(rng.normal(size=(count, WIDTH))) for count in (9, 7))
    return TextBank(
        TextSet(tuple(f"tag {i}" for i in range(9)), tags.astype(np.float32)),
        TextSet(tuple(f"description {i}" for i in range(7)), descriptions.astype(np.float32)),
    )


@pytest.fixture(scope="module")
def decoder(bank):
    return Decoder(Knowledge(bank, Calibration(SCALE, BIAS), has_shot_model=True))


@pytest.fixture(scope="module")
def without_model(bank):
    return Decoder(Knowledge(bank, Calibration(SCALE, BIAS)))


def chunk_of(begin_seconds, end_seconds, *, with_view=True):
    sampled = (begin_seconds <= SAMPLED_SECONDS) & (end_seconds > SAMPLED_SECONDS)
    inside = (begin_seconds <= SECONDS) & (end_seconds > SECONDS)
    view = PackedView(PIXELS[inside], SECONDS[inside])
    return ChunkFrames(
        EMBEDDINGS[sampled],
        SAMPLED_SECONDS[sampled],
        end_seconds - begin_seconds,
        {"scenes": view} if with_view else {},
        start_seconds=begin_seconds,
        duration_seconds=end_seconds - begin_seconds,
        is_last=end_seconds == END_SECONDS,
    )


def step(decoder, state, chunk, options):
    """Decode a chunk as the model does, with answers in place of TransNetV2's."""
    calls = decoder.calls(state, chunk, options).get("scenes", ())
    answers = []
    for call in calls:
        assert call.model == "shot_boundary"
        assert call.outputs == ("SINGLE", "MANY")
        assert 1 <= len(call.inputs["FRAMES"]) <= 8
        answers.append(dict(zip(call.outputs, judged(call.inputs["FRAMES"]), strict=True)))
    fields = {name: getattr(chunk, name) for name in chunk.__dataclass_fields__}
    return decoder.decode(state, ChunkFrames(**{**fields, "answers": {"scenes": answers}}), options)


def decode(decoder, borders=(10.0, 20.0), *, with_view=True, **inputs):
    """Return the answers for all chunks of the footage."""
    options, state, answers = options_of(FIND=["scenes"], **inputs), VideoState(), []
    edges = [0.0, *borders, END_SECONDS]
    for begin, end in itertools.pairwise(edges):
        state, answer = step(decoder, state, chunk_of(begin, end, with_view=with_view), options)
        answers.append(answer)
    return answers


def joined(answers, name):
    return np.concatenate([answer[name] for answer in answers])


def texts_of(array):
    return [text.decode() for text in array.ravel()]


@pytest.mark.parametrize("mode", [None, "refined", "exact"])
def test_events_are_those_of_the_footage(decoder, mode):
    answers = decode(decoder, SCENES=mode)
    assert {texts_of(answer["SCENE_MODE"])[0] for answer in answers} == {mode or "refined"}
    kinds, seconds = texts_of(joined(answers, "SCENE_KINDS")), joined(answers, "SCENE_TIMESTAMPS")
    assert kinds == KINDS
    assert [s for s, kind in zip(seconds, kinds, strict=True) if kind == "cut"] == CUTS
    for (begin, end), time, kind in zip(
        joined(answers, "SCENE_TRANSITIONS"), seconds, kinds, strict=True
    ):
        assert begin <= time <= end
        assert (begin == end) == (kind == "cut")
    assert all(texts_of(joined(answers, "SCENE_REASONS")))


def test_sampled_frames_alone_are_the_mode_without_a_view(decoder):
    answers = decode(decoder, with_view=False)
    assert texts_of(answers[0]["SCENE_MODE"]) == ["sampled"]
    assert set(joined(answers, "SCENE_TIMESTAMPS")) <= set(SAMPLED_SECONDS)
    explicit = decode(decoder, SCENES="sampled")
    for one, other in zip(answers, explicit, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.mark.parametrize("mode", ["refined", "exact"])
def test_a_mode_with_frames_of_its_own_needs_a_view(decoder, mode):
    chunk = chunk_of(0.0, 10.0, with_view=False)
    with pytest.raises(InvalidInput) as raised:
        step(decoder, VideoState(), chunk, options_of(SCENES=mode))
    assert str(raised.value) == (
        f"SCENES is {mode}, which needs frames of its own: request it from video_chunk,"
        " video_analysis or video_analysis_stream, which decode the video"
    )


def test_exact_needs_the_model(without_model):
    chunk, options = chunk_of(0.0, 10.0), options_of(SCENES="exact")
    with pytest.raises(InvalidInput) as raised:
        without_model.calls(VideoState(), chunk, options)
    message = str(raised.value)
    assert message.startswith("SCENES is exact, which needs the model shot_boundary")
    assert "request refined" in message
    assert "\n" not in message
    assert without_model.calls(VideoState(), chunk, options_of(SCENES="refined")) == {}


def test_a_mode_stays_the_same_within_a_video(decoder):
    state, _ = step(decoder, VideoState(), chunk_of(0.0, 10.0), options_of(SCENES="refined"))
    for mode in ("sampled", "exact"):
        with pytest.raises(InvalidInput, match=f"SCENES is {mode} after refined: send the same"):
            step(decoder, state, chunk_of(10.0, 20.0), options_of(SCENES=mode))
    step(decoder, state, chunk_of(10.0, 20.0), options_of())  # refined is what it is without


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"SCENES": "Exact"}, "SCENES is 'Exact': give one of sampled, refined, exact"),
        ({"SCENES": ["exact", "exact"]}, "SCENES holds 2 texts"),
        ({"SCENE_MIN_SECONDS": -1.0}, "SCENE_MIN_SECONDS is -1: give a number from 0 to 3600"),
        ({"SCENE_MIN_SECONDS": 3601.0}, "SCENE_MIN_SECONDS is 3601"),
        ({"SCENE_MIN_SECONDS": float("nan")}, "SCENE_MIN_SECONDS is nan"),
    ],
)
def test_wrong_inputs_are_rejected(inputs, message):
    with pytest.raises(InvalidInput, match=message):
        options_of(**inputs)


def test_a_view_of_another_size_is_rejected(decoder):
    view = PackedView(np.zeros((3, 16, 16, 3), np.uint8), np.arange(3.0))
    chunk = ChunkFrames(EMBEDDINGS[:3], SAMPLED_SECONDS[:3], 3.0, {"scenes": view})
    with pytest.raises(InvalidInput, match=r"VIEW_SIZES_PX of scenes are 16 x 16: send .* 48 x 27"):
        step(decoder, VideoState(), chunk, options_of())


@pytest.mark.parametrize("mode", ["sampled", "refined", "exact"])
@pytest.mark.parametrize("min_seconds", [0.5, 5.0])
def test_no_two_events_are_nearer_than_the_shortest_scene(decoder, mode, min_seconds):
    every = joined(decode(decoder, SCENES=mode), "SCENE_TIMESTAMPS")
    answers = decode(decoder, SCENES=mode, SCENE_MIN_SECONDS=min_seconds)
    kept = joined(answers, "SCENE_TIMESTAMPS")
    expected, last = [], -np.inf
    for time in every:
        if time - last >= min_seconds:
            expected.append(time)
            last = time
    assert kept.tolist() == expected
    assert len(joined(answers, "SCENE_SPANS")) == len(kept) + 1


@pytest.mark.parametrize("mode", ["refined", "exact"])
@pytest.mark.parametrize("borders", [(), (10.0, 20.0), (0.6, 3.0, 6.6, 9.2, 17.0, 21.4)])
def test_the_trace_has_each_frame_once(decoder, mode, borders):
    answers = decode(decoder, borders, SCENES=mode, SCENE_WITH_TRACE=True)
    np.testing.assert_array_equal(joined(answers, "SCENE_SIGNAL_TIMESTAMPS"), SECONDS)
    signals = joined(answers, "SCENE_SIGNALS")
    assert signals.shape == (len(SECONDS), 2)
    for cut in CUTS:
        index = int(np.flatnonzero(cut == SECONDS)[0])
        assert signals[index, 0] > signals[index - 3 : index + 4, 0].mean()
        assert mode == "refined" or signals[index - 1, 1] > 0.2
    assert np.isnan(signals[:, 1]).all() == (mode == "refined")
    assert joined(decode(decoder, SCENES=mode), "SCENE_SIGNALS").shape == (0, 2)


@pytest.mark.parametrize("mode", ["sampled", "refined", "exact"])
@pytest.mark.parametrize("borders", [(), (10.0, 20.0), (2.0, 3.0, 6.0, 7.0, 9.5, 17.0, 21.0)])
def test_scenes_go_from_the_begin_to_the_end_without_gaps(decoder, mode, borders):
    answers = decode(decoder, borders, SCENES=mode)
    spans, events = joined(answers, "SCENE_SPANS"), joined(answers, "SCENE_TIMESTAMPS")
    assert spans[:, 0].tolist() == [0.0, *events]
    assert spans[:, 1].tolist() == [*events, END_SECONDS]
    if mode != "sampled":
        whole = decode(decoder, (), SCENES=mode)
        for name in ("SCENE_TIMESTAMPS", "SCENE_TRANSITIONS", "SCENE_KINDS", "SCENE_SPANS",
                     "SCENE_TAG_TEXTS", "SCENE_CAPTION_TEXTS", "SCENE_TAG_SCORES",
                     "SCENE_REPRESENTATIVE_SECONDS"):  # fmt: skip
            np.testing.assert_array_equal(joined(answers, name), joined(whole, name), err_msg=name)


@pytest.mark.parametrize("mode", ["sampled", "refined", "exact"])
def test_tags_and_captions_are_those_of_a_plain_twin(decoder, bank, mode):
    answers = decode(decoder, SCENES=mode, TOP_K=3)
    begins, ends = joined(answers, "SCENE_SPANS").T
    transitions = [*joined(answers, "SCENE_TRANSITIONS")[:, 0], END_SECONDS]
    for scene, (begin, end, first_mixed) in enumerate(zip(begins, ends, transitions, strict=True)):
        inside = (begin <= SAMPLED_SECONDS) & (min(end, first_mixed) > SAMPLED_SECONDS)
        if not inside.any():
            continue  # see test_spans
        rows = EMBEDDINGS[inside].astype(np.float64)
        pooled = unit(rows.mean(axis=0))
        for texts, count, prefix in ((bank.tags, 3, "TAG"), (bank.descriptions, 1, "CAPTION")):
            cosines = texts.embeddings.astype(np.float64) @ pooled
            best = np.argsort(-cosines)[:count]
            named = joined(answers, f"SCENE_{prefix}_TEXTS")[scene]
            assert texts_of(np.atleast_1d(named)) == [texts.texts[i] for i in best]
            scores, chances = (
                np.atleast_1d(joined(answers, f"SCENE_{prefix}_{name}")[scene])
                for name in ("SCORES", "PROBABILITIES")
            )
            np.testing.assert_allclose(scores, cosines[best], atol=1e-5)
            expected = 1 / (1 + np.exp(-(SCALE * cosines[best] + BIAS)))
            np.testing.assert_allclose(chances, expected, atol=1e-5)
        representative = joined(answers, "SCENE_REPRESENTATIVE_SECONDS")[scene]
        assert representative == SAMPLED_SECONDS[inside][np.argmax(rows @ pooled)]


def test_an_event_names_its_chunk_and_sampled_frame(decoder):
    answers = decode(decoder, SCENES="refined")
    edges = [0.0, 10.0, 20.0, END_SECONDS]
    for time, chunk, frame in zip(
        joined(answers, "SCENE_TIMESTAMPS"),
        joined(answers, "SCENE_CHUNK_INDICES"),
        joined(answers, "SCENE_FRAME_INDICES"),
        strict=True,
    ):
        sampled = SAMPLED_SECONDS[
            (edges[chunk] <= SAMPLED_SECONDS) & (edges[chunk + 1] > SAMPLED_SECONDS)
        ]
        following = SAMPLED_SECONDS[time <= SAMPLED_SECONDS]
        assert sampled[frame] == (following[0] if len(following) else SAMPLED_SECONDS[-1])


def test_an_event_may_come_a_chunk_later_and_the_last_chunk_has_all(decoder):
    answers = decode(decoder, (8.0, 10.0, 14.0), SCENES="refined")
    late = [answer["SCENE_TIMESTAMPS"].tolist() for answer in answers]
    assert late[0] == [3.0]
    assert late[1] == []
    assert late[2][:2] == [6.4, 6.8]
    whole = joined(decode(decoder, ()), "SCENE_TIMESTAMPS").tolist()
    assert list(chain.from_iterable(late)) == whole


def test_a_step_changes_neither_the_state_nor_keeps_the_requests_memory(decoder):
    options = options_of(SCENES="exact")
    first, second = chunk_of(0.0, 10.0), chunk_of(10.0, 20.0)
    state, _ = step(decoder, VideoState(), first, options)
    _, expected = step(decoder, state, second, options)
    first.embeddings.fill(np.nan)
    first.views["scenes"].pixels.fill(7)
    first.views["scenes"].timestamps_seconds.fill(np.nan)
    first.timestamps_seconds.fill(np.nan)
    _, again = step(decoder, state, second, options)
    for name, array in expected.items():
        np.testing.assert_array_equal(again[name], array, err_msg=name)
