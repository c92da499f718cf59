# SPDX-License-Identifier: Apache-2.0
"""Events of videos for listeners: one look at the database serves all of them.

Each listener has a queue of bounded length. A listener that does not read it in time is dropped; it
comes back with the number of its last event, and gets what it missed from the database.
"""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from trireel_app.errors import AppError
from trireel_app.gateway.video_json import time_text
from trireel_app.jobs.events import MOST_EVENTS, Event, EventKind, EventLog
from trireel_app.jobs.uploads import Uploads

LOGGER = logging.getLogger("trireel.gateway")
POLL_SECONDS = 0.25
PLACES_SECONDS = 2.0
TROUBLE_SECONDS = 2.0
PING_SECONDS = 15.0
"""Proxies close connections that are silent for long."""
QUEUE_LENGTH = 512


@dataclass(frozen=True)
class Message:
    """An event as listeners get it, made once for all of them."""

    id: int
    """Number of the event; 0 for a queue place, which is not kept."""
    video_id: str
    """Id of the video."""
    owner: str
    """Owner of the video."""
    text: str
    """The event as JSON."""
    sse: bytes
    """The event for listeners of SSE."""


PING = Message(0, "", "", "", KEEPALIVE_COMMENT)


@dataclass(eq=False)
class Listener:
    """One connection that waits for events."""

    queue: asyncio.Queue[Message | None] = field(
        default_factory=lambda: asyncio.Queue(QUEUE_LENGTH)
    )
    """Events that it has not read; None ends it."""
    is_dropped: bool = False
    """True if it did not read its events in time."""

    def put(self, message: Message) -> None:
        """Give it an event, or drop it if its queue is full."""
        if self.is_dropped:
            return
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.is_dropped = True


class Publisher:
    """Reads new events, and gives each to its listeners; belongs to one event loop."""

    def __init__(self, log: EventLog, uploads: Uploads) -> None:
        self._log = log
        self._uploads = uploads
        self._of_video: defaultdict[str, set[Listener]] = defaultdict(set)
        self._of_owner: defaultdict[str, set[Listener]] = defaultdict(set)
        self._is_closed = False
        self.places: dict[str, int] = {}
        """Place in the queue of each video that waits, from 1."""
        self._told: dict[str, int] = {}

    @property
    def num_listeners(self) -> int:
        """Number of connections that wait for events."""
        return sum(map(len, [*self._of_video.values(), *self._of_owner.values()]))

    async def run(self) -> None:
        """Publish events until the task is cancelled."""
        loop = asyncio.get_running_loop()
        last: int | None = None
        look_at, ping_at = 0.0, loop.time()
        while True:
            try:
                if last is None:
                    last = await asyncio.to_thread(self._log.newest)
                last = await self._publish(last)
                if loop.time() >= look_at:
                    look_at = loop.time() + PLACES_SECONDS
                    await self._publish_places()
                if loop.time() >= ping_at:
                    ping_at = loop.time() + PING_SECONDS
                    self._ping()
                await asyncio.sleep(POLL_SECONDS)
            except AppError as error:
                LOGGER.warning("events cannot be read now: %s", error)
                await asyncio.sleep(TROUBLE_SECONDS)

    def close(self) -> None:
        """End all listeners, as before the gateway stops."""
        self._is_closed = True
        for listeners in [*self._of_video.values(), *self._of_owner.values()]:
            for listener in listeners:
                listener.is_dropped = True
                _wake(listener)

    async def follow(
        self, owner: str, video_id: str | None, after: int | None
    ) -> AsyncGenerator[list[Message], None]:
        """Yield events as they come, until the listener is dropped or the gateway stops.

        Those that are there already come together.

        Args:
            owner: owner of the videos.
            video_id: the one video to follow; None for all of the owner.
            after: number of the last event that the listener has; None for new events alone.
        """
        last = after or 0
        with self._listening(owner, video_id) as listener:
            # It listens already, so no event falls between what is kept and what comes.
            while after is not None:
                kept = await asyncio.to_thread(
                    self._log.after, last, video_id=video_id, owner=owner
                )
                if kept:
                    yield list(map(message_of, kept))
                    last = kept[-1].id
                if len(kept) < MOST_EVENTS:
                    break
            while not (listener.is_dropped and listener.queue.empty()):
                messages = [await listener.queue.get()]
                while not listener.queue.empty():
                    messages.append(listener.queue.get_nowait())
                new = [each for each in messages if each and (each.id > last or each.id == 0)]
                if new:
                    yield new

    @contextmanager
    def _listening(self, owner: str, video_id: str | None) -> Iterator[Listener]:
        listener = Listener(is_dropped=self._is_closed)
        index, key = (self._of_owner, owner) if video_id is None else (self._of_video, video_id)
        index[key].add(listener)
        try:
            yield listener
        finally:
            index[key].discard(listener)
            if not index[key]:
                del index[key]

    async def _publish(self, last: int) -> int:
        while events := await asyncio.to_thread(self._log.after, last):
            for event in events:
                self._give(message_of(event))
            last = events[-1].id
            if len(events) < MOST_EVENTS:
                break
        return last

    async def _publish_places(self) -> None:
        waiting = await asyncio.to_thread(self._uploads.waiting)
        self.places = {video_id: place for place, (video_id, _) in enumerate(waiting, 1)}
        for video_id, owner in waiting:
            place = self.places[video_id]
            is_followed = video_id in self._of_video or owner in self._of_owner
            if is_followed and self._told.get(video_id) != place:
                self._give(_place_message(video_id, owner, place))
        self._told = self.places

    def _ping(self) -> None:
        for listeners in [*self._of_video.values(), *self._of_owner.values()]:
            for listener in listeners:
                listener.put(PING)

    def _give(self, message: Message) -> None:
        listeners = self._of_video.get(message.video_id, set())
        for listener in [*listeners, *self._of_owner.get(message.owner, set())]:
            listener.put(message)


def message_of(event: Event) -> Message:
    """Return an event as listeners get it."""
    values = {
        "id": event.id,
        "video": event.video_id,
        "kind": event.kind,
        "data": json.loads(event.data),
        "at": time_text(event.at),
    }
    text = json.dumps(values, ensure_ascii=False)
    sse = format_sse_event(data_str=text, event=event.kind, id=str(event.id))
    return Message(event.id, event.video_id, event.owner, text, sse)


def _place_message(video_id: str, owner: str, place: int) -> Message:
    kind = EventKind.PROGRESS
    data = {
        "stage": "wait",
        "chunks_done": 0,
        "chunks_total": None,
        "queue_place": place,
        "eta_seconds": None,
    }
    text = json.dumps({"id": None, "video": video_id, "kind": kind, "data": data, "at": None})
    return Message(0, video_id, owner, text, format_sse_event(data_str=text, event=kind))


def _wake(listener: Listener) -> None:
    try:
        listener.queue.put_nowait(None)
    except asyncio.QueueFull:
        pass  # it has something to read, and ends then
