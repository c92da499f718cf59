# SPDX-License-Identifier: Apache-2.0
"""A description comes piece by piece, by both clients."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from unit.client.loopback import QUICK, Loopback
from unit.client.scripted import UNAVAILABLE, Asked, Tensors, bytes_of
from unit.client.test_async import in_loop

from trireel_client import (
    AsyncTrireelClient,
    ChatTurn,
    ClientBusy,
    DescribedPiece,
    InvalidRequest,
    ServerUnavailable,
    TrireelClient,
    UnexpectedAnswer,
    Unsupported,
)

WORDS = ["A person ", "in a kitchen", "."]
PIECES = [
    DescribedPiece("A person ", "tiny", 2, ""),
    DescribedPiece("in a kitchen", "tiny", 5, ""),
    DescribedPiece(".", "tiny", 6, "stop"),
]
PICTURE = np.zeros((4, 6, 3), np.uint8)


def tensors(piece: DescribedPiece) -> Tensors:
    return {
        "TEXT": bytes_of([piece.text]),
        "BACKEND": bytes_of([piece.backend]),
        "NUM_TOKENS": np.array([piece.num_tokens], np.int32),
        "FINISH": bytes_of([piece.finish]),
    }


def pieces(asked: Asked) -> Iterator[Tensors]:
    return map(tensors, PIECES)


@pytest.fixture
def describing(grpc_only: Loopback) -> Loopback:
    grpc_only.script.answers["describe"] = pieces
    return grpc_only


def test_pieces_come_in_order(describing: Loopback) -> None:
    with describing.client() as client:
        found = list(client.describe("describe", [PICTURE, PICTURE], max_tokens=9, seed=3))
    assert found == PIECES
    (asked,) = describing.script.asked_of("describe")
    assert asked.inputs["IMAGES"].shape == (2, 4, 6, 3)
    assert asked.inputs["PROMPT"].tolist() == [b"describe"]
    assert (asked.inputs["MAX_TOKENS"].tolist(), asked.inputs["SEED"].tolist()) == ([9], [3])
    assert asked.inputs.keys() == {"IMAGES", "PROMPT", "MAX_TOKENS", "SEED"}


def test_a_conversation_needs_no_pictures(describing: Loopback) -> None:
    turns = [ChatTurn("user", "Hi"), ChatTurn("assistant", "Ja, ö.")]
    with describing.client() as client:
        list(client.describe("And now?", system="Be brief.", history=turns, temperature=0))
    (asked,) = describing.script.asked_of("describe")
    assert asked.inputs.keys() == {"PROMPT", "SYSTEM", "HISTORY", "TEMPERATURE"}
    assert json.loads(asked.inputs["HISTORY"][0]) == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ja, ö."},
    ]


def test_the_same_from_an_event_loop(describing: Loopback) -> None:
    async def body(client: AsyncTrireelClient) -> None:
        assert [piece async for piece in client.describe("describe", [PICTURE])] == PIECES

    in_loop(describing, body)


@pytest.mark.parametrize(
    ("pictures", "sentence"),
    [
        ([PICTURE, PICTURE[:2]], "differ in size"),
        ([PICTURE.astype(np.float32)], "a picture is float32"),
        ([PICTURE[..., 0]], "give uint8"),
    ],
)
def test_pictures_are_checked(describing: Loopback, pictures, sentence: str) -> None:
    with describing.client() as client, pytest.raises(InvalidRequest, match=sentence):
        list(client.describe("describe", pictures))
    assert describing.script.asked == []


def test_no_backend_is_one_error(describing: Loopback) -> None:
    describing.script.refusals.append(UNAVAILABLE)
    with describing.client() as client, pytest.raises(ServerUnavailable):
        list(client.describe("describe"))


def test_an_odd_piece_is_told(describing: Loopback) -> None:
    describing.script.answers["describe"] = lambda asked: iter(
        [{**tensors(PIECES[0]), "TEXT": np.array([3], np.int32)}]
    )
    with describing.client() as client, pytest.raises(UnexpectedAnswer, match="TEXT"):
        list(client.describe("describe"))


def test_one_description_at_a_time(describing: Loopback) -> None:
    with describing.client() as client:
        first = client.describe("describe")
        next(first)
        with pytest.raises(ClientBusy):
            next(client.describe("describe"))
        first.close()


def test_http_has_no_descriptions() -> None:
    client = TrireelClient("127.0.0.1:1", protocol="http", retries=QUICK)
    with client, pytest.raises(Unsupported):
        next(client.describe("describe"))
