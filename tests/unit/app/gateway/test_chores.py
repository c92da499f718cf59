# SPDX-License-Identifier: Apache-2.0
"""Retention: videos after their time, the disk budget, strays, and jobs that no video has."""

import os
import time

import pytest
from support.gateway import gateway_app
from unit.app.gateway.intake_files import film

from trireel_app.gateway.settings import Keeping, Limits
from trireel_app.jobs.uploads import UploadRow, UploadState, new_id


@pytest.fixture
async def gateway(tmp_path, monkeypatch):
    monkeypatch.setattr("trireel_app.gateway.chores.SWEEP_SECONDS", 1e6)
    keeping = Keeping(video_seconds=1000, stray_seconds=50)
    async with gateway_app(tmp_path, keeping=keeping, limits=Limits(disk_bytes=350_000)) as gateway:
        yield gateway


def kept(gateway, owner="anna", state=UploadState.DONE, **values) -> UploadRow:
    """Keep a video with a file of 100 kB."""
    video_id = new_id()
    path = gateway.parts.intake.folder.whole(video_id)
    path.write_bytes(film())
    values = {"created_at": time.time(), "expires_at": time.time() + 1000, **values}
    row = UploadRow(
        id=video_id,
        owner=owner,
        name="a",
        uri=str(path),
        path=str(path),
        state=state,
        size_bytes=100_000,
        **values,
    )
    gateway.parts.uploads.add(row)
    return row


def left(gateway) -> set[str]:
    files = {path.name for path in gateway.parts.settings.uploads.iterdir() if path.is_file()}
    rows = {row.id for owner in ("anna", "ben") for row in gateway.parts.uploads.page(owner, 99)}
    assert files == rows
    return files


async def test_videos_go_when_their_time_is_over(gateway):
    old = kept(gateway, expires_at=time.time() - 1)
    running = kept(gateway, expires_at=time.time() - 1, state=UploadState.RUNNING)
    young = kept(gateway)
    forever = kept(gateway, "ben", expires_at=None, created_at=1.0)
    gateway.parts.chores.sweep()
    assert left(gateway) == {running.id, young.id, forever.id}
    events = gateway.parts.intake.jobs.events.after(0, video_id=old.id)
    assert [event.kind for event in events] == ["deleted"]


async def test_the_largest_owner_makes_room(gateway):
    only = kept(gateway, "ben", created_at=1.0)
    oldest, *others = (kept(gateway, created_at=float(n)) for n in range(2, 5))
    gateway.parts.chores.sweep()
    assert left(gateway) == {only.id, *(row.id for row in others)}
    assert gateway.parts.uploads.get(oldest.id) is None


async def test_what_is_being_analysed_makes_no_room(gateway):
    rows = [kept(gateway, state=UploadState.RUNNING) for _ in range(4)]
    gateway.parts.chores.sweep()
    assert left(gateway) == {row.id for row in rows}


async def test_strays_go_and_other_files_stay(gateway):
    root = gateway.parts.settings.uploads
    stray, young, part, other = (
        root / new_id(),
        root / new_id(),
        root / ".parts" / new_id(),
        root / "notes.txt",
    )
    for path in (stray, young, part, other):
        path.write_bytes(b"x")
    for path in (stray, part, other):
        os.utime(path, (1, 1))
    gateway.parts.chores.sweep()
    assert [path.exists() for path in (stray, young, part, other)] == [False, True, False, True]


async def test_a_form_that_was_cut_by_a_kill_goes(gateway):
    row = gateway.parts.intake.new_row("anna", UploadState.UPLOADING, size_bytes=9)
    gateway.parts.uploads.add(row)
    part = gateway.parts.intake.folder.part(row.id)
    part.write_bytes(film(9000))
    gateway.parts.chores.sweep()
    assert gateway.parts.uploads.get(row.id) is not None
    os.utime(part, (1, 1))
    gateway.parts.chores.sweep()
    assert gateway.parts.uploads.get(row.id) is None
    assert not part.exists()


async def test_jobs_of_earlier_tries_go(gateway):
    async with gateway.client() as client:
        video = (await client.post("/v1/videos", files={"file": film()})).json()
        await client.post(f"/v1/videos/{video['id']}/cancel")
        again = (await client.post(f"/v1/videos/{video['id']}/retry")).json()
    gateway.parts.chores.sweep()
    assert not gateway.parts.jobs.has(video["job_id"])
    assert gateway.parts.jobs.has(again["job_id"])
