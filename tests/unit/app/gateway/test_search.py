# SPDX-License-Identifier: Apache-2.0
"""The search through the gateway: conditions, isolation, and what is no search."""

import pytest
from support.gateway import stored_video


async def test_a_search_finds_the_callers_moments_alone(gateway):
    mine, theirs = stored_video(gateway.parts), stored_video(gateway.parts, owner="ben", seed=1)
    async with gateway.client() as client:
        found = (await client.get("/v1/search?object=RED")).json()["moments"]
        foreign = await client.get(f"/v1/search?object=red&video={theirs}")
        one = (await client.get(f"/v1/search?video={mine}&limit=1")).json()["moments"]
    assert {moment["video"] for moment in found} == {mine}
    assert found[0]["name"] == "clip.mp4"
    assert found[0]["thumbnail"] == f"/v1/videos/{mine}/scenes/0/thumbnail"
    assert "uploads" not in str(found)
    assert foreign.status_code == 404
    assert len(one) == 1


async def test_an_owner_without_videos_finds_nothing(gateway):
    stored_video(gateway.parts, owner="ben")
    async with gateway.client() as client:
        assert (await client.get("/v1/search?object=red")).json() == {"moments": []}
        assert (await client.get("/v1/search?q=anything")).json() == {"moments": []}


async def test_a_removed_video_is_not_found(gateway):
    video = stored_video(gateway.parts)
    async with gateway.client() as client:
        assert len((await client.get("/v1/search?object=red")).json()["moments"]) > 0
        await client.delete(f"/v1/videos/{video}")
        assert (await client.get("/v1/search?object=red")).json() == {"moments": []}


@pytest.mark.parametrize("text", ["' OR 1=1 --", "red') OR (1=1", "\\", "%", "'" * 100, "é\u0000"])
async def test_a_condition_is_no_sql(gateway, text):
    stored_video(gateway.parts)
    async with gateway.client() as client:
        for name in ("object", "text"):
            answer = await client.get("/v1/search", params={name: text})
            assert answer.status_code == 200
            assert answer.json() == {"moments": []}


async def test_nothing_to_search_for_is_said(gateway):
    async with gateway.client() as client:
        answer = await client.get("/v1/search")
        many = await client.get("/v1/search?q=a&limit=100000")
    assert (answer.status_code, many.status_code) == (422, 422)
    assert "give q" in answer.json()["error"]["message"]


async def test_without_a_server_words_cannot_be_searched(gateway):
    video = stored_video(gateway.parts)
    async with gateway.client() as client:
        words = await client.get("/v1/search?q=a red car")
        tags = await client.post(f"/v1/videos/{video}/tags", json={"tags": ["a red car"]})
        server = (await client.get("/v1/server")).json()
    assert words.status_code == tags.status_code == 503
    assert int(words.headers["retry-after"]) >= 1
    assert "127.0.0.1" not in words.text
    assert (server["ready"], server["workers"]) == (False, 0)
    assert [one["ready"] for one in server["servers"]] == [False]


@pytest.mark.parametrize("content", [b"", b"<svg/>", b"GIF", b"\x1a\x45\xdf\xa3webm"])
async def test_only_pictures_are_compared(gateway, content):
    stored_video(gateway.parts)
    async with gateway.client() as client:
        answer = await client.post("/v1/search", files={"file": ("a.png", content, "image/png")})
        large = await client.post("/v1/search", files={"file": ("a.png", bytes(21 << 20))})
    assert answer.status_code == 415
    assert large.status_code == 413


async def test_servers_have_addresses_for_admins_alone(gateway):
    async with gateway.client() as client, gateway.client(gateway.admin_key) as admin:
        assert (await client.get("/v1/server")).json()["servers"][0]["name"] == "1"
        assert (await admin.get("/v1/server")).json()["servers"][0]["name"] == "127.0.0.1:1"


async def test_metrics_are_for_this_machine_and_admins(gateway):
    video = stored_video(gateway.parts)
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    async with gateway.client() as client:
        await client.get(f"/v1/videos/{video}")
        await client.get("/nothing/at/all")
        local = await client.get("/metrics")
        passed_on = await client.get("/metrics", headers=forwarded)
    async with gateway.client(gateway.admin_key) as client:
        admin = await client.get("/metrics", headers=forwarded)
    assert (local.status_code, passed_on.status_code, admin.status_code) == (200, 403, 200)
    text = local.text
    series = (
        'trireel_gateway_requests_total{method="GET",route="/v1/videos/{video_id}",status="200"}'
    )
    assert f"{series} 1.0" in text
    assert 'route="other",status="404"' in text
    assert 'trireel_gateway_videos{state="done"} 1.0' in text
    assert video not in text
