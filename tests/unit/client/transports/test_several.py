# SPDX-License-Identifier: Apache-2.0
"""A client of several servers uses the next one if one is lost, and goes on with a video there."""

import asyncio
from contextlib import ExitStack

import numpy as np
import pytest
from unit.client.either import VIDEO, indices
from unit.client.loopback import QUICK, SERVERS
from unit.client.scripted import (
    NO_START,
    UNAVAILABLE,
    Script,
    plan,
    state_after,
    stepped_chunk,
    stream_of,
    whole_video,
)

from trireel_client import AsyncTrireelClient, InvalidAddress, ServerUnavailable, TrireelClient

from ..flows.test_lost_sequences import refusing


def script_of():
    script = Script()
    script.answers.update(
        frame_extractor=lambda asked: plan(),
        video_chunk=stepped_chunk,
        temporal_decoder=lambda asked: {"CHUNK_INDICES": np.array([9], np.int32)},
        video_analysis=lambda asked: whole_video(),
        video_analysis_stream=lambda asked: stream_of(),
    )
    return script


@pytest.fixture(params=["grpc", "http", "async"])
def several(request):
    """Return two servers, and a function that reads an iterator of a client of both."""
    protocol = "http" if request.param == "http" else "grpc"
    scripts = [script_of(), script_of()]
    with ExitStack() as stack:
        urls = [stack.enter_context(SERVERS[protocol](script)) for script in scripts]

        async def read_async(method):
            async with AsyncTrireelClient(urls, retries=QUICK) as client:
                return [answer async for answer in getattr(client, method)(VIDEO)]

        def read(method):
            if request.param == "async":
                return asyncio.run(read_async(method))
            with TrireelClient(urls, protocol=protocol, retries=QUICK) as client:
                return list(getattr(client, method)(VIDEO))

        yield *scripts, read


def test_a_walk_goes_on_at_the_next_server(several):
    first, second, read = several
    first.answers["video_chunk"] = refusing(stepped_chunk, {1: UNAVAILABLE})
    assert indices(read("step")) == [0, 1, 2]
    assert len(first.asked_of("video_chunk")) == 2
    resumed, last = second.asked_of("video_chunk")
    assert resumed.inputs["START_STATE"].tobytes() == state_after(0)
    assert resumed.parameters["sequence_start"]
    assert last.parameters["sequence_end"]


def test_a_server_that_only_lost_the_sequence_is_used_again(several):
    first, second, read = several
    first.answers["video_chunk"] = refusing(stepped_chunk, {1: NO_START})
    assert indices(read("step")) == [0, 1, 2]
    assert len(first.asked_of("video_chunk")) == 4
    assert second.asked == []


def test_servers_are_left_in_turn(several):
    first, second, read = several
    first.answers["video_chunk"] = refusing(stepped_chunk, {1: UNAVAILABLE})
    second.answers["video_chunk"] = refusing(stepped_chunk, {0: UNAVAILABLE})
    assert indices(read("step")) == [0, 1, 2]
    assert len(first.asked_of("video_chunk")) == 4
    assert len(second.asked_of("video_chunk")) == 1


def test_all_servers_lost_is_an_error(several):
    first, second, read = several
    for script in (first, second):
        script.answers["video_chunk"] = refusing(
            stepped_chunk, dict.fromkeys(range(9), UNAVAILABLE)
        )
    with pytest.raises(ServerUnavailable, match="queue is full"):
        read("step")


def test_whole_videos_and_streams_use_the_next_server_too():
    with SERVERS["grpc"](script_of()) as url:
        urls = ["127.0.0.1:1", url]  # no server listens at the first
        with TrireelClient(urls, retries=QUICK) as client:
            assert len(client.analyze(VIDEO).chunks) == 3
        with TrireelClient(urls, retries=QUICK) as client:
            assert indices(list(client.stream(VIDEO))) == [0, 1, 2, "whole"]


def test_an_empty_list_of_servers():
    with pytest.raises(InvalidAddress, match="give one HOST:PORT or more"):
        TrireelClient([])
