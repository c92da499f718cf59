# SPDX-License-Identifier: Apache-2.0
"""The chat over HTTP and WebSocket: answers, events, sessions, owners, limits."""

import json
from contextlib import asynccontextmanager

import pytest
from starlette.testclient import TestClient, WebSocketDisconnect
from support.gateway import gateway_app, gateway_of, gateway_settings, stored_video
from support.talking import talker

from trireel_app.chat.limits import ChatLimits
from trireel_app.chat.sentences import NO_TEXT_MODEL, NOT_SEEN
from trireel_app.gateway import chat_desk
from trireel_app.gateway.access.keys import id_of

CITED = "[clip.mp4 00:05.500]"
SOCKET = "ws://127.0.0.1:8080/v1/chat/ws"
QUESTION = {"question": "When is red yard 1?"}


@pytest.fixture
def server():
    with talker() as running:
        running.text = lambda prompt: f"Here {CITED} and [clip.mp4 00:01.000] there."
        yield running


@asynccontextmanager
async def chatting(folder, server, **changes):
    """Run a gateway; Anna has a video that the tower knows, Ben another one."""
    async with gateway_app(folder, servers=(server.address,), **changes) as gateway:
        video = stored_video(gateway.parts, seed=0)
        foreign = stored_video(gateway.parts, "ben", "bens.mp4", seed=1)
        async with gateway.client() as client:
            yield gateway, client, video, foreign


async def test_an_answer_has_citations_and_a_session(tmp_path, server):
    async with chatting(tmp_path, server) as (_, client, video, _):
        first = (await client.post("/v1/chat", json=QUESTION)).json()
        server.text = lambda prompt: f"Later {CITED}."
        more = {"question": "And then?", "session": first["session"]}
        second = (await client.post("/v1/chat", json=more)).json()
        listed = (await client.get("/v1/chat/sessions")).json()["sessions"]
        shown = (await client.get(f"/v1/chat/sessions/{first['session']}")).json()
    assert first["answer"] == f"Here {CITED} and there."
    assert first["removed"] == ["[clip.mp4 00:01.000]"]
    assert (first["mode"], first["backend"]) == ("model", "words")
    (citation,) = first["citations"]
    assert (citation["video"], citation["at_seconds"], citation["text"]) == (video, 5.5, CITED)
    assert second["session"] == first["session"]
    assert b"Here" in server.prompts[1].inputs["HISTORY"][0]
    assert [each["title"] for each in listed] == [QUESTION["question"]]
    assert [turn["answer"] for turn in shown["turns"]] == [first["answer"], second["answer"]]
    assert shown["turns"][0]["citations"] == first["citations"]


async def test_events_are_the_answer_piece_by_piece(tmp_path, server):
    async with chatting(tmp_path, server) as (_, client, video, _):
        body = {**QUESTION, "video": video, "stream": True}
        answer = await client.post("/v1/chat", json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [
        (lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: ")))
        for lines in (block.split("\n") for block in answer.text.strip().split("\n\n"))
    ]
    names = [name for name, _ in events]
    assert (names[0], names[-1], set(names[1:-1])) == ("moments", "answer", {"piece"})
    (moment,) = events[0][1]["moments"]
    assert (moment["video"], moment["at_seconds"]) == (video, 5.5)
    assert moment["thumbnail"] == f"/v1/videos/{video}/scenes/1/thumbnail"
    whole = events[-1][1]
    assert "".join(data["text"] for name, data in events if name == "piece") == whole["answer"]
    assert whole["citations"][0]["text"] == CITED


async def test_only_the_callers_videos_are_seen(tmp_path, server):
    server.text = None
    async with chatting(tmp_path, server) as (gateway, client, _, foreign):
        blue = {"question": "When is blue yard 1?"}
        mine = (await client.post("/v1/chat", json=blue)).json()
        stolen = await client.post("/v1/chat", json={**blue, "video": foreign})
        async with gateway.client(gateway.other_key) as ben:
            bens = (await ben.post("/v1/chat", json=blue)).json()
            session = await ben.get(f"/v1/chat/sessions/{mine['session']}")
            joined = await ben.post("/v1/chat", json={**blue, "session": mine["session"]})
            removed = await ben.delete(f"/v1/chat/sessions/{mine['session']}")
    assert (mine["answer"], mine["citations"]) == (NOT_SEEN, [])
    assert stolen.status_code == 404
    assert bens["answer"].startswith(NO_TEXT_MODEL)
    assert bens["citations"][0]["video"] == foreign
    assert [each.status_code for each in (session, joined, removed)] == [404, 404, 404]


async def test_a_removed_video_takes_the_chat_about_it(tmp_path, server):
    async with chatting(tmp_path, server) as (_, client, video, _):
        session = (await client.post("/v1/chat", json=QUESTION)).json()["session"]
        assert (await client.delete(f"/v1/videos/{video}")).status_code == 204
        gone = await client.get(f"/v1/chat/sessions/{session}")
        after = (await client.post("/v1/chat", json=QUESTION)).json()
    assert gone.status_code == 404
    assert after["answer"] == NOT_SEEN


async def test_a_session_can_be_removed(tmp_path, server):
    async with chatting(tmp_path, server) as (_, client, _, _):
        session = (await client.post("/v1/chat", json=QUESTION)).json()["session"]
        assert (await client.delete(f"/v1/chat/sessions/{session}")).status_code == 204
        assert (await client.get("/v1/chat/sessions")).json() == {"sessions": []}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"question": ""}, 422),
        ({"question": "\0 \n"}, 422),
        ({"question": "x" * 3000}, 422),
        ({**QUESTION, "video": "nowhere"}, 404),
        ({**QUESTION, "session": "nowhere"}, 404),
        ({**QUESTION, "session": "nowhere", "stream": True}, 404),
    ],
)
async def test_a_wrong_question_has_a_status(tmp_path, server, body, status):
    async with chatting(tmp_path, server) as (_, client, _, _):
        answer = await client.post("/v1/chat", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["status"] == status


async def test_a_video_without_results_says_so(tmp_path, server):
    async with chatting(tmp_path, server) as (gateway, client, _, _):
        waiting = stored_video(gateway.parts, name="late.mp4", state="running")
        answer = await client.post("/v1/chat", json={**QUESTION, "video": waiting})
    assert answer.status_code == 409
    assert "'late.mp4' is not analysed" in answer.json()["error"]["message"]


async def test_the_scope_is_needed(tmp_path, server):
    async with chatting(tmp_path, server) as (gateway, _, _, _):
        key = gateway.parts.keys.create("anna", ("search",))
        async with gateway.client(key) as client:
            answers = [
                await client.post("/v1/chat", json=QUESTION),
                await client.get("/v1/chat/sessions"),
            ]
        async with gateway.client(None) as client:
            answers.append(await client.post("/v1/chat", json=QUESTION))
    assert [answer.status_code for answer in answers] == [403, 403, 401]


async def test_a_spent_session_and_a_full_desk_say_so(tmp_path, server, monkeypatch):
    limits = ChatLimits(session_tokens=3450)
    async with chatting(tmp_path, server, chat=limits) as (_, client, _, _):
        session = (await client.post("/v1/chat", json=QUESTION)).json()["session"]
        spent = await client.post("/v1/chat", json={**QUESTION, "session": session})
        monkeypatch.setattr(chat_desk, "OWNER_IN_FLIGHT", 0)
        full = await client.post("/v1/chat", json=QUESTION)
    assert (spent.status_code, full.status_code) == (429, 429)
    assert "begin another session" in spent.json()["error"]["message"]
    assert int(full.headers["retry-after"]) >= 1


async def test_a_lost_server_is_one_sentence(tmp_path, server):
    async with chatting(tmp_path, server) as (_, client, _, _):
        server.script.refusals += [RuntimeError("boom")] * 20
        answer = await client.post("/v1/chat", json=QUESTION)
    assert answer.status_code >= 500
    assert "Traceback" not in answer.text


def test_a_socket_answers_one_question_after_another(tmp_path, server):
    gateway = gateway_of(gateway_settings(tmp_path, servers=(server.address,)))
    headers = {"Authorization": f"Bearer {gateway.key}"}
    with TestClient(gateway.app, base_url="http://127.0.0.1:8080", headers=headers) as client:
        stored_video(gateway.parts, seed=0)
        with client.websocket_connect(SOCKET) as socket:
            for message in ("{", "x" * 20_000, json.dumps({**QUESTION, "session": "nowhere"})):
                socket.send_text(message)
                assert socket.receive_json()["event"] == "error"
            session = None
            for _ in range(2):
                socket.send_json({**QUESTION, "session": session})
                events = [socket.receive_json()]
                while events[-1]["event"] != "answer":
                    events.append(socket.receive_json())
                assert events[0]["event"] == "moments"
                assert CITED in events[-1]["data"]["answer"]
                session = events[-1]["data"]["session"]
        assert len(gateway.parts.chat.sessions.turns("anna", session)) == 2
        with client.websocket_connect(SOCKET) as socket:
            gateway.parts.keys.revoke(id_of(gateway.key))
            socket.send_json(QUESTION)
            with pytest.raises(WebSocketDisconnect) as ended:
                socket.receive_json()
            assert (ended.value.code, ended.value.reason) == (1008, "the key has ended")
