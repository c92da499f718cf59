# SPDX-License-Identifier: Apache-2.0
"""Gateways for tests: an app with keys, called in process or served by uvicorn on loopback."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from support.records import label, record
from trireel_app.gateway.access.keys import SCOPES
from trireel_app.gateway.app import make_app
from trireel_app.gateway.settings import GatewaySettings, Limits
from trireel_app.gateway.state import Parts
from trireel_app.jobs.uploads import UploadRow, UploadState, new_id
from trireel_app.library import VideoRecord

ORIGIN = "http://127.0.0.1:8080"


def gateway_settings(folder: Path, **changes: Any) -> GatewaySettings:
    """Return settings of a gateway whose files are all in a folder."""
    settings = GatewaySettings(
        database=str(folder / "jobs.sqlite"),
        library=str(folder / "library"),
        uploads=folder / "uploads",
        servers=("127.0.0.1:1",),
        limits=Limits(),
        audit_file=folder / "audit.jsonl",
    )
    return replace(settings, **changes)


@dataclass(frozen=True)
class Gateway:
    """An app that runs in this process, and a key of each of two owners."""

    app: FastAPI
    parts: Parts
    key: str
    """Key of the owner `anna` with all scopes but admin."""
    other_key: str
    """Key of the owner `ben`, the same."""
    admin_key: str
    """Key of `anna` with all scopes."""

    def client(self, key: str | None = "", **options: Any) -> httpx.AsyncClient:
        """Return a client that calls the app in process; by default with Anna's key."""
        chosen = self.key if key == "" else key
        headers = {} if chosen is None else {"Authorization": f"Bearer {chosen}"}
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 5))
        return httpx.AsyncClient(
            transport=transport, base_url=ORIGIN, headers=headers, timeout=30, **options
        )


def gateway_of(settings: GatewaySettings) -> Gateway:
    """Return an app with keys, whose lifespan has not begun."""
    app = make_app(settings)
    keys = app.state.parts.keys
    anna, ben = keys.create("anna"), keys.create("ben")
    return Gateway(app, app.state.parts, anna, ben, keys.create("anna", SCOPES))


@asynccontextmanager
async def gateway_app(folder: Path, **changes: Any) -> AsyncIterator[Gateway]:
    """Run an app with keys in this event loop; `changes` are fields of its settings."""
    gateway = gateway_of(gateway_settings(folder, **changes))
    async with gateway.app.router.lifespan_context(gateway.app):
        yield gateway


@dataclass(frozen=True)
class Served:
    """An app that uvicorn serves on loopback."""

    gateway: Gateway
    url: str

    def client(self, key: str | None = "", **options: Any) -> httpx.Client:
        """Return a client; by default with Anna's key."""
        chosen = self.gateway.key if key == "" else key
        headers = {} if chosen is None else {"Authorization": f"Bearer {chosen}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, **options)


@contextmanager
def served(settings: GatewaySettings) -> Iterator[Served]:
    """Serve an app with keys by uvicorn in a thread, until the end."""
    gateway = gateway_of(settings)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(gateway.app, log_level="warning", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    try:
        while not server.started and thread.is_alive():
            threading.Event().wait(0.01)
        assert thread.is_alive(), "the gateway did not start"
        yield Served(gateway, f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


MP4 = bytes.fromhex("0000002066747970") + b"isom" + bytes(20) + bytes(range(256)) * 8


def stored_video(
    parts: Parts,
    owner: str = "anna",
    name: str = "clip.mp4",
    content: bytes = MP4,
    seed: int = 0,
    **changes: Any,
) -> str:
    """Give an owner an analysed video with random embeddings; return its id.

    `changes` are columns of its row.
    """
    video_id = new_id()
    path = parts.intake.folder.whole(video_id)
    path.write_bytes(content)
    made = record(f"/uploads/{video_id}", seed, labels=[label("object", "red", 0.5, 3.5)])
    parts.keeper.put(replace(made, video_id=video_id, answer=answer_of(made)))
    row = UploadRow(
        id=video_id,
        owner=owner,
        name=name,
        uri=str(path),
        path=str(path),
        state=UploadState.DONE,
        created_at=time.time(),
        finished_at=time.time(),
        size_bytes=len(content),
        duration_seconds=made.duration_seconds,
        num_scenes=len(made.scenes),
        tags='[{"text": "place 1", "probability": 0.9}]',
    )
    parts.uploads.add(replace(row, **changes))
    return video_id


def answer_of(made: VideoRecord) -> dict[str, Any]:
    """Return the answer that belongs to a record of scenes without transitions."""
    scenes = [
        {
            "start_seconds": scene.start_seconds,
            "end_seconds": scene.end_seconds,
            "tags": [vars(tag) for tag in scene.tags],
            "caption": vars(scene.caption),
            "representative_seconds": scene.representative_seconds,
        }
        for scene in made.scenes
    ]
    seconds = made.frames.timestamps_seconds.tolist()
    return {
        "start_seconds": 0.0,
        "duration_seconds": made.duration_seconds,
        "time_base": [1, 1000],
        "frame_rate": [25, 1],
        "is_vfr": False,
        "picture_size_px": [192, 144],
        "embedding_dim": made.checkpoint.embedding_dim,
        "tags": [],
        "shots": scenes,
        "scene_changes": [],
        "captions": [],
        "objects": None,
        "chunks": [
            {"frame_timestamps_seconds": seconds, "scene_trace": [0.25] * len(seconds), "tags": []}
        ],
        "server": {"name": "triton", "version": "2.51.0"},
    }
