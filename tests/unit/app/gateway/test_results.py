# SPDX-License-Identifier: Apache-2.0
"""The results of videos: the answer, exports, pictures, the trace, removal."""

import json

import pytest
import srt
import webvtt
from support.gateway import stored_video

MADE = ("scenes.csv", "scenes.edl", "scenes.fcpxml", "scenes.otio", "scenes.srt", "scenes.vtt")


async def test_a_result_is_the_answer_with_the_librarys_facts(gateway):
    video = stored_video(gateway.parts)
    async with gateway.client() as client:
        answer = await client.get(f"/v1/videos/{video}/result")
        again = {"If-None-Match": answer.headers["etag"]}
        unchanged = await client.get(f"/v1/videos/{video}/result", headers=again)
    found = answer.json()
    stored = gateway.parts.keeper.library.record(video)
    library = found.pop("library")
    found.pop("format_version")
    assert found == stored.answer
    assert library["video_id"] == video
    assert library["num_frames"] == 12
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert "content-security-policy" in unchanged.headers


async def test_a_video_without_results_says_its_state(gateway):
    video = stored_video(gateway.parts, state="running")
    gateway.parts.keeper.remove(video)
    lost = stored_video(gateway.parts)
    gateway.parts.keeper.remove(lost)
    async with gateway.client() as client:
        answer = await client.get(f"/v1/videos/{video}/result")
        gone = await client.get(f"/v1/videos/{lost}/result")
    assert answer.status_code == 409
    assert "running" in answer.json()["error"]["message"]
    assert gone.status_code == 404


@pytest.mark.parametrize("name", MADE)
async def test_scenes_are_exported_in_each_format(gateway, name):
    video = stored_video(gateway.parts, name='a/b "<x>\r\nSet-Cookie: y".mp4')
    async with gateway.client() as client:
        answer = await client.get(f"/v1/videos/{video}/exports/{name}")
    assert answer.status_code == 200, answer.text
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment; ")
    assert not set("<>\r\n") & set(disposition)
    assert "set-cookie" not in answer.headers
    assert "html" not in answer.headers["content-type"]
    if name.endswith(".csv"):
        assert len(answer.text.splitlines()) >= 3
    if name.endswith(".vtt"):
        assert [cue.start for cue in webvtt.from_string(answer.text)] == [
            "00:00:00.000",
            "00:00:04.000",
            "00:00:08.000",
        ]


async def test_captions_are_those_of_scenes_without_text(gateway):
    video = stored_video(gateway.parts)
    async with gateway.client() as client:
        answer = await client.get(f"/v1/videos/{video}/exports/captions.srt")
    assert [cue.content for cue in srt.parse(answer.text)] == [
        f"Something in place {number}" for number in range(3)
    ]


async def test_an_unknown_export_names_the_known_ones(gateway):
    video = stored_video(gateway.parts)
    async with gateway.client() as client:
        unknown = await client.get(f"/v1/videos/{video}/exports/scenes.exe")
        objects = await client.get(f"/v1/videos/{video}/exports/objects.json")
        whole = await client.get(f"/v1/videos/{video}/exports/analysis.json")
    assert unknown.status_code == objects.status_code == 404
    assert "scenes.csv" in unknown.json()["error"]["message"]
    assert "without objects" in objects.json()["error"]["message"]
    assert json.loads(whole.content)["duration_seconds"] == 12.0


async def test_pictures_and_the_trace_are_those_of_the_library(gateway):
    video = stored_video(gateway.parts)
    async with gateway.client() as client:
        base = f"/v1/videos/{video}"
        scene = await client.get(f"{base}/scenes/2/thumbnail")
        missing = await client.get(f"{base}/scenes/3/thumbnail")
        poster = await client.get(f"{base}/thumbnail")
        frames = (await client.get(f"{base}/frames")).json()
    assert (scene.content, scene.headers["content-type"]) == (b"jpeg 2", "image/jpeg")
    assert missing.status_code == 404
    assert poster.content == b"jpeg 1"
    assert frames["pts_seconds"][:2] == [0.5, 1.5]
    assert frames["scores"] == [0.25] * 12


async def test_a_list_is_paged_newest_first(gateway):
    now = 1_800_000_000.0
    videos = [
        stored_video(gateway.parts, name=f"clip {number}.mp4", created_at=now + number // 2)
        for number in range(5)
    ]
    stored_video(gateway.parts, owner="ben")
    seen, cursor = [], ""
    async with gateway.client() as client:
        while cursor is not None:
            more = {"cursor": cursor} if cursor else {}
            page = (await client.get("/v1/videos", params={"limit": 2, **more})).json()
            seen += page["videos"]
            cursor = page["next"]
        named = (await client.get("/v1/videos?q=CLIP 3&state=done")).json()["videos"]
        none = (await client.get("/v1/videos?state=failed")).json()["videos"]
        wrong = await client.get("/v1/videos?cursor=abc")
    assert {video["id"] for video in seen} == set(videos)
    assert len(seen) == 5
    assert [video["created_at"] for video in seen] == sorted(
        (video["created_at"] for video in seen), reverse=True
    )
    assert [video["id"] for video in named] == [videos[3]]
    assert none == []
    assert wrong.status_code == 422
    assert seen[0]["links"]["result"] == f"/v1/videos/{seen[0]['id']}/result"


async def test_a_removed_video_leaves_nothing(gateway):
    parts = gateway.parts
    kept, video = stored_video(parts, seed=1), stored_video(parts)
    path = parts.settings.uploads / video
    async with gateway.client() as client:
        assert (await client.delete(f"/v1/videos/{video}")).status_code == 204
        assert (await client.delete(f"/v1/videos/{video}")).status_code == 404
        assert (await client.get(f"/v1/videos/{video}/result")).status_code == 404
        assert (await client.get(f"/v1/videos/{kept}/result")).status_code == 200
    assert not path.exists()
    assert parts.keeper.library.entry(video) is None
    assert not list(parts.keeper.library.storage.files(f"videos/{video}"))
    assert set(parts.keeper.store().videos()) == {kept}


async def test_a_file_outside_of_the_uploads_is_never_removed(gateway, tmp_path):
    outside = tmp_path / "precious.mp4"
    outside.write_bytes(b"data")
    video = stored_video(gateway.parts, path=str(outside))
    async with gateway.client() as client:
        assert (await client.get(f"/v1/videos/{video}/file")).status_code == 404
        assert (await client.delete(f"/v1/videos/{video}")).status_code == 204
    assert outside.exists()
