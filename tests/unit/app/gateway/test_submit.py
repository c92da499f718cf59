# SPDX-License-Identifier: Apache-2.0
"""Videos in one request, by form and by URI: what is kept, what is rejected, cancel and retry."""

import asyncio
import json

import pytest
from support.gateway import Gateway, gateway_app
from unit.app.gateway.intake_files import film

from trireel_app.gateway.settings import Limits
from trireel_app.jobs.job import JobState, VideoState
from trireel_app.jobs.uploads import UploadState

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
NOT_VIDEOS = {
    "clip.mp4": b"<!doctype html><html><script>alert(1)</script></html>",
    "drawing.mp4": SVG,
    "xml.mp4": b'<?xml version="1.0"?>' + SVG,
    "bomb.mp4": b"PK\x03\x04" + bytes(5000),
    "deep.mkv": b"\x1f\x8b" + bytes(5000),
    "list.m3u8": b"#EXTM3U\nfile:///etc/passwd\n",
    "empty.mp4": b"",
    "one.mp4": b"\x00",
}


async def send(gateway: Gateway, name: str = "a.mp4", data: bytes = b"", **fields: str):
    async with gateway.client() as client:
        files = {"file": (name, data or film())}
        return await client.post("/v1/videos", files=files, data=fields)


def leftovers(gateway: Gateway) -> list[str]:
    root = gateway.parts.settings.uploads
    return sorted(path.name for path in root.rglob("*") if path.is_file())


async def test_a_form_is_kept_and_has_a_job_at_once(gateway):
    answer = await send(gateway, data=film(3_000_000), options='{"top_k": 3}')
    assert answer.status_code == 202, answer.text
    video = answer.json()
    assert answer.headers["location"] == f"/v1/videos/{video['id']}"
    assert (video["name"], video["state"], video["size_bytes"]) == ("a.mp4", "queued", 3_000_000)
    assert video["expires_at"] > video["created_at"]
    assert leftovers(gateway) == [video["id"]]
    path = gateway.parts.settings.uploads / video["id"]
    assert path.read_bytes() == film(3_000_000)
    job = gateway.parts.jobs.job(video["job_id"])
    assert (job.state, job.spec.owner, job.spec.video_id) == ("running", "anna", video["id"])
    assert job.spec.options == {"top_k": 3}
    (queued,) = gateway.parts.jobs.videos(job.id)
    assert queued.source.uri == str(path)


@pytest.mark.parametrize("name", NOT_VIDEOS)
async def test_what_is_no_video_is_rejected(gateway, name):
    async with gateway.client() as client:
        answer = await client.post("/v1/videos", files={"file": (name, NOT_VIDEOS[name])})
    assert answer.status_code == 415
    assert answer.json()["error"]["kind"] == "UnsupportedType"
    assert leftovers(gateway) == []
    assert gateway.parts.uploads.page("anna", 10) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\clip.mp4", "clip.mp4"),
        ("a\u202egpj.mp4", "agpj.mp4"),
        ("a\x00b\x1b[31m.mp4", "ab[31m.mp4"),
        ("....", "video"),
        ("x" * 500, "x" * 200),
        ("Füße  und\tmehr.mp4", "Füße und mehr.mp4"),
    ],
)
async def test_names_are_for_people_alone(gateway, name, shown):
    async with gateway.client() as client:
        answer = await client.post("/v1/videos", files={"file": film()}, data={"name": name})
    assert answer.json()["name"] == shown
    assert leftovers(gateway) == [answer.json()["id"]]


async def test_a_file_too_large_is_rejected_before_it_has_come(tmp_path):
    async with gateway_app(tmp_path, limits=Limits(upload_bytes=1_000_000)) as gateway:
        sent = 0

        async def endless():
            nonlocal sent
            yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
            yield film(4096)
            while True:
                sent += 65536
                yield bytes(65536)

        headers = {"content-type": "multipart/form-data; boundary=x"}
        async with gateway.client() as client:
            answer = await client.post("/v1/videos", content=endless(), headers=headers)
            assert answer.status_code == 413
            assert sent < 2_000_000
            answer = await client.post(
                "/v1/videos", content=b"", headers={**headers, "content-length": "9000000"}
            )
        assert answer.status_code == 413
        assert leftovers(gateway) == []


async def test_files_past_the_disk_budget_are_rejected(tmp_path):
    async with gateway_app(tmp_path, limits=Limits(disk_bytes=150_000)) as gateway:
        assert (await send(gateway)).status_code == 202
        answer = await send(gateway)
        assert answer.status_code == 507
        assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"options": "{"}, 422),
        ({"options": "[1]"}, 422),
        ({"options": '{"no_such": 1}'}, 422),
        ({"options": '{"top_k": "many"}'}, 422),
        ({"options": '{"with_embeddings": true}'}, 422),
        ({"webhook_url": "ftp://example.com"}, 422),
        ({"webhook_url": "http://example.com/hook"}, 422),
        ({"options": "x" * 300_000}, 413),
    ],
)
async def test_wrong_fields_leave_nothing(gateway, fields, status):
    answer = await send(gateway, **fields)
    assert answer.status_code == status, answer.text
    assert leftovers(gateway) == []
    assert gateway.parts.uploads.page("anna", 10) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no form",
        b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + film(),
        b"--x\r\n\r\nwithout a name\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nno file\r\n--x--\r\n',
    ],
)
async def test_broken_forms_are_rejected(gateway, body):
    headers = {"content-type": "multipart/form-data; boundary=x"}
    async with gateway.client() as client:
        answer = await client.post("/v1/videos", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert leftovers(gateway) == []


async def test_a_uri_is_taken_and_secrets_are_not(gateway):
    async with gateway.client() as client:
        uri = "https://example.com/films/Beach%20day.mp4"
        answer = await client.post("/v1/videos", json={"uri": uri})
        assert answer.status_code == 202
        assert answer.json()["name"] == "Beach day.mp4"
        again = await client.post("/v1/videos", json={"uri": uri})
        assert again.json()["id"] != answer.json()["id"]
        for wrong in (
            "file:///etc/passwd",
            "/etc/passwd",
            "gopher://example.com/",
            "https://user:word@example.com/a.mp4",
            "https://example.com/a.mp4?X-Amz-Signature=1",
            "https:///a.mp4",
            "s3://bucket/\n",
        ):
            answer = await client.post("/v1/videos", json={"uri": wrong})
            assert answer.status_code == 422, wrong
        for body in (
            b"{",
            b"[]",
            b'{"uri": 1}',
            b'{"uri": "https://a.b/c", "more": 1}',
            b"9" * 300_000,
        ):
            headers = {"content-type": "application/json"}
            answer = await client.post("/v1/videos", content=body, headers=headers)
            assert answer.status_code in (413, 422)


async def test_a_video_is_cancelled_and_tried_again(gateway):
    video = (await send(gateway)).json()
    async with gateway.client() as client, gateway.client(gateway.other_key) as other:
        path = f"/v1/videos/{video['id']}"
        assert (await other.post(f"{path}/cancel")).status_code == 404
        assert (await client.post(f"{path}/retry")).status_code == 409
        answer = await client.post(f"{path}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
        assert gateway.parts.jobs.job(video["job_id"]).state is JobState.STOPPED
        assert (await client.post(f"{path}/cancel")).status_code == 409
        again = (await client.post(f"/v1/jobs/{video['job_id']}/retry")).json()
        assert again["state"] == "queued"
        assert again["job_id"] != video["job_id"]
        (queued,) = gateway.parts.jobs.videos(again["job_id"])
        assert queued.state is VideoState.WAITING
        assert (await client.post(f"/v1/jobs/{video['job_id']}/retry")).status_code == 404
        jobs = (await client.get("/v1/jobs")).json()["jobs"]
        assert [job["id"] for job in jobs] == [again["job_id"]]


async def test_a_deleted_video_leaves_nothing(gateway):
    video = (await send(gateway)).json()
    async with gateway.client() as client:
        assert (await client.delete(f"/v1/videos/{video['id']}")).status_code == 204
        assert (await client.get(f"/v1/videos/{video['id']}")).status_code == 404
    assert leftovers(gateway) == []
    assert not gateway.parts.jobs.has(video["job_id"])
    kinds = [event.kind for event in gateway.parts.intake.jobs.events.after(0)]
    assert kinds == ["deleted"]


async def test_a_connection_cut_in_a_form_leaves_nothing(gateway):
    cut = asyncio.Event()

    async def body():
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        yield film(500_000)
        cut.set()
        await asyncio.Event().wait()

    async def post():
        headers = {"content-type": "multipart/form-data; boundary=x"}
        async with gateway.client() as client:
            await client.post("/v1/videos", content=body(), headers=headers)

    task = asyncio.ensure_future(post())
    await cut.wait()
    rows = gateway.parts.uploads.page("anna", 10)
    assert [row.state for row in rows] == [UploadState.UPLOADING]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert leftovers(gateway) == []
    assert gateway.parts.uploads.page("anna", 10) == []


async def test_the_webhook_secret_is_each_owners_own(gateway):
    async with gateway.client() as client, gateway.client(gateway.other_key) as other:
        ours, theirs = [
            (await each.get("/v1/webhooks/secret")).json()["secret"] for each in (client, other)
        ]
    assert ours.startswith("whsec_")
    assert ours != theirs
    assert ours not in json.dumps([vars(row) for row in gateway.parts.uploads.page("anna", 9)])
