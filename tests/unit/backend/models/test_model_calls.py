# SPDX-License-Identifier: Apache-2.0
"""Answers of `temporal_decoder` that need another model: order, failures, and nobody held up."""

import asyncio
import inspect

import numpy as np
import pytest
from support.footage import judged, varied

from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_backend.errors import InvalidInput, Unavailable
from trireel_backend.findings.decoder import Decoder
from trireel_backend.findings.finding import Knowledge
from trireel_backend.findings.open_videos import SequenceSettings
from trireel_backend.findings.snapshot import Checkpoint
from trireel_backend.findings.turns_in_flight import TurnsInFlight
from trireel_backend.metrics.family import Tally
from trireel_backend.models.temporal_decoder import (
    CHUNKS,
    LIVE_SEQUENCES,
    SequenceDecoder,
    snapshots_of,
)
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import texts
from trireel_backend.wire.views import PackedView, pack_views
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE

PIXELS, SECONDS = varied()
EDGES = (0.0, 8.0, 16.0, 22.0)
WIDTH = 8
PATIENCE_SECONDS = 5
FAILURE = "shot_boundary is not there"


class Shots:
    """The model's place: answers when its gate is open, and fails as often as it is told to."""

    def __init__(self):
        self.calls, self.failures = 0, 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, model_name, inputs, outputs, **_):
        assert model_name == "shot_boundary"
        self.calls += 1
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise Unavailable(FAILURE)
        return dict(zip(outputs, judged(inputs["FRAMES"]), strict=True))


@pytest.fixture
def shots():
    return Shots()


@pytest.fixture
def tally():
    return Tally()


@pytest.fixture
def make(bank_files, tally):
    metadata = load_metadata(bank_files[METADATA_FILE])
    bank = load_text_bank(bank_files[TEXT_BANK_FILE], metadata)

    def made(call_model, *, has_shot_model=True):
        knowledge = Knowledge(bank, metadata.calibration, has_shot_model=has_shot_model)
        snapshots = snapshots_of(Checkpoint.of(metadata, bank))
        return SequenceDecoder(
            Decoder(knowledge),
            snapshots,
            tally,
            call_model,
            idle_seconds=60,
            settings=SequenceSettings(),
        )

    return made


@pytest.fixture
def decoder(make, shots):
    return make(shots)


def arrays_of(index, mode="exact", *, with_view=True):
    begin, end = EDGES[index : index + 2]
    inside = (begin <= SECONDS) & (end > SECONDS)
    sampled = SECONDS[inside][5::20]
    rows = np.random.default_rng(index).normal(size=(len(sampled), WIDTH))
    arrays = {
        "EMBEDDINGS": (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32),
        "TIMESTAMPS": sampled.copy(),
        "CHUNK_START_SECONDS": np.array([begin]),
        "CHUNK_DURATION_SECONDS": np.array([end - begin]),
        "SCENES": texts([mode]),
    }
    if with_view:
        view = PackedView(PIXELS[inside], SECONDS[inside])
        arrays |= pack_views(["scenes"], [(48, 27)], [[view]])
    return arrays


def chunk(index, sequence="v", **options):
    arrays = options.pop("arrays", None) or arrays_of(index, **options)
    return Request(
        arrays.get, correlation_id=sequence, starts=index == 0, ends=index == len(EDGES) - 2
    )


async def answered(decoder, request):
    answer = decoder.answer(request)
    return await answer if inspect.iscoroutine(answer) else answer


async def whole(decoder, sequence="v"):
    return [await answered(decoder, chunk(index, sequence)) for index in range(len(EDGES) - 1)]


def same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


async def soon(awaitable):
    return await asyncio.wait_for(awaitable, PATIENCE_SECONDS)


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_chunk_is_answered_beside_execute_with_its_calls(decoder, shots, tally):
    answers = await whole(decoder)
    assert shots.calls >= 3
    assert sum(len(answer["SCENE_TIMESTAMPS"]) for answer in answers) == 8
    assert tally.numbers[CHUNKS.name, ""] == 3
    assert tally.numbers[LIVE_SEQUENCES.name, ""] == 0


async def test_other_modes_are_answered_at_once(decoder, shots):
    for index in range(3):
        assert isinstance(decoder.answer(chunk(index, mode="refined")), dict)
    assert shots.calls == 0


async def test_requests_of_a_sequence_are_answered_in_order(decoder, make, shots):
    expected = await whole(make(Shots()))
    shots.gate.clear()
    answering = [asyncio.ensure_future(answered(decoder, chunk(index))) for index in range(3)]
    await settle()
    assert not any(answer.done() for answer in answering)
    shots.gate.set()
    for answer, known in zip(answering, expected, strict=True):
        same(await soon(answer), known)


async def test_a_later_request_that_needs_no_call_waits_too(decoder, shots):
    shots.gate.clear()
    first = asyncio.ensure_future(answered(decoder, chunk(0)))
    await settle()
    second = asyncio.ensure_future(answered(decoder, chunk(1, mode="refined")))
    await settle()
    assert not first.done()
    assert not second.done()
    shots.gate.set()
    await soon(first)
    with pytest.raises(InvalidInput, match="SCENES is refined after exact"):
        await soon(second)


async def test_other_sequences_are_not_held_up(decoder, shots):
    shots.gate.clear()
    held = asyncio.ensure_future(answered(decoder, chunk(0, "held")))
    await settle()
    for index in range(3):
        decoder.answer(chunk(index, "other", mode="refined"))
    other = asyncio.ensure_future(answered(decoder, chunk(0, "second")))
    await settle()
    assert shots.calls == 2  # in flight at once, so that Triton can merge them
    shots.gate.set()
    await soon(held)
    await soon(other)


async def test_interleaved_videos_equal_each_alone(decoder, make):
    expected = await whole(make(Shots()))
    names = [f"video {number}" for number in range(8)]
    for index in range(3):
        answers = await asyncio.gather(*(answered(decoder, chunk(index, n)) for n in names))
        for answer in answers:
            same(answer, expected[index])


async def test_a_failing_call_changes_nothing(decoder, make, shots):
    expected = await whole(make(Shots()))
    same(await answered(decoder, chunk(0)), expected[0])
    shots.failures = 1
    with pytest.raises(Unavailable) as raised:
        await answered(decoder, chunk(1))
    assert str(raised.value) == FAILURE
    same(await answered(decoder, chunk(1)), expected[1])
    same(await answered(decoder, chunk(2)), expected[2])


async def test_a_failing_call_at_the_end_drops_the_state(decoder, shots, tally):
    await answered(decoder, chunk(0))
    await answered(decoder, chunk(1))
    shots.failures = 9
    with pytest.raises(Unavailable):
        await answered(decoder, chunk(2))
    assert tally.numbers[LIVE_SEQUENCES.name, ""] == 0
    with pytest.raises(InvalidInput, match="not open"):
        await answered(decoder, chunk(1))


async def test_a_failing_call_at_start_leaves_no_earlier_video(decoder, shots):
    await answered(decoder, chunk(0))
    await answered(decoder, chunk(1))
    shots.failures = 9
    with pytest.raises(Unavailable):
        await answered(decoder, chunk(0))
    shots.failures = 0
    with pytest.raises(InvalidInput, match="not open"):
        await answered(decoder, chunk(2))


async def test_a_failing_call_lets_the_next_request_take_its_turn(decoder, make, shots):
    expected = await whole(make(Shots()))
    await answered(decoder, chunk(0))
    shots.failures = 1
    shots.gate.clear()
    failing = asyncio.ensure_future(answered(decoder, chunk(1)))
    again = asyncio.ensure_future(answered(decoder, chunk(1)))
    await settle()
    shots.gate.set()
    with pytest.raises(Unavailable):
        await soon(failing)
    same(await soon(again), expected[1])


async def test_a_request_that_waits_owns_its_tensors(decoder, make, shots):
    expected = await whole(make(Shots()))
    shots.gate.clear()
    arrays = arrays_of(0)
    answer = asyncio.ensure_future(answered(decoder, chunk(0, arrays=arrays)))
    await settle()
    for array in arrays.values():  # Triton frees a request's memory when `execute` returns
        array.fill(b"sampled" if array.dtype == object else 0)
    shots.gate.set()
    same(await soon(answer), expected[0])


@pytest.mark.parametrize("ends", [False, True])
async def test_exact_without_the_model_is_rejected_in_one_sentence(make, tally, ends):
    decoder = make(Shots(), has_shot_model=False)
    decoder.answer(chunk(0, mode="refined"))
    request = chunk(2 if ends else 1)
    with pytest.raises(InvalidInput) as raised:
        await answered(decoder, request)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("SCENES is exact")
    assert len(decoder._videos) == (0 if ends else 1)
    if not ends:
        decoder.answer(chunk(1, mode="refined"))


@pytest.mark.parametrize("mode", ["refined", "exact"])
async def test_a_mode_without_its_view_is_rejected_in_one_sentence(decoder, mode):
    with pytest.raises(InvalidInput, match="needs frames of its own: request it from video_chunk"):
        await answered(decoder, chunk(0, mode=mode, with_view=False))
    with pytest.raises(InvalidInput, match="not open"):
        await answered(decoder, chunk(1))


async def test_turns_come_in_order_and_leave_nothing():
    turns, order = TurnsInFlight(), []
    request, other = (Request({}.get, correlation_id=name) for name in ("a", "b"))

    async def take(name, wanted, steps):
        async with turns.turn(wanted):
            order.append(name)
            for _ in range(steps):
                await asyncio.sleep(0)
            if name == "fails":
                raise Unavailable(FAILURE)

    assert not turns.is_busy(request)
    for wanted in (request, request, request, other):
        turns.add(wanted)
    assert turns.is_busy(request)
    done = await asyncio.gather(
        take("first", request, 9),
        take("fails", request, 3),
        take("third", request, 0),
        take("other", other, 0),
        return_exceptions=True,
    )
    assert order == ["first", "other", "fails", "third"]
    assert [type(result) for result in done] == [type(None), Unavailable, type(None), type(None)]
    assert not turns.is_busy(request)
    assert not turns._queues


def test_inner_and_outer_sequences_of_one_id_are_two():
    turns = TurnsInFlight()
    turns.add(Request({}.get, correlation_id=7))
    assert not turns.is_busy(Request({}.get, correlation_id=7, is_inner=True))
