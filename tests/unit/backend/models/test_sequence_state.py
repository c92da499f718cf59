# SPDX-License-Identifier: Apache-2.0
"""A video that goes on from its state, and chunks that come twice or late."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.captions import text_model
from support.objects import HEIGHT_PX, MODELS, WIDTH_PX, detector_model

from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_backend.errors import Full, InvalidInput
from trireel_backend.findings.decoder import Decoder
from trireel_backend.findings.finding import Knowledge
from trireel_backend.findings.open_videos import SequenceSettings, snapshots_of
from trireel_backend.findings.registry import FINDINGS
from trireel_backend.findings.snapshot import Checkpoint
from trireel_backend.metrics.family import Tally
from trireel_backend.models.temporal_decoder import CHUNKS, SequenceDecoder
from trireel_backend.wire.request import INNER, KEEP_SEQUENCE, Request
from trireel_backend.wire.tensors import texts
from trireel_backend.wire.views import PackedView, pack_views
from trireel_schema.description import DESCRIBE_MODEL, DescriberFacts
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE

FIND_ALL = tuple(FINDINGS)
WIDTH, FRAMES, CHUNK_COUNT = 8, 4, 5


@pytest.fixture
def make(bank_files):
    """Return a function that starts a server's decoder."""
    metadata = load_metadata(bank_files[METADATA_FILE])
    bank = load_text_bank(bank_files[TEXT_BANK_FILE], metadata)
    models = replace(MODELS, describer=DescriberFacts(sees=True, chats=True))

    def made(tally=None, **limits):
        return SequenceDecoder(
            Decoder(Knowledge(bank, metadata.calibration, has_shot_model=True, models=models)),
            snapshots_of(Checkpoint.of(metadata, bank)),
            tally or Tally(),
            other_model,
            idle_seconds=60,
            settings=SequenceSettings(**limits),
        )

    return made


@pytest.fixture
def decoder(make):
    return make()


VIEW_SIZES = {
    "quality": (16, 16),
    "scenes": (48, 27),
    "objects": (WIDTH_PX, HEIGHT_PX),
    "text": (64, 32),
    "description": (32, 18),
}
VIEW_FRAMES = 60


def inputs(index, *, find=None, video=0, mode=None):
    """Return the tensors of a chunk, no two alike, some with cuts, black and frozen frames."""
    rng = np.random.default_rng([video, index])
    frames = rng.normal(size=(FRAMES, WIDTH)) + 3 * np.eye(WIDTH)[(index // 2) % WIDTH]
    arrays = {
        "EMBEDDINGS": (frames / np.linalg.norm(frames, axis=1, keepdims=True)).astype(np.float32),
        "TIMESTAMPS": 10.0 * index + 2.5 * np.arange(FRAMES),
        "CHUNK_DURATION_SECONDS": np.array([10.0 - index / 7]),
    }
    if find is not None:
        arrays["FIND"] = texts(find)
    if mode is not None:
        arrays["SCENES"] = texts([mode])
    views = [name for name in VIEW_SIZES if find is not None and name in find]
    if mode == "sampled":
        views.remove("scenes")
    if views:
        packed = [pixels_of(rng, index, *VIEW_SIZES[name]) for name in views]
        arrays |= pack_views(views, [VIEW_SIZES[name] for name in views], [packed])
    return arrays


def pixels_of(rng, index, width, height):
    """Return frames of a view: two pictures with a cut between them, every third chunk black."""
    pictures = rng.integers(0, 256, (2, 1, height, width, 3), np.uint8) * np.uint8(index % 3 > 0)
    noise = rng.integers(0, 9, (VIEW_FRAMES, height, width, 3), np.uint8)
    pixels = np.repeat(pictures, VIEW_FRAMES // 2, axis=0).reshape(noise.shape) // 2 + noise
    return PackedView(pixels, 10.0 * (index + np.arange(VIEW_FRAMES) / VIEW_FRAMES))


async def other_model(model, arrays, outputs, **_):
    """Stand for the other models: each answer depends on its inputs alone."""
    if model == DESCRIBE_MODEL:
        pictures = arrays.get("IMAGES")
        words = arrays["PROMPT"].item().decode() if pictures is None else pictures.mean()
        return {"TEXT": texts([f"{words}"])}
    if model.startswith("text_"):
        return text_model(model, arrays)
    if model != "shot_boundary":
        return await detector_model(model, arrays, outputs)
    frames = arrays["FRAMES"].astype(np.float32)
    change = np.abs(np.diff(frames, axis=1, prepend=frames[:, :1])).mean(axis=(2, 3, 4)) / 64
    return dict.fromkeys(outputs, np.clip(change, 0, 1))


def ask(decoder, arrays, *, start=False, end=False, sequence="v", state=None, **extra):
    """Answer a request that wants the state."""
    parameters = extra.pop("parameters", {})
    arrays = {**arrays, "RETURN_STATE": np.array([True]), **extra}
    if state is not None:
        arrays["START_STATE"] = state
    answer = decoder.answer(
        Request(
            array=arrays.get,
            correlation_id=sequence,
            starts=start,
            ends=end,
            parameters=parameters,
            is_inner=INNER in parameters,
        )
    )
    return asyncio.run(answer) if asyncio.iscoroutine(answer) else answer


def same(one, other, *, but=()):
    assert one.keys() == other.keys()
    for name in one.keys() - set(but):
        assert one[name].dtype == other[name].dtype, name
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def undisturbed(decoder, find=None, video=0, mode=None):
    return [
        ask(
            decoder,
            inputs(i, find=find, video=video, mode=mode),
            start=i == 0,
            end=i == CHUNK_COUNT - 1,
            sequence=f"alone {video}",
        )
        for i in range(CHUNK_COUNT)
    ]


@pytest.mark.parametrize(
    ("find", "mode"),
    [
        (None, None),
        (FIND_ALL, None),
        *((FIND_ALL, mode) for mode in ("sampled", "refined", "exact")),
        *(((name,), None) for name in FINDINGS),
    ],
)
def test_a_video_goes_on_at_another_server_bit_for_bit(make, find, mode):
    expected = undisturbed(make(), find, mode=mode)
    state = None
    for index in range(CHUNK_COUNT):  # each chunk at a server of its own
        arrays, is_last = inputs(index, find=find, mode=mode), index == CHUNK_COUNT - 1
        answer = ask(make(), arrays, start=True, end=is_last, state=state)
        same(answer, expected[index])
        state = answer["STATE"]
    assert len(state) == 0
    if mode is not None:
        assert sum(len(answer["SCENE_TIMESTAMPS"]) for answer in expected) > 0


def test_a_state_belongs_to_its_find(make):
    state = ask(make(), inputs(0, find=["tags"]), start=True)["STATE"]
    with pytest.raises(InvalidInput, match="FIND names tags, caption, scenes after tags"):
        ask(make(), inputs(1), start=True, state=state)


def test_a_state_needs_start(decoder):
    state = ask(decoder, inputs(0), start=True)["STATE"]
    with pytest.raises(InvalidInput, match="START_STATE without START"):
        ask(decoder, inputs(1), state=state)
    same(ask(decoder, inputs(1)), undisturbed(decoder)[1])


def test_a_state_that_fits_no_chunk_is_refused_in_one_sentence(decoder):
    state = ask(decoder, inputs(0), start=True)["STATE"]
    snapshots = decoder._videos._snapshots
    parts = snapshots.unpack(state.data)
    wrong = type(parts["tags"])(np.ones(WIDTH + 1), 1.0)
    hostile = np.frombuffer(snapshots.pack({**parts, "tags": wrong}), np.uint8)
    with pytest.raises(InvalidInput, match="START_STATE does not fit the chunk"):
        ask(decoder, inputs(1), start=True, state=hostile)
    without_times = {name: part for name, part in parts.items() if name != "times"}
    for empty in ({}, {"chunks": 3}, without_times, {**parts, "chunks": -1}):
        nothing = np.frombuffer(snapshots.pack(empty), np.uint8)
        with pytest.raises(InvalidInput, match="START_STATE holds no video"):
            ask(decoder, inputs(1), start=True, state=nothing)


def test_a_chunk_that_comes_twice_gets_the_same_answer(make):
    tally = Tally()
    decoder = make(tally)
    expected = undisturbed(make())
    for index in range(CHUNK_COUNT - 1):
        arrays = inputs(index)
        first = ask(decoder, arrays, start=index == 0)
        assert first["CHUNK_STATUS"].tolist() == [b"new"]
        for array in arrays.values():  # memory of the request, which is another one's now
            if array.dtype.kind == "f":
                array.fill(0.5)
        again = ask(decoder, inputs(index))
        assert again["CHUNK_STATUS"].tolist() == [b"repeated"]
        same(again, first, but=["CHUNK_STATUS"])
        same(first, expected[index])
    assert tally.numbers[CHUNKS.name, ""] == CHUNK_COUNT - 1
    same(ask(decoder, inputs(CHUNK_COUNT - 1), end=True), expected[-1])


def test_a_repeated_chunk_with_end_is_its_videos_last_one(make, decoder):
    other = make()
    for index in range(2):
        ask(decoder, inputs(index), start=index == 0)
        last = ask(other, inputs(index), start=index == 0, end=index == 1)
    again = ask(decoder, inputs(1), end=True)
    assert again["CHUNK_STATUS"].tolist() == [b"repeated"]
    same(again, last, but=["CHUNK_STATUS"])
    with pytest.raises(InvalidInput, match="not open"):
        ask(decoder, inputs(2))


def test_a_repeated_chunk_has_the_findings_of_its_video(decoder):
    first = ask(decoder, inputs(0), start=True)
    with pytest.raises(InvalidInput, match="FIND names tags after tags, caption, scenes"):
        ask(decoder, inputs(0, find=["tags"]))
    with pytest.raises(InvalidInput, match="TOP_K is 0"):
        ask(decoder, inputs(0), TOP_K=np.array([0]))
    same(ask(decoder, inputs(0)), first, but=["CHUNK_STATUS"])


def test_a_late_chunk_is_refused_and_changes_nothing(decoder):
    for index in range(3):
        ask(decoder, inputs(index), start=index == 0)
    for index in (0, 1):
        with pytest.raises(InvalidInput, match=r"late: it is at \d+.5 s, and the last .* 27.5 s"):
            ask(decoder, inputs(index))
    same(ask(decoder, inputs(3)), undisturbed(decoder)[3])


def test_a_chunk_may_go_back_if_it_says_so(decoder):
    for index in range(3):
        ask(decoder, inputs(index), start=index == 0)
    answer = ask(decoder, inputs(0), ANY_ORDER=np.array([True]))
    assert answer["CHUNK_INDICES"].tolist() == [3]
    assert answer["CHUNK_STATUS"].tolist() == [b"new"]
    repeated = ask(decoder, inputs(0), ANY_ORDER=np.array([True]))
    assert repeated["CHUNK_INDICES"].tolist() == [4]


def test_a_picture_that_stands_still_is_told_by_the_chunks_start(decoder):
    still = {**inputs(0), "TIMESTAMPS": np.zeros(FRAMES)}
    answers = [
        ask(decoder, still, start=index == 0, CHUNK_START_SECONDS=np.array([0.1 * number]))
        for index, number in enumerate([0, 1, 1, 2])
    ]
    assert [int(a["CHUNK_INDICES"][0]) for a in answers] == [0, 1, 1, 2]
    assert [a["CHUNK_STATUS"][0] for a in answers] == [b"new", b"new", b"repeated", b"new"]
    with pytest.raises(InvalidInput, match=r"late: it is at 0\.1 s"):
        ask(decoder, still, CHUNK_START_SECONDS=np.array([0.1]))


def test_the_last_chunk_of_a_given_state_is_in_it_already(decoder):
    state = ask(decoder, inputs(0), start=True)["STATE"]
    with pytest.raises(InvalidInput, match="its answer is not kept here: send the next chunk"):
        ask(decoder, inputs(0), start=True, state=state)


def test_given_states_count_among_the_open_sequences(make):
    decoder = make(max_sequences=2)
    state = ask(make(), inputs(0), start=True)["STATE"]
    for name in ("a", "b"):
        ask(decoder, inputs(1), start=True, state=state, sequence=name)
    with pytest.raises(Full, match="2 sequences are open in it, the most allowed"):
        ask(decoder, inputs(1), start=True, state=state, sequence="c")
    ask(decoder, inputs(1), start=True, state=state, sequence="a")  # begins anew
    ask(decoder, inputs(1), start=True, end=True, state=state, sequence="c")  # opens none


def test_states_have_a_budget_of_memory(make):
    decoder = make(max_state_bytes=20_000, max_sequences=10_000)
    number, is_full = 0, False
    while not is_full:
        try:
            ask(decoder, inputs(0), start=True, sequence=number + 1)
            number += 1
        except Full:
            is_full = True
    assert 3 < number < 99
    with pytest.raises(Full, match="bytes of states, the most allowed"):
        ask(decoder, inputs(0), start=True, sequence="one more")
    assert decoder._videos._of_clients.total_bytes < 2 * 20_000
    # The last ones got no room for their answers, and say so.
    with pytest.raises(InvalidInput, match="its answer is not kept here"):
        ask(decoder, inputs(0), sequence=number)
    same(ask(decoder, inputs(1), sequence=number), undisturbed(make())[1])
    for name in range(1, number + 1):
        ask(decoder, inputs(2), end=True, sequence=name)
    assert decoder._videos._of_clients.total_bytes == 0


def test_a_given_state_has_to_fit_into_the_budget(make):
    ask(decoder := make(max_state_bytes=3000), inputs(0), start=True)
    snapshots = decoder._videos._snapshots
    state = ask(make(), inputs(0), start=True)["STATE"]
    parts = snapshots.unpack(state.data)
    large = {**parts, "tags": type(parts["tags"])(np.ones(10_000), 1.0)}
    state = np.frombuffer(snapshots.pack(large), np.uint8)
    for name in ("v", "another"):  # also in place of a video that is open
        with pytest.raises(Full, match="bytes of states, the most allowed"):
            ask(decoder, inputs(1), start=True, state=state, sequence=name)
    same(ask(decoder, inputs(1)), undisturbed(make())[1])


def test_whole_videos_repeat_and_end_as_they_like(decoder):
    inner = {"parameters": {INNER: ""}}
    for index in (0, 0, 1, 0):
        answer = ask(decoder, inputs(index), start=index < 0 or not len(decoder._videos), **inner)
    assert answer["CHUNK_INDICES"].tolist() == [3]
    end = {"parameters": {INNER: "", KEEP_SEQUENCE: True}}
    assert ask(decoder, inputs(0), end=True, **end) == {}
    assert len(decoder._videos) == 0


@pytest.fixture
def three_videos(make):
    """The answers for three videos that nothing disturbs."""
    return [undisturbed(make(), FIND_ALL, video) for video in range(3)]


FAULTS = ("none", "the answer is lost", "the server is lost", "an old chunk comes again")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(FAULTS)), max_size=20))
def test_whatever_is_lost_the_answers_are_those_of_no_loss(make, three_videos, schedule):
    expected = three_videos
    decoder, states, next_chunks, is_open = make(), {}, [0, 0, 0], [False] * 3
    for video, fault in schedule:
        index = next_chunks[video]
        if index == CHUNK_COUNT - 1:
            continue
        if fault == "the server is lost":
            decoder, is_open = make(), [False] * 3
        arrays = inputs(index, find=FIND_ALL, video=video)
        begin = {} if is_open[video] else {"start": True, "state": states.get(video)}
        answer = ask(decoder, arrays, sequence=video + 1, **begin)
        if fault == "the answer is lost":
            answer = ask(decoder, arrays, sequence=video + 1)
        if fault == "an old chunk comes again" and index > 0:
            with pytest.raises(InvalidInput, match="late"):
                ask(decoder, inputs(0, find=FIND_ALL, video=video), sequence=video + 1)
        same(answer, expected[video][index], but=["CHUNK_STATUS"])
        states[video], is_open[video], next_chunks[video] = answer["STATE"], True, index + 1
