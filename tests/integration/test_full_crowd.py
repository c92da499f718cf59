# SPDX-License-Identifier: Apache-2.0
"""More clients than the server accepts: rejections are quick. As many as it accepts: none."""

import asyncio
import time

import pytest

from trireel_client import AsyncTrireelClient, Retry, ServerFull, ServerPath

from .conftest import SAMPLE, served

pytestmark = pytest.mark.alone  # times of rejections and answers are compared
UNDER_WAY = 2
WAITING = 2
LOAD_SECONDS = 4.0
ONCE = Retry(attempts=1)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    parameters = {"max_waiting_videos": str(WAITING), "videos_in_flight": str(UNDER_WAY)}
    with served(SAMPLE.parent, tmp_path_factory.mktemp("log"), parameters) as server:
        yield server


def test_more_clients_than_are_accepted_leave_the_others_their_answers(server):
    places = UNDER_WAY + WAITING

    async def load(clients):
        """Return the seconds to each answer and to each rejection of clients without pauses."""
        answered, rejected = [], []
        async with AsyncTrireelClient(server.grpc_url, retries=ONCE) as client:
            end = time.monotonic() + LOAD_SECONDS

            async def work():
                while (began := time.monotonic()) < end:
                    try:
                        await client.analyze(ServerPath("sample.mp4"))
                        answered.append(time.monotonic() - began)
                    except ServerFull as full:
                        rejected.append(time.monotonic() - began)
                        await asyncio.sleep(full.retry_after_seconds)

            await asyncio.gather(*(work() for _ in range(clients)))
        return answered, rejected

    answered, rejected = asyncio.run(load(2 * places))
    assert answered
    assert len(rejected) >= places
    assert max(rejected) < min(answered)
    # One fewer: an accepted video counts among the waiting ones for a moment more.
    answered, rejected = asyncio.run(load(places - 1))
    assert answered
    assert rejected == []


def test_64_clients_at_once_and_none_is_refused(media, tmp_path):
    clients, rounds = 64, 2

    async def one(client):
        return [(await client.analyze(ServerPath("clip.mp4"))).num_chunks for _ in range(rounds)]

    async def all_of_them(server):
        async with AsyncTrireelClient(server.grpc_url, retries=ONCE) as client:
            return await asyncio.gather(*(one(client) for _ in range(clients)))

    with served(media, tmp_path) as server:
        assert asyncio.run(all_of_them(server)) == [[2] * rounds] * clients
