# SPDX-License-Identifier: Apache-2.0
"""The chat for programs that speak OpenAI's API."""

import json
from contextlib import asynccontextmanager

import pytest
from support.gateway import gateway_app, stored_video
from support.talking import talker

from trireel_app.chat.sentences import NOT_SEEN

CITED = "[clip.mp4 00:05.500]"
PATH = "/v1/chat/completions"
QUESTION = {"role": "user", "content": "When is red yard 1?"}
ERROR_FIELDS = {"message", "type", "param", "code"}


@pytest.fixture
def server():
    with talker() as running:
        running.text = lambda prompt: f"Here {CITED} it is."
        yield running


@asynccontextmanager
async def chatting(folder, server):
    async with gateway_app(folder, servers=(server.address,)) as gateway:
        video = stored_video(gateway.parts, seed=0)
        async with gateway.client() as client:
            yield gateway, client, video


async def test_a_completion_has_openais_shape(tmp_path, server):
    async with chatting(tmp_path, server) as (gateway, client, video):
        body = {"model": "gpt-x", "messages": [QUESTION], "temperature": 0.3, "seed": 1}
        answer = await client.post(PATH, json=body)
        sessions = gateway.parts.chat.sessions.page("anna")
    assert answer.status_code == 200, answer.text
    whole = answer.json()
    assert (whole["object"], whole["model"]) == ("chat.completion", "trireel")
    (choice,) = whole["choices"]
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"] == f"Here {CITED} it is."
    assert choice["finish_reason"] == "stop"
    usage = whole["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 100
    assert whole["trireel"]["citations"][0]["video"] == video
    assert sessions == []


async def test_a_stream_ends_with_done(tmp_path, server):
    async with chatting(tmp_path, server) as (_, client, _):
        body = {
            "messages": [QUESTION],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        answer = await client.post(PATH, json=body)
    lines = answer.text.strip().split("\n\n")
    assert lines[-1] == "data: [DONE]"
    *chunks, usage = (json.loads(line.removeprefix("data: ")) for line in lines[:-1])
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0]["role"] == "assistant"
    assert "".join(delta.get("content", "") for delta in deltas) == f"Here {CITED} it is."
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["trireel"]["citations"][0]["text"] == CITED
    assert (usage["choices"], usage["usage"]["completion_tokens"] > 0) == ([], True)


async def test_parts_name_videos_and_roles_are_kept(tmp_path, server):
    async with chatting(tmp_path, server) as (gateway, client, video):
        other = stored_video(gateway.parts, name="other.mp4", seed=1)
        parts = [{"type": "video", "video": other}, {"type": "text", "text": "When is red yard 1?"}]
        elsewhere = await client.post(PATH, json={"messages": [{**QUESTION, "content": parts}]})
        messages = [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "video", "video": video}]},
            {"role": "assistant", "content": "Which moment?"},
            QUESTION,
        ]
        found = await client.post(PATH, json={"messages": messages})
    assert elsewhere.json()["choices"][0]["message"]["content"] == NOT_SEEN
    assert CITED in found.json()["choices"][0]["message"]["content"]
    request = server.prompts[-1].inputs
    assert "The reader's wishes: Be brief." in request["PROMPT"][0].decode()
    history = json.loads(request["HISTORY"][0])
    assert history[-1] == {"role": "assistant", "content": "Which moment?"}


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({}, 422, "invalid_request_error"),
        ({"messages": []}, 422, "invalid_request_error"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, 422, "invalid_request_error"),
        ({"messages": [{"role": "user", "content": " "}]}, 422, "invalid_request_error"),
        ({"messages": [QUESTION], "n": 2}, 422, "invalid_request_error"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            422,
            "invalid_request_error",
        ),
        ({"messages": [{"role": "user", "content": "x" * 3000}]}, 413, "invalid_request_error"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "video", "video": "5f0e3c9ab1d2e4f60718"}],
                    },
                    QUESTION,
                ],
                "stream": True,
            },
            404,
            "not_found_error",
        ),
    ],
)
async def test_errors_have_openais_shape(tmp_path, server, body, status, kind):
    async with chatting(tmp_path, server) as (_, client, _):
        answer = await client.post(PATH, json=body)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == ERROR_FIELDS
    assert error["type"] == kind


async def test_keys_and_scopes_hold(tmp_path, server):
    async with chatting(tmp_path, server) as (gateway, client, _):
        models = await client.get("/v1/models")
        key = gateway.parts.keys.create("anna", ("search",))
        async with gateway.client(key) as narrow, gateway.client(None) as nobody:
            answers = [
                await narrow.post(PATH, json={"messages": [QUESTION]}),
                await nobody.post(PATH, json={"messages": [QUESTION]}),
                await nobody.get("/v1/models"),
            ]
    assert [model["id"] for model in models.json()["data"]] == ["trireel"]
    assert [answer.status_code for answer in answers] == [403, 401, 401]
    types = [answer.json()["error"]["type"] for answer in answers]
    assert types == ["permission_error", "authentication_error", "authentication_error"]


async def test_a_server_that_is_lost_has_a_status(tmp_path, server):
    async with chatting(tmp_path, server) as (_, client, _):
        server.script.refusals += [RuntimeError("boom")] * 20
        answer = await client.post(PATH, json={"messages": [QUESTION], "stream": True})
    assert answer.status_code >= 500
    assert answer.json()["error"]["type"] == "server_error"
