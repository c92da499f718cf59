# SPDX-License-Identifier: Apache-2.0
"""A lost sequence goes on from the last returned state with the chunk that has no answer."""

import pytest
from unit.client.either import Either, indices
from unit.client.loopback import QUICK
from unit.client.scripted import (
    INVALID,
    NO_START,
    UNAVAILABLE,
    Refused,
    state_after,
    stepped_chunk,
)

from trireel_client import InvalidRequest, SequenceLost, ServerUnavailable

from .test_lost_sequences import refusing, turns

FOREIGN = Refused("INVALID_ARGUMENT", 400, "START_STATE is of another checkpoint: begin again")
LARGE = Refused("INVALID_ARGUMENT", 400, "has 99 bytes: send the chunk without RETURN_STATE")
UNKNOWN = Refused(
    "INVALID_ARGUMENT",
    400,
    "[request id: x] unexpected inference input 'RETURN_STATE' for model 'video_chunk'",
)


def states(either: Either) -> list[tuple[bytes | None, bool]]:
    """Return the state that each chunk's request brings, and whether it wants one."""
    return [
        (
            asked.inputs["START_STATE"].tobytes() if "START_STATE" in asked.inputs else None,
            "RETURN_STATE" in asked.inputs,
        )
        for asked in either.script.asked_of("video_chunk")
    ]


def test_a_video_that_is_not_lost_keeps_one_sequence(stepping: Either) -> None:
    chunks = stepping.all("step")
    assert indices(chunks) == [0, 1, 2]
    assert states(stepping) == [(None, True), (None, True), (None, False)]
    assert [chunk.state for chunk in chunks] == [state_after(0), state_after(1), None]


@pytest.mark.parametrize("refusal", [UNAVAILABLE, NO_START], ids=["unavailable", "no start"])
@pytest.mark.parametrize("lost_at", [1, 2])
def test_a_lost_chunk_is_sent_again_with_the_last_state(
    stepping: Either, refusal: Exception, lost_at: int
) -> None:
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {lost_at: refusal})
    assert indices(stepping.all("step")) == [0, 1, 2]
    requests = turns(stepping)
    assert len(requests) == 4
    assert requests[lost_at + 1] == ("sequence 1", True, lost_at == 2)
    assert states(stepping)[lost_at + 1] == (state_after(lost_at - 1), lost_at == 1)
    assert sum(state is not None for state, _ in states(stepping)) == 1
    # What is open on a server that may still be there is ended.
    assert turns(stepping, "temporal_decoder") == [("sequence 0", False, True)]


def test_the_first_chunk_is_sent_again_with_start_alone(stepping: Either) -> None:
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {0: UNAVAILABLE})
    assert indices(stepping.all("step", sequence_id="cam")) == [0, 1, 2]
    assert [start for _, start, _ in turns(stepping)] == [True, True, False, False]
    assert {state for state, _ in states(stepping)} == {None}


def test_an_id_of_the_callers_is_kept(stepping: Either) -> None:
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {1: UNAVAILABLE, 3: NO_START})
    assert indices(stepping.all("step", sequence_id="cam")) == [0, 1, 2]
    ids = {asked.parameters["sequence_id"] for asked in stepping.script.asked_of("video_chunk")}
    assert ids == {"cam"}
    assert [start for _, start, _ in turns(stepping)] == [True, False, True, False, True]


def test_a_server_that_stays_away_is_reported(stepping: Either) -> None:
    refusals = dict.fromkeys(range(1, 99), UNAVAILABLE)
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, refusals)
    with pytest.raises(ServerUnavailable, match="queue is full"):
        stepping.all("step")
    assert len(turns(stepping)) == 1 + QUICK.attempts


@pytest.mark.parametrize("sequence_id", [None, "cam"])
def test_a_state_that_is_refused_costs_the_chunks_so_far(stepping: Either, sequence_id) -> None:
    refusals = {2: UNAVAILABLE, 3: FOREIGN}
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, refusals)
    assert indices(stepping.all("step", sequence_id=sequence_id)) == [0, 1, 2]
    brought = [state for state, _ in states(stepping)]
    assert brought == [None, None, None, state_after(1), None, None, None]
    assert [start for _, start, _ in turns(stepping)][3:] == [True, True, False, False]


def test_a_server_that_returns_no_states_is_asked_without(stepping: Either) -> None:
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {0: UNKNOWN, 2: UNAVAILABLE})
    assert indices(stepping.all("step")) == [0, 1, 2]
    assert [wants for _, wants in states(stepping)] == [True] + [False] * 5
    assert [start for _, start, _ in turns(stepping)] == [True, True, False, True, False, False]
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {0: UNKNOWN, 2: UNAVAILABLE})
    with pytest.raises(SequenceLost, match="'cam' is lost at chunk 1"):
        stepping.all("step", sequence_id="cam")


@pytest.mark.parametrize("sequence_id", [None, "cam"])
def test_a_state_that_is_too_large_is_done_without(stepping: Either, sequence_id) -> None:
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {1: LARGE, 3: UNAVAILABLE})
    assert indices(stepping.all("step", sequence_id=sequence_id)) == [0, 1, 2]
    wanted = [(None, True), (None, True), (None, False), (None, False)]
    assert states(stepping) == [*wanted, (state_after(0), False), (None, False)]
    assert [start for _, start, _ in turns(stepping)] == [True, False, False, False, True, False]


def test_a_walk_goes_on_from_another_ones_state(stepping: Either) -> None:
    (first,) = stepping.some("step", 1)
    assert indices(stepping.all("step", start_state=first.state, first_chunk=1)) == [1, 2]
    assert states(stepping)[1:] == [(state_after(0), True), (None, False)]
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {0: UNAVAILABLE, 2: NO_START})
    assert indices(stepping.all("step", start_state=first.state, first_chunk=1)) == [1, 2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start_state": b"a"}, "first_chunk is 0 and start_state is there: give both"),
        ({"first_chunk": 1}, "first_chunk is 1 and start_state is missing: give both"),
        ({"start_state": b"a", "first_chunk": 3}, "first_chunk is 3: the video has 3 chunks"),
    ],
)
def test_a_start_that_cannot_be(stepping: Either, options, message) -> None:
    with pytest.raises(InvalidRequest, match=message):
        stepping.all("step", **options)


def test_the_state_of_another_checkpoint_is_reported(stepping: Either) -> None:
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {0: FOREIGN, 1: INVALID})
    with pytest.raises(InvalidRequest, match="of another checkpoint"):
        stepping.all("step", start_state=b"a", first_chunk=1)
