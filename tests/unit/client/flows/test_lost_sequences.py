# SPDX-License-Identifier: Apache-2.0
"""Without returned states, a lost sequence begins anew under another name."""

from collections.abc import Callable
from urllib.parse import unquote

import pytest
from unit.client.either import VIDEO, Either, indices
from unit.client.loopback import QUICK, Loopback
from unit.client.scripted import (
    INVALID,
    NO_START,
    UNAVAILABLE,
    Asked,
    plan,
    stepped_chunk,
)

from trireel_client import InvalidRequest, SequenceLost, ServerUnavailable


def refusing(answer: Callable[[Asked], object], refusals: dict[int, Exception]):
    """Answer, but for the requests of these numbers."""
    count = iter(range(10**6))

    def refused(asked: Asked):
        number = next(count)
        if number in refusals:
            raise refusals[number]
        return answer(asked)

    return refused


def turns(either: Either, model: str = "video_chunk") -> list[tuple[str, bool, bool]]:
    """Return the sequence's number in order of appearance, START and END of each request."""
    ids = list(dict.fromkeys(a.parameters["sequence_id"] for a in either.script.asked if a.model
                             in ("video_chunk", "temporal_decoder")))  # fmt: skip
    return [
        (
            f"sequence {ids.index(asked.parameters['sequence_id'])}",
            asked.parameters["sequence_start"],
            asked.parameters["sequence_end"],
        )
        for asked in either.script.asked_of(model)
    ]


@pytest.mark.parametrize("refusal", [UNAVAILABLE, NO_START], ids=["unavailable", "no start"])
def test_a_lost_sequence_begins_anew_under_another_name(
    stepping: Either, refusal: Exception
) -> None:
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {2: refusal})
    chunks = stepping.all("step", resume=False)
    assert indices(chunks) == [0, 1, 2]
    assert chunks[-1].is_last
    assert turns(stepping) == [
        ("sequence 0", True, False),
        ("sequence 0", False, False),
        ("sequence 0", False, True),  # refused, and never asked again
        ("sequence 1", True, False),
        ("sequence 1", False, False),
        ("sequence 1", False, True),
    ]
    # What is open on a server that may still be there is ended.
    assert turns(stepping, "temporal_decoder") == [("sequence 0", False, True)]


def test_lost_again_on_the_way_back(stepping: Either) -> None:
    refusals = {2: UNAVAILABLE, 4: NO_START}
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, refusals)
    assert indices(stepping.all("step", resume=False)) == [0, 1, 2]
    assert [name for name, start, _ in turns(stepping) if start] == [
        "sequence 0",
        "sequence 1",
        "sequence 2",
    ]


def test_a_sequence_lost_for_good(stepping: Either) -> None:
    refusals = dict.fromkeys(range(1, 99), UNAVAILABLE)
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, refusals)
    with pytest.raises(ServerUnavailable, match="queue is full"):
        stepping.all("step", resume=False)
    assert len(turns(stepping)) == 1 + QUICK.attempts


def test_state_of_another_sequence_is_not_taken_for_this_ones(stepping: Either) -> None:
    def one_too_far(asked: Asked):
        later = {**asked.inputs, "START_SECONDS": asked.inputs["START_SECONDS"] + 10}
        return stepped_chunk(Asked("", later, [], "", {}, {}))

    count = iter(range(99))
    stepping.script.answers["video_chunk"] = lambda asked: (
        one_too_far(asked) if next(count) == 1 else stepped_chunk(asked)
    )
    assert indices(stepping.all("step", resume=False)) == [0, 1, 2]
    assert [start for _, start, _ in turns(stepping)] == [True, False, True, False, False]


def test_a_sequence_of_the_callers_name_is_not_begun_anew(stepping: Either) -> None:
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {1: UNAVAILABLE})
    with pytest.raises(SequenceLost, match=r"'cam' is lost at chunk 1 .*another sequence_id"):
        stepping.all("step", sequence_id="cam", resume=False)
    assert len(turns(stepping)) == 2
    assert turns(stepping, "temporal_decoder") == [("sequence 0", False, True)]
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {1: NO_START})
    with pytest.raises(SequenceLost, match="does not know the sequence"):
        stepping.all("step", sequence_id="cam", resume=False)
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {0: UNAVAILABLE})
    with pytest.raises(ServerUnavailable, match="queue is full") as raised:
        stepping.all("step", sequence_id="cam", resume=False)
    assert not isinstance(raised.value, SequenceLost)  # there was nothing to lose


def test_a_chunk_refused_for_good_ends_the_sequence(stepping: Either) -> None:
    stepping.script.answers["video_chunk"] = refusing(stepped_chunk, {1: INVALID})
    with pytest.raises(InvalidRequest, match="TOP_K is 0"):
        stepping.all("step", resume=False)
    assert len(turns(stepping)) == 2
    assert turns(stepping, "temporal_decoder") == [("sequence 0", False, True)]


def test_all_requests_of_a_sequence_name_it_to_balancers(stepping: Either) -> None:
    name = "Küche 1/2, 50%"
    (first,) = stepping.some("step", 1, sequence_id=name)
    assert first.index == 0
    sequence = [*stepping.script.asked_of("video_chunk"),
                *stepping.script.asked_of("temporal_decoder")]  # fmt: skip
    assert len(sequence) == 2
    for asked in sequence:
        assert asked.headers["trireel-sequence"].isascii()
        assert unquote(asked.headers["trireel-sequence"]) == name
        assert asked.parameters["sequence_id"] == name
    (look,) = stepping.script.asked_of("frame_extractor")
    assert "trireel-sequence" not in look.headers
    stepping.some("step", 1, sequence_id=7)
    assert stepping.script.asked[-1].headers["trireel-sequence"] == "7"


def test_no_header_of_the_callers_hides_the_sequence(server: Loopback) -> None:
    server.script.answers.update(frame_extractor=lambda asked: plan(1), video_chunk=stepped_chunk)
    with server.client(headers={"Trireel-Sequence": "mine", "X-Team": "a"}) as client:
        assert len(list(client.step(VIDEO, sequence_id="yours"))) == 1
    (asked,) = server.script.asked_of("video_chunk")
    assert asked.headers["trireel-sequence"] == "yours"
    assert asked.headers["x-team"] == "a"
