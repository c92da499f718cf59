# SPDX-License-Identifier: Apache-2.0
"""Servers with OpenAI's API, good and bad ones, behind the dispatcher that tries them in order."""

import asyncio
import base64
import io

import numpy as np
import pytest
from PIL import Image
from support.chat_server import chat_server
from support.ports import free_ports

from trireel_backend.describing.configuration import BackendConfig
from trireel_backend.describing.dispatch import Dispatcher
from trireel_backend.describing.openai_backend import OpenAIBackend
from trireel_backend.describing.question import Question, Turn
from trireel_backend.errors import Unavailable

PICTURE = np.full((1, 9, 16, 3), 90, np.uint8)


def config(url, name="first", **values):
    return BackendConfig(name=name, kind="openai", model="m", url=url, **values)


@pytest.fixture
def good():
    with chat_server() as server:
        yield server


def ask(configs, question=None, times=1):
    """Return the answers of some questions in turn: backend and text, or the error's sentence."""

    async def all_answers():
        dispatcher = Dispatcher([OpenAIBackend(each) for each in configs])
        answers = []
        for _ in range(times):
            try:
                pieces = [piece async for piece in dispatcher.answer(question or Question("What?"))]
            except Unavailable as error:
                answers.append(("", str(error)))
            else:
                text = "".join(each.piece.text for each in pieces)
                answers.append((pieces[-1].backend, text))
        await dispatcher.close()
        return answers

    return asyncio.run(all_answers())


def test_an_answer_comes_in_pieces(good):
    async def pieces():
        backend = OpenAIBackend(config(good.url))
        found = [piece async for piece in backend.pieces(Question("What?"))]
        await backend.close()
        return found

    found = asyncio.run(pieces())
    assert [piece.text for piece in found] == ["a ", "person ", "cooking", ""]
    assert [piece.finish for piece in found] == ["", "", "", "stop"]
    assert found[-1].num_tokens == 7  # as the server counts


def test_the_request_holds_everything(good, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "abc")
    question = Question(
        "And now?",
        PICTURE,
        system="Be brief.",
        history=(Turn("user", "Hi"), Turn("assistant", "Hello")),
        max_tokens=9,
        temperature=0.5,
        seed=3,
    )
    ask([config(good.url, key_env="SOME_KEY")], question)
    (body,) = good.bodies
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("m", 9, 0.5)
    assert (body["seed"], body["stream"]) == (3, True)
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    picture, text = body["messages"][-1]["content"]
    assert text == {"type": "text", "text": "And now?"}
    data = base64.b64decode(picture["image_url"]["url"].removeprefix("data:image/jpeg;base64,"))
    assert Image.open(io.BytesIO(data)).size == (16, 9)
    assert good.keys == ["Bearer abc"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("slow", "did not answer within 0.3 s"),
        ("nonsense", "answers in another form"),
        ("whole", "answers in another form"),
        ("empty", "an empty answer"),
        ("broken", "HTTP status 500: no such thing"),
        ("busy", "HTTP status 429"),
        ("rejects", "HTTP status 400"),
    ],
)
def test_the_next_backend_answers_for_a_bad_one(good, behaviour, reason):
    with chat_server(behaviour) as bad:
        first = config(bad.url, first_seconds=0.3)
        (answer,) = ask([first, config(good.url, "second")])
        assert answer == ("second", "a person cooking")
        ((_, sentence),) = ask([first])
    assert sentence.startswith("no backend answers now: backend first ")
    assert reason in sentence


def test_the_next_backend_answers_for_one_that_is_gone(good):
    gone = config(f"http://127.0.0.1:{free_ports().http}/v1")
    assert ask([gone, config(good.url, "second")]) == [("second", "a person cooking")]


@pytest.mark.parametrize("behaviour", ["cut", "stalls", "endless"])
def test_half_an_answer_is_not_continued_by_another(good, behaviour):
    with chat_server(behaviour) as bad:
        ((_, sentence),) = ask([config(bad.url, seconds=0.5), config(good.url, "second")])
    assert "in the middle of its answer" in sentence
    assert good.bodies == []


def test_a_backend_is_left_out_after_failures(good):
    with chat_server("broken") as bad:
        first = config(bad.url, failures=2)
        answers = ask([first, config(good.url, "second")], times=4)
        assert {name for name, _ in answers} == {"second"}
        assert len(bad.bodies) == 2


def test_a_busy_backend_gets_the_rest_that_it_states(good):
    with chat_server("busy") as bad:
        ask([config(bad.url), config(good.url, "second")], times=3)
        assert len(bad.bodies) == 1


def test_a_rejected_question_does_not_blame_the_backend(good):
    with chat_server("rejects") as bad:
        ask([config(bad.url, failures=1), config(good.url, "second")], times=3)
        assert len(bad.bodies) == 3


def test_a_backend_out_of_tokens_is_passed_over(good):
    with chat_server() as cheap:
        first = config(cheap.url, tokens_per_minute=200)
        question = Question("What?", max_tokens=150)
        answers = ask([first, config(good.url, "second", tokens_per_minute=1)], question, times=2)
        # The first answer took seven tokens of the 150, so the second question fits as well.
        assert [name for name, _ in answers] == ["first", "first"]
        ((_, sentence),) = ask([config(good.url, tokens_per_minute=1)], question)
    assert "has used up its tokens of this minute" in sentence


def test_pictures_go_to_a_backend_that_sees(good):
    with chat_server() as other:
        blind = config(other.url, sees=False)
        ((name, _),) = ask([blind, config(good.url, "second")], Question("What?", PICTURE))
        assert name == "second"
        ((_, sentence),) = ask([blind], Question("What?", PICTURE))
    assert sentence == ("no backend of this server takes pictures: add one to its file of backends")
