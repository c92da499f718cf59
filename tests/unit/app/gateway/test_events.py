# SPDX-License-Identifier: Apache-2.0
"""Events by SSE and WebSocket, before a real server: order, resumption, owners, slow listeners."""

import asyncio
import json
from contextlib import ExitStack

import pytest
from support.gateway import gateway_app, gateway_settings, served
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from trireel_app.gateway import live
from trireel_app.gateway.settings import Limits
from trireel_app.jobs.events import EventKind, NewEvent
from trireel_app.jobs.uploads import UploadRow, UploadState, new_id

WAIT_SECONDS = 20


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    settings = gateway_settings(
        tmp_path_factory.mktemp("events"), limits=Limits(requests_per_minute=100_000)
    )
    with served(settings) as place:
        yield place


def new_video(place, owner="anna", state=UploadState.DONE, at: float = 1.0) -> UploadRow:
    row = UploadRow(id=new_id(), owner=owner, name="a", uri="s3://a/b", state=state, created_at=at)
    place.gateway.parts.uploads.add(row)
    return row


def tell(place, video: UploadRow, *seconds: float) -> None:
    events = [NewEvent(video.id, video.owner, EventKind.SCENE, {"seconds": s}) for s in seconds]
    place.gateway.parts.intake.jobs.events.add(events)


def frames(lines):
    """Yield the events of a stream as (id, name, values)."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line and fields:
            yield fields.get("id"), fields.get("event"), json.loads(fields["data"])
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


def listen(place, stack: ExitStack, path: str, **headers: str):
    client = stack.enter_context(place.client())
    answer = stack.enter_context(client.stream("GET", path, headers=headers))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    return frames(answer.iter_lines())


def test_a_listener_gets_what_was_and_what_comes(place):
    video = new_video(place)
    tell(place, video, 1.0, 2.0)
    with ExitStack() as stack:
        events = listen(place, stack, f"/v1/videos/{video.id}/events")
        first, second = next(events), next(events)
        assert [event[2]["data"]["seconds"] for event in (first, second)] == [1.0, 2.0]
        tell(place, video, 3.0)
        number, name, values = next(events)
        assert (name, values["data"], values["video"]) == ("scene", {"seconds": 3.0}, video.id)
        assert values["id"] == int(number) > int(second[0])
        assert values["at"].endswith("Z")


def test_a_listener_goes_on_after_its_last_event(place):
    video = new_video(place)
    tell(place, video, *range(5))
    with ExitStack() as stack:
        path = f"/v1/videos/{video.id}/events"
        last = [next(each) for each in [listen(place, stack, path)] for _ in range(3)][-1][0]
        by_header = listen(place, stack, path, **{"Last-Event-ID": last})
        by_query = listen(place, stack, f"{path}?after={last}")
        for events in (by_header, by_query):
            assert [next(events)[2]["data"]["seconds"] for _ in range(2)] == [3, 4]
    with place.client() as client:
        headers = {"Last-Event-ID": "nothing"}
        assert client.get(path, headers=headers).status_code == 422


def test_an_owner_hears_of_own_videos_alone(place):
    ours, theirs = new_video(place), new_video(place, "ben")
    with ExitStack() as stack:
        newest = place.gateway.parts.intake.jobs.events.newest()
        events = listen(place, stack, f"/v1/events?after={newest}")
        tell(place, theirs, 1.0)
        tell(place, ours, 2.0)
        assert next(events)[2]["data"] == {"seconds": 2.0}
    with place.client() as client:
        assert client.get(f"/v1/videos/{theirs.id}/events").status_code == 404
    with place.client(None) as nobody:
        assert nobody.get("/v1/events").status_code == 401


def test_a_socket_gets_the_same_events(place):
    video = new_video(place)
    tell(place, video, 1.0)
    url = f"{place.url.replace('http', 'ws')}/v1/videos/{video.id}/ws"
    headers = {"Authorization": f"Bearer {place.gateway.key}"}
    with connect(url, additional_headers=headers) as socket:
        first = json.loads(socket.recv(WAIT_SECONDS))
        assert first["data"] == {"seconds": 1.0}
        tell(place, video, 2.0)
        assert json.loads(socket.recv(WAIT_SECONDS))["data"] == {"seconds": 2.0}
    with connect(f"{url}?after={first['id']}", additional_headers=headers) as socket:
        assert json.loads(socket.recv(WAIT_SECONDS))["data"] == {"seconds": 2.0}
    with pytest.raises(InvalidStatus) as failure, connect(url):
        pass
    assert failure.value.response.status_code == 401


def test_waiting_videos_are_told_their_places(place):
    first, second = (new_video(place, state=UploadState.QUEUED, at=at) for at in (1.0, 2.0))
    with ExitStack() as stack:
        events = listen(place, stack, f"/v1/videos/{second.id}/events")
        number, name, values = next(events)
        assert (number, name) == (None, "progress")
        behind = values["data"]["queue_place"]
        assert behind >= 2
        with place.client() as client:
            progress = client.get(f"/v1/videos/{second.id}").json()["progress"]
        assert progress["queue_place"] == behind
        place.gateway.parts.uploads.change(first.id, {"state": UploadState.DONE})
        assert next(events)[2]["data"]["queue_place"] == behind - 1


def test_the_gateway_stops_while_listeners_are_there(tmp_path):
    with ExitStack() as stack, served(gateway_settings(tmp_path)) as place:
        events = listen(place, stack, "/v1/events?after=0")
        place.gateway.parts.publisher.close()
        assert list(events) == []


async def test_a_slow_listener_is_dropped_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(live, "QUEUE_LENGTH", 4)
    async with gateway_app(tmp_path) as gateway:
        publisher, log = gateway.parts.publisher, gateway.parts.intake.jobs.events
        slow = publisher.follow("anna", "v", 0)
        quick = publisher.follow("anna", "v", 0)
        log.add([NewEvent("v", "anna", EventKind.SCENE, {"n": 0})])
        await asyncio.gather(anext(slow), anext(quick))
        heard = asyncio.ensure_future(_numbers(quick, 20))
        for n in range(1, 21):
            log.add([NewEvent("v", "anna", EventKind.SCENE, {"n": n})])
            if n % 4 == 0:
                await asyncio.sleep(2 * live.POLL_SECONDS)
        assert await heard == list(range(1, 21))
        kept = [message async for batch in slow for message in batch if message.id]  # it ends
        assert 0 < len(kept) < 20
        again = publisher.follow("anna", "v", kept[-1].id)
        assert await _numbers(again, 20 - len(kept)) == list(range(len(kept) + 1, 21))
        for each in (slow, quick, again):
            await each.aclose()
        assert publisher.num_listeners == 0


async def _numbers(batches, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        messages = [each for each in await anext(batches) if each.id]
        found += [json.loads(message.text)["data"]["n"] for message in messages]
    return found


async def test_videos_of_a_killed_worker_wait_again(tmp_path):
    async with gateway_app(tmp_path) as gateway:
        uploads = gateway.parts.uploads
        lost, well = (
            UploadRow(id=new_id(), owner="anna", name="", uri="", state="running", created_at=1.0)
            for _ in range(2)
        )
        for row, at in ((lost, 1.0), (well, 1e12)):
            uploads.add(row)
            uploads.change(row.id, {"progress": json.dumps({"stage": "analyse", "at": at})})
        uploads.requeue_lost()
        assert uploads.get(lost.id).state is UploadState.QUEUED
        assert uploads.get(well.id).state is UploadState.RUNNING
