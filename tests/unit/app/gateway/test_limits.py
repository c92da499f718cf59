# SPDX-License-Identifier: Apache-2.0
"""Limits: requests in a minute, keys that are guessed, seconds of video, sizes of bodies."""

from collections import Counter

from support.gateway import gateway_app, stored_video

from trireel_app.gateway.access.quota import Quota
from trireel_app.gateway.failures import TooManyRequests
from trireel_app.gateway.settings import Limits
from trireel_app.jobs.usage import Usage


async def status_of(gateway, key):
    """Send the smallest request that there is; return its status."""
    headers = [(b"host", b"127.0.0.1:8080")]
    if key is not None:
        headers.append((b"authorization", f"Bearer {key}".encode()))
    path = "/v1/session"
    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET"},
        **{"scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b""},
        **{"headers": headers, "client": ("192.0.2.7", 5), "server": ("127.0.0.1", 8080)},
    }
    statuses = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        statuses.append(message.get("status"))

    await gateway.app(scope, receive, send)
    return statuses[0]


async def test_ten_thousand_tiny_requests_are_bounded(tmp_path):
    limits = Limits(requests_per_minute=100, anonymous_per_minute=150, failures_per_minute=20)
    shares = {"anna": 500, "wrong": 500, "nobody": 9000}
    async with gateway_app(tmp_path, limits=limits) as gateway:
        keys = {"anna": gateway.key, "wrong": "trk_wrong", "nobody": None}
        counts = {
            name: Counter([await status_of(gateway, keys[name]) for _ in range(share)])
            for name, share in shares.items()
        }
        assert await status_of(gateway, gateway.other_key) == 200  # from the same address
        noted = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert len(noted) == counts["wrong"][401] + counts["nobody"][401]
    # A sliding window lets more pass as time goes on.
    assert 100 <= counts["anna"][200] <= 200
    assert 20 <= counts["wrong"][401] <= 40
    assert 150 <= counts["nobody"][401] <= 300
    assert sum(counts[name][429] for name in counts) == 10_000 - sum(
        counts[name][status] for name in counts for status in (200, 401)
    )


async def test_a_rejected_flood_is_told_when_to_come_back(tmp_path):
    limits = Limits(anonymous_per_minute=1)
    async with gateway_app(tmp_path, limits=limits) as gateway, gateway.client(None) as client:
        answers = [await client.get("/v1/session") for _ in range(3)]
    assert answers[2].status_code == 429
    assert 1 <= int(answers[2].headers["retry-after"]) <= 61
    assert answers[2].json()["error"]["kind"] == "TooManyRequests"


async def test_one_owners_flood_does_not_stop_another(tmp_path):
    limits = Limits(requests_per_minute=5)
    async with gateway_app(tmp_path, limits=limits) as gateway:
        async with gateway.client() as client:
            statuses = [(await client.get("/v1/session")).status_code for _ in range(8)]
        async with gateway.client(gateway.other_key) as client:
            assert (await client.get("/v1/session")).status_code == 200
    assert statuses[:5] == [200] * 5
    assert 429 in statuses


async def test_a_second_key_gives_no_more_requests(tmp_path):
    async with gateway_app(tmp_path, limits=Limits(requests_per_minute=5)) as gateway:
        statuses = []
        for key in (gateway.key, gateway.admin_key):
            async with gateway.client(key) as client:
                statuses += [(await client.get("/v1/session")).status_code for _ in range(5)]
    assert statuses.count(200) <= 6


def rejection_of(quota, gateway):
    access = gateway.parts.keys.access_of(gateway.key)
    try:
        quota.check(access)
    except TooManyRequests as error:
        return str(error)
    return ""


async def test_the_quota_counts_seconds_of_video(gateway):
    parts = gateway.parts
    usage = Usage(parts.database)
    quota = Quota(usage, parts.uploads, Limits(video_seconds_per_day=60))
    usage.add("ben", 1000.0)
    usage.add("anna", 59.0)
    assert rejection_of(quota, gateway) == ""
    usage.add("anna", 2.5)
    assert "60 s are allowed" in rejection_of(quota, gateway)
    assert rejection_of(Quota(usage, parts.uploads, Limits()), gateway) == ""


async def test_a_removed_video_still_counts(gateway):
    usage = Usage(gateway.parts.database)
    usage.add("anna", 12.0)
    video = stored_video(gateway.parts)
    async with gateway.client() as client:
        await client.delete(f"/v1/videos/{video}")
    assert usage.seconds("anna", 60) == 12.0
    assert usage.seconds("anna", -1) == 0.0


async def test_the_number_of_waiting_videos_is_limited(gateway):
    quota = Quota(Usage(gateway.parts.database), gateway.parts.uploads, Limits(videos_pending=2))
    stored_video(gateway.parts, state="queued")
    stored_video(gateway.parts, state="done")
    stored_video(gateway.parts, owner="ben", state="queued")
    assert rejection_of(quota, gateway) == ""
    stored_video(gateway.parts, state="running")
    assert "2 videos wait" in rejection_of(quota, gateway)


async def test_a_body_without_length_is_cut_at_the_limit(tmp_path):
    async def endless():
        for _ in range(1000):
            yield b" " * 4096

    headers = {"Content-Type": "application/json"}
    limits = Limits(body_bytes=100_000)
    async with gateway_app(tmp_path, limits=limits) as gateway, gateway.client() as client:
        answer = await client.post("/v1/session", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["error"]["status"] == 413
