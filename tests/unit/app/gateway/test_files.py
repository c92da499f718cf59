# SPDX-License-Identifier: Apache-2.0
"""The originals: ranges of bytes, types by content, names and contents that mean harm."""

import os

import pytest
from support.gateway import MP4, gateway_settings, served, stored_video

from trireel_app.sources.kinds import is_video, media_type

HTML = b"<!doctype html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HARMFUL = {
    "html": HTML,
    "svg": SVG,
    "xml": b'<?xml version="1.0"?>' + SVG,
    "bom": b"\xef\xbb\xbf" + HTML,
    "utf-16": HTML.decode().encode("utf-16"),
    "script": b"alert(1)",
    "pdf": b"%PDF-1.7 ...",
    "playlist": b"#EXTM3U\nfile:///etc/passwd\n",
    "zip": b"PK\x03\x04" + bytes(60),
    "gzip": b"\x1f\x8b\x08" + bytes(60),
    "empty": b"",
}
NAMES = [
    "a.html",
    '"><script>alert(1)</script>.mp4',
    "../../etc/passwd",
    "a\r\nSet-Cookie: x=y\r\n\r\n<html>.mp4",
    "a\0b.mp4",
    "‮4pm.exe",
    "ein schöner Film 🎬.mp4",
    "x" * 5000,
    "",
]


@pytest.mark.parametrize("kind", HARMFUL)
async def test_what_is_no_medium_is_saved_and_never_shown(gateway, kind):
    video = stored_video(gateway.parts, name="clip.html", content=HARMFUL[kind])
    async with gateway.client() as client:
        answer = await client.get(f"/v1/videos/{video}/file")
    assert answer.content == HARMFUL[kind]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert not is_video(media_type(HARMFUL[kind]))


@pytest.mark.parametrize("name", NAMES)
async def test_no_name_becomes_a_header_or_a_path(gateway, name):
    video = stored_video(gateway.parts, name=name)
    async with gateway.client() as client:
        answer = await client.get(f"/v1/videos/{video}/file")
        shown = await client.get(f"/v1/videos/{video}")
        exported = await client.get(f"/v1/videos/{video}/exports/scenes.vtt")
    assert answer.content == MP4
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("inline; filename=")
    assert disposition.isascii()
    assert not set("\r\n\0<>") & set(disposition)
    assert "set-cookie" not in answer.headers
    assert shown.json()["name"] == name
    assert exported.status_code == 200


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        (None, 200, MP4),
        ("bytes=0-9", 206, MP4[:10]),
        ("bytes=2000-", 206, MP4[2000:]),
        ("bytes=-5", 206, MP4[-5:]),
        ("bytes=5-5", 206, MP4[5:6]),
        ("bytes=999999-", 416, None),
        ("bytes=9-2", 400, None),
        ("bytes=a-b", 400, None),
    ],
)
async def test_a_player_gets_any_range(gateway, asked, status, part):
    video = stored_video(gateway.parts)
    headers = {} if asked is None else {"Range": asked}
    async with gateway.client() as client:
        answer = await client.get(f"/v1/videos/{video}/file", headers=headers)
        head = await client.head(f"/v1/videos/{video}/file")
    assert answer.status_code == status
    assert head.headers["accept-ranges"] == "bytes"
    assert (head.headers["content-length"], head.content) == (str(len(MP4)), b"")
    if part is not None:
        assert answer.content == part
        assert answer.headers["content-type"] == "video/mp4"
    else:
        assert answer.json()["error"]["status"] == status
    if status == 206:
        assert answer.headers["content-range"].endswith(f"/{len(MP4)}")


async def test_thousands_of_ranges_are_not_a_bomb(gateway):
    video = stored_video(gateway.parts)
    headers = {"Range": "bytes=" + ",".join(["0-2000"] * 3000)}
    async with gateway.client() as client:
        answer = await client.get(f"/v1/videos/{video}/file", headers=headers)
    assert len(answer.content) < 2 * len(MP4)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/videos/..%2f..%2fetc%2fpasswd/file",
        "/v1/videos/%2e%2e/file",
        "/v1/videos/{video}/exports/..%2f..%2fanswer.json",
        "/v1/videos/{video}/exports/%2e%2e",
        "/v1/videos/{video}/scenes/..%2f0/thumbnail",
        "/v1/videos/{video}%00/file",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "//etc/passwd",
        "/%2e%2e/%2e%2e/pyproject.toml",
    ],
)
async def test_no_path_leads_out(gateway, path):
    video = stored_video(gateway.parts)
    async with gateway.client() as client:
        answer = await client.get(path.format(video=video))
    assert answer.status_code in (400, 404, 422)
    assert set(answer.json()) == {"error"}


async def test_a_link_out_of_the_uploads_is_not_followed(gateway, tmp_path):
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(MP4)
    video = stored_video(gateway.parts)
    path = gateway.parts.intake.folder.whole(video)
    path.unlink()
    os.symlink(secret, path)
    async with gateway.client() as client:
        assert (await client.get(f"/v1/videos/{video}/file")).status_code == 404


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (MP4, "video/mp4"),
        (b"\0\0\0\x14ftypqt  " + bytes(20), "video/quicktime"),
        (b"\x1a\x45\xdf\xa3" + bytes(20) + b"webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3" + bytes(20) + b"matroska", "video/x-matroska"),
        (b"RIFF\0\0\0\0AVI LIST", "video/x-msvideo"),
        (b"RIFF\0\0\0\0XXXXLIST", None),
        ((b"\x47" + bytes(187)) * 5, "video/mp2t"),
        (b"G" * 10, None),
        (b"\xff\xd8\xff\xe0" + bytes(20), "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
    ],
)
def test_a_type_is_that_of_the_content(head, kind):
    assert media_type(head) == kind


def test_real_videos_are_known_by_their_content():
    from pathlib import Path

    sample = Path(__file__).parents[4] / "media/sample.mp4"
    assert media_type(sample.read_bytes()[:4096]) == "video/mp4"


def test_a_file_is_served_by_uvicorn_with_ranges(tmp_path):
    content = MP4 + os.urandom(3 << 20)
    with served(gateway_settings(tmp_path)) as running, running.client() as client:
        video = stored_video(running.gateway.parts, content=content)
        whole = client.get(f"/v1/videos/{video}/file")
        part = client.get(f"/v1/videos/{video}/file", headers={"Range": "bytes=1000000-1999999"})
        foreign = client.get("/healthz", headers={"Host": "evil.example"})
    assert whole.content == content
    assert part.content == content[1_000_000:2_000_000]
    assert foreign.status_code == 400
