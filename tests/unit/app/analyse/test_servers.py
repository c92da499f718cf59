# SPDX-License-Identifier: Apache-2.0
"""Several servers: who gets a request, who is waited for, and who is left out."""

import asyncio
from contextlib import ExitStack

import pytest
from unit.client.loopback import SERVERS, Loopback
from unit.client.scripted import Script, details, whole_video

from trireel_app.analyse.servers import NoServer, ServerLimits, Servers
from trireel_app.analyse.video import SourceChanged, analyse_video, effective_options
from trireel_app.sources.source import VideoSource
from trireel_client import AsyncTrireelClient, Retry, ServerFull, ServerUnavailable, Timeout


@pytest.fixture
def loopbacks():
    """Two servers that answer by scripts."""
    with ExitStack() as stack:
        found = []
        for _ in range(2):
            script = Script()
            script.answers["server_info"] = lambda asked: details()
            script.answers["video_analysis"] = lambda asked: whole_video()
            script.models_ready["video_analysis"] = True
            found.append(Loopback(stack.enter_context(SERVERS["grpc"](script)), "grpc", script))
        yield found


def servers_of(loopbacks, **limits) -> Servers:
    def make_client(url):
        return AsyncTrireelClient(url, timeout=Timeout(5.0, 30.0), retries=Retry(1))

    return Servers([each.url for each in loopbacks], ServerLimits(**limits), make_client)


async def test_requests_are_spread_within_the_limits(loopbacks):
    servers = servers_of(loopbacks, in_flight=2)
    most = 0
    in_flight = 0

    async def work():
        nonlocal most, in_flight
        async with servers.lease() as lease:
            in_flight += 1
            most = max(most, in_flight)
            await asyncio.sleep(0.02)
            in_flight -= 1
            return id(lease.client)

    used = await asyncio.gather(*(work() for _ in range(12)))
    await servers.close()
    assert most == 4
    assert min(used.count(client) for client in set(used)) >= 4


async def test_a_lost_server_is_left_out_until_it_is_ready(loopbacks):
    servers = servers_of(loopbacks, in_flight=1, wait_seconds=5.0)
    with pytest.raises(ServerUnavailable):
        async with servers.lease() as lost:
            raise ServerUnavailable("gone")
    async with servers.lease() as other:
        assert other.client is not lost.client
        async with servers.lease() as again:  # it is ready again
            assert again.client is lost.client
    await servers.close()


async def test_a_full_server_rests_as_long_as_it_says(loopbacks):
    servers = servers_of(loopbacks[:1], wait_seconds=5.0)
    full = ServerFull("full")
    full.retry_after_seconds = 0.4
    with pytest.raises(ServerFull):
        async with servers.lease():
            raise full
    began = asyncio.get_running_loop().time()
    async with servers.lease():
        assert asyncio.get_running_loop().time() - began >= 0.35
    await servers.close()


async def test_waiting_for_servers_ends(loopbacks):
    for loopback in loopbacks:
        loopback.script.models_ready["video_analysis"] = False
    servers = servers_of(loopbacks, wait_seconds=1.0)
    with pytest.raises(NoServer, match="no server was ready within 1 s"):
        async with servers.lease():
            pass
    await servers.close()


async def test_a_servers_rate_is_kept(loopbacks):
    servers = servers_of(loopbacks[:1], per_minute=300.0)
    began = asyncio.get_running_loop().time()
    for _ in range(4):
        async with servers.lease():
            pass
    assert asyncio.get_running_loop().time() - began >= 0.55
    await servers.close()


async def test_a_result_names_all_that_it_depends_on(loopbacks, tmp_path):
    video = tmp_path / "a.mp4"
    video.write_bytes(b"video")
    client = AsyncTrireelClient(loopbacks[0].url, retries=Retry(1))
    async with client:
        source = VideoSource(str(video), {"top_k": 2})
        result = await analyse_video(client, source, {"top_k": 5, "chunk_seconds": 4.0})
    manifest = result.manifest.to_json()
    assert manifest["options"] == {"chunk_seconds": 4.0, "top_k": 2}
    assert manifest["source"]["size_bytes"] == 5
    assert manifest["server"]["text_bank_sha256"] == "77c0ffee77c0ffee"
    assert manifest["server"]["ffmpeg"] == "8.1.2"
    assert manifest["server"]["chunk_seconds"] == 10.0


async def test_a_file_that_changes_meanwhile_is_no_answer(loopbacks, tmp_path):
    video = tmp_path / "a.mp4"
    video.write_bytes(b"video")

    def answer(asked):
        video.write_bytes(b"another one")
        return whole_video()

    loopbacks[0].script.answers["video_analysis"] = answer
    async with AsyncTrireelClient(loopbacks[0].url, retries=Retry(1)) as client:
        with pytest.raises(SourceChanged):
            await analyse_video(client, VideoSource(str(video)), {})


def test_a_videos_own_region_replaces_the_jobs():
    source = VideoSource("/a.mp4", {"crop_px": [0, 0, 9, 9]})
    job = {"crop": [0, 0, 1, 1], "top_k": 3, "find": None}
    assert effective_options(job, source) == {"crop_px": [0, 0, 9, 9], "top_k": 3}
