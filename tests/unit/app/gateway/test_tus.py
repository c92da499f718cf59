# SPDX-License-Identifier: Apache-2.0
"""Uploads in pieces by tus 1.0, before a real server: offsets, cuts, two senders, hostile input."""

import base64
import os
import socket
import time
from contextlib import closing

import httpx
import pytest
from support.gateway import gateway_settings, served
from unit.app.gateway.intake_files import film

from trireel_app.gateway.settings import Keeping, Limits
from trireel_app.jobs.uploads import UploadState

TUS = {"Tus-Resumable": "1.0.0"}
PIECE = {**TUS, "Content-Type": "application/offset+octet-stream"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    settings = gateway_settings(
        tmp_path_factory.mktemp("tus"),
        limits=Limits(upload_bytes=50_000_000, videos_pending=1000),
        keeping=Keeping(upload_seconds=100, stray_seconds=50),
    )
    with served(settings) as place:
        yield place


@pytest.fixture
def client(place):
    with place.client() as client:
        yield client


def metadata(**values: str) -> str:
    return ",".join(f"{k} {base64.b64encode(v.encode()).decode()}" for k, v in values.items())


def begin(client: httpx.Client, length: int, **values: str) -> str:
    headers = {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata(**values)}
    answer = client.post("/v1/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def patch(client: httpx.Client, place: str, offset: int, data: bytes, **more: str):
    headers = {**PIECE, "Upload-Offset": str(offset), **more}
    return client.patch(place, content=data, headers=headers)


def offset(client: httpx.Client, place: str) -> int:
    answer = client.head(place, headers=TUS)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return int(answer.headers["upload-offset"])


def stored(place, url: str) -> bytes:
    return (place.gateway.parts.settings.uploads / url.rpartition("/")[2]).read_bytes()


def test_the_server_tells_what_it_can(client):
    answer = client.options("/v1/uploads", headers=TUS)
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,expiration,termination"
    assert answer.headers["tus-max-size"] == "50000000"


def test_pieces_become_a_video(place, client):
    data = film(3_000_000)
    url = begin(client, len(data), filename="päth/clip.mp4", options='{"top_k": 3}')
    video_id = url.rpartition("/")[2]
    video = client.get(f"/v1/videos/{video_id}").json()
    assert (video["state"], video["name"]) == ("uploading", "clip.mp4")
    assert offset(client, url) == 0
    for first in range(0, len(data), 1_000_000):
        answer = patch(client, url, first, data[first : first + 1_000_000])
        assert answer.status_code == 204
        assert answer.headers["upload-offset"] == str(first + 1_000_000)
        assert ("trireel-video" in answer.headers) == (first == 2_000_000)
    assert answer.headers["trireel-video"] == video_id
    assert stored(place, url) == data
    video = client.get(f"/v1/videos/{video_id}").json()
    assert video["state"] == "queued"
    assert offset(client, url) == len(data)
    # The answer to the last piece may have been lost.
    assert patch(client, url, len(data), b"").headers["trireel-video"] == video_id
    assert patch(client, url, 5, b"x").status_code == 409


def test_a_cut_connection_loses_nothing_that_came(place, client):
    data = film(5_000_000, seed=2)
    url = begin(client, len(data), filename="a.mp4")
    host, port = place.url.removeprefix("http://").split(":")
    for _ in range(3):
        now = offset(client, url)
        head = (
            f"PATCH {url} HTTP/1.1\r\nHost: {host}:{port}\r\nTus-Resumable: 1.0.0\r\n"
            f"Authorization: Bearer {place.gateway.key}\r\nUpload-Offset: {now}\r\n"
            "Content-Type: application/offset+octet-stream\r\n"
            f"Content-Length: {len(data) - now}\r\n\r\n"
        )
        with closing(socket.create_connection((host, int(port)))) as cut:
            cut.sendall(head.encode() + data[now : now + 1_200_000])
            time.sleep(0.2)
        # The next request may be there before the server knows of the cut.
        assert offset(client, url) > now
    now = offset(client, url)
    assert now == 3_600_000
    assert patch(client, url, now, data[now:]).status_code == 204
    assert stored(place, url) == data


def test_a_newer_request_takes_over(place, client):
    data = film(2_000_000, seed=3)
    url = begin(client, len(data))
    host, port = place.url.removeprefix("http://").split(":")
    head = (
        f"PATCH {url} HTTP/1.1\r\nHost: {host}:{port}\r\nTus-Resumable: 1.0.0\r\n"
        f"Authorization: Bearer {place.gateway.key}\r\nUpload-Offset: 0\r\n"
        "Content-Type: application/offset+octet-stream\r\nContent-Length: 2000000\r\n\r\n"
    )
    with closing(socket.create_connection((host, int(port)))) as silent:
        silent.sendall(head.encode() + data[:700_000])
        while not (place.gateway.parts.intake.folder.part(url[-20:]).stat().st_size):
            time.sleep(0.02)
        assert offset(client, url) == 700_000  # it does not wait for the silent one
        assert patch(client, url, 700_000, data[700_000:]).status_code == 204
    assert stored(place, url) == data


def test_what_is_no_video_ends_with_its_first_piece(place, client):
    url = begin(client, 1_000_000, filename="clip.mp4")
    answer = patch(client, url, 0, b"<!doctype html><html>" + bytes(6000))
    assert answer.status_code == 415
    assert "HTML" in answer.json()["error"]["message"]
    assert client.head(url, headers=TUS).status_code == 404
    small = begin(client, 30)
    assert patch(client, small, 0, b"x" * 30).status_code == 415
    assert not list(place.gateway.parts.settings.uploads.glob(f"**/{url[-20:]}*"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": "10"}, 412),
        ({**TUS, "Tus-Resumable": "0.2.2", "Upload-Length": "10"}, 412),
        (TUS, 400),
        ({**TUS, "Upload-Length": "-1"}, 400),
        ({**TUS, "Upload-Length": "1e3"}, 400),
        ({**TUS, "Upload-Length": "0"}, 422),
        ({**TUS, "Upload-Length": "50000001"}, 413),
        ({**TUS, "Upload-Length": "9" * 40}, 400),
        ({**TUS, "Upload-Length": "10", "Upload-Metadata": "filename !!!"}, 400),
        ({**TUS, "Upload-Length": "10", "Upload-Metadata": metadata(options="[]")}, 422),
        ({**TUS, "Upload-Length": "10", "Upload-Metadata": "a " + "A" * 20000}, 400),
        ({**TUS, "Upload-Length": "10", "Upload-Metadata": metadata(webhook_url="file:///a")}, 422),
    ],
)
def test_wrong_beginnings_are_rejected(client, headers, status):
    assert client.post("/v1/uploads", headers=headers).status_code == status


def test_wrong_pieces_change_nothing(client):
    url = begin(client, 100_000)
    assert patch(client, url, 0, film(50_000)).status_code == 204
    assert patch(client, url, 0, film(50_000)).status_code == 409
    assert patch(client, url, 50_001, b"x").status_code == 409
    assert (
        client.patch(url, content=b"x", headers={**TUS, "Upload-Offset": "50000"}).status_code
        == 415
    )
    assert client.patch(url, content=b"x", headers=PIECE).status_code == 400
    assert patch(client, url, 50_000, bytes(50_001)).status_code == 413
    assert offset(client, url) <= 100_000


def test_other_owners_and_tricks_find_no_upload(place, client):
    url = begin(client, 100_000)
    with place.client(place.gateway.other_key) as other:
        assert other.head(url, headers=TUS).status_code == 404
        assert patch(other, url, 0, film(10_000)).status_code == 404
        assert other.delete(url, headers=TUS).status_code == 404
    for name in ("..%2f..%2fetc%2fpasswd", "%2e%2e", "0" * 20, "a" * 300, ".parts"):
        assert client.head(f"/v1/uploads/{name}", headers=TUS).status_code == 404
    with place.client(None) as nobody:
        assert nobody.post("/v1/uploads", headers=TUS).status_code == 401


def test_an_upload_is_given_up(place, client):
    url = begin(client, 100_000)
    patch(client, url, 0, film(50_000))
    assert client.delete(url, headers=TUS).status_code == 204
    assert client.head(url, headers=TUS).status_code == 404
    assert not list(place.gateway.parts.settings.uploads.glob(f"**/{url[-20:]}*"))


def test_a_network_without_patch_gets_through(place, client):
    data = film(60_000, seed=5)
    url = begin(client, len(data))
    headers = {**PIECE, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert client.post(url, content=data, headers=headers).status_code == 204
    assert stored(place, url) == data


def test_an_upload_that_does_not_go_on_expires(place, client):
    parts = place.gateway.parts
    old, young = begin(client, 100_000), begin(client, 100_000)
    past = time.time() - 101
    os.utime(parts.intake.folder.part(old[-20:]), (past, past))
    parts.chores.sweep()
    assert client.head(old, headers=TUS).status_code == 404
    assert offset(client, young) == 0


def test_a_gateway_killed_before_the_job_loses_no_video(place, client):
    parts = place.gateway.parts
    url = begin(client, 60_000)
    video_id = url[-20:]
    parts.intake.folder.part(video_id).write_bytes(film(60_000))
    parts.intake.folder.finish(video_id)
    parts.uploads.change(video_id, {"created_at": time.time() - 60})
    parts.chores.sweep()
    assert parts.uploads.get(video_id).state is UploadState.QUEUED
