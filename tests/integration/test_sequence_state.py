# SPDX-License-Identifier: Apache-2.0
"""States over the wire: returned by Triton's ensembles, given back, and never mixed up."""

import asyncio
import base64
import subprocess
import sys
import time

import numpy as np
import pytest
from support.raw import Raw, number, video
from support.videos import numbered_frame, write_video
from tritonclient.utils import InferenceServerException

from trireel_client import AsyncTrireelClient, InvalidRequest, ServerPath, TrireelClient
from trireel_schema.catalogue import finding_outputs

from .conftest import SERVED_FINDINGS

FIND = SERVED_FINDINGS
CLIP, SHORT = "clip.mp4", "short.mp4"
CHUNKS, SECONDS = 4, 3.0
VIDEOS, CLIENTS = 64, 8
STEPPING = """
import base64, sys
from trireel_client import ServerPath, TrireelClient
with TrireelClient(sys.argv[1]) as client:
    for chunk in client.step(ServerPath("clip.mp4"), sequence_id="killed", chunk_seconds=3.0):
        print(base64.b64encode(chunk.state or b"").decode(), flush=True)
        sys.stdin.readline()
"""


@pytest.fixture(params=["grpc", "http"])
def raw(server, request):
    raw = Raw(server, request.param)
    yield raw
    raw.close()


def chunk(raw, index, sequence, *, start=False, end=False, find=FIND, **inputs):
    """Return the answer's tensors of a chunk that video_chunk steps to."""
    inputs = video(
        CLIP,
        START_SECONDS=number("FP64", SECONDS * index),
        CHUNK_SECONDS=number("FP64", SECONDS),
        FIND=("BYTES", np.array([name.encode() for name in find], object)),
        RETURN_STATE=number("BOOL", True),
        **inputs,
    )
    answer = raw.infer(
        "video_chunk", inputs, sequence_id=sequence, sequence_start=start, sequence_end=end
    )
    names = (*finding_outputs(find), "STATE", "CHUNK_STATUS", "TIMESTAMPS")
    return {name: answer.as_numpy(name) for name in names}


def same(one, other, *, but=()):
    for name in one.keys() - set(but):
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def undisturbed(raw, sequence):
    return [chunk(raw, i, sequence, start=i == 0, end=i == CHUNKS - 1) for i in range(CHUNKS)]


def test_an_ensemble_returns_states_and_goes_on_from_them(raw):
    expected = undisturbed(raw, 901)
    assert len(expected[-1]["STATE"]) == 0
    state = {}
    for index in range(CHUNKS):
        sequence = 910 + index  # each chunk in a sequence of its own, as at a server of its own
        answer = chunk(raw, index, sequence, start=True, end=index == CHUNKS - 1, **state)
        same(answer, expected[index])
        state = {"START_STATE": ("UINT8", answer["STATE"])}
        if index < CHUNKS - 1:  # repeated, to end the sequence
            chunk(raw, index, sequence, end=True)


def test_a_chunk_twice_and_a_late_one(raw):
    expected = undisturbed(raw, 921)
    for index in range(CHUNKS - 1):
        chunk(raw, index, 922, start=index == 0)
        again = chunk(raw, index, 922)
        assert again["CHUNK_STATUS"].tolist() == [b"repeated"]
        same(again, expected[index], but=["CHUNK_STATUS"])
    inputs = video(CLIP, START_SECONDS=number("FP64", 0.0), CHUNK_SECONDS=number("FP64", SECONDS))
    names = ("BYTES", np.array([name.encode() for name in FIND], object))
    message = raw.refused(400, "video_chunk", {**inputs, "FIND": names}, sequence_id=922)
    assert (
        "the chunk is late: it is at 0 s, and the last chunk of its sequence was at 6 s" in message
    )
    same(chunk(raw, CHUNKS - 1, 922, end=True), expected[-1])


def test_a_cameras_chunks_are_told_apart_by_their_times(raw):
    rng = np.random.default_rng(5)

    def send(at, **flags):
        inputs = {
            "FRAMES": ("UINT8", rng.integers(0, 256, (2, 96, 96, 3), np.uint8)),
            "TIMESTAMPS": ("FP64", np.array([at, at + 0.5])),
            **flags.pop("inputs", {}),
        }
        answer = raw.infer("frame_chunk", inputs, sequence_id=951, **flags)
        return int(answer.as_numpy("CHUNK_INDICES")[0]), answer.as_numpy("CHUNK_STATUS")[0]

    assert send(7.0, sequence_start=True) == (0, b"new")
    assert send(8.0) == (1, b"new")
    assert send(8.0) == (1, b"repeated")
    with pytest.raises(InferenceServerException, match=r"late: it is at 7\.5 s"):
        send(7.0)
    assert send(7.0, inputs={"ANY_ORDER": number("BOOL", True)}) == (2, b"new")
    assert send(8.0, sequence_end=True) == (3, b"new")


def test_a_state_is_not_sent_unless_it_is_wanted(raw):
    answer = raw.infer(
        "video_chunk",
        video(CLIP, CHUNK_SECONDS=number("FP64", SECONDS)),
        sequence_id=931,
        sequence_start=True,
        sequence_end=True,
    )
    assert answer.as_numpy("STATE").shape == (0,)
    assert answer.as_numpy("CHUNK_STATUS").tolist() == [b"new"]


def test_a_damaged_state_is_refused_in_one_sentence(raw):
    state = chunk(raw, 0, 941, start=True)["STATE"]
    for damaged in (state[:-1], state[:50], state[::-1], state[:0]):
        given = {
            **video(CLIP, START_SECONDS=number("FP64", SECONDS)),
            "START_STATE": ("UINT8", np.ascontiguousarray(damaged)),
        }
        message = raw.refused(
            400, "video_chunk", given, sequence_id=942, sequence_start=True, sequence_end=True
        )
        assert "START_STATE is " in message
    chunk(raw, 1, 941, end=True)


def test_sixty_four_videos_over_many_clients_equal_each_alone(server):
    """Each a part of the clip's picture of its own, chunk by chunk and all at once."""

    async def walk(client, number):
        left, top = number % 8 / 16, number // 8 / 16
        options = {"crop": (left, top, 0.5, 0.5), "chunk_seconds": 1.0, "find": FIND}
        return [c async for c in client.step(ServerPath(SHORT), frames_per_chunk=4, **options)]

    async def all_walks(at_once):
        clients = [AsyncTrireelClient(server.grpc_url) for _ in range(CLIENTS)]
        try:
            walks = [walk(clients[n % CLIENTS], n) for n in range(VIDEOS)]
            if at_once:
                return await asyncio.gather(*walks)
            return [await each for each in walks]
        finally:
            for client in clients:
                await client.close()

    write_video(server.media / SHORT, [numbered_frame(3 * i) for i in range(50)])
    alone = asyncio.run(all_walks(at_once=False))
    began = time.monotonic()
    together = asyncio.run(all_walks(at_once=True))
    assert time.monotonic() - began < 120
    assert alone == together
    assert len({walk[-1].video_so_far.tags for walk in alone}) > VIDEOS / 2
    for one, other in zip(alone, together, strict=True):
        assert [c.state for c in one] == [c.state for c in other]
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a.embedding, b.embedding)


def test_another_client_goes_on_where_a_killed_one_stopped(server):
    with TrireelClient(server.grpc_url) as client:
        alone = list(client.step(ServerPath(CLIP), chunk_seconds=SECONDS))
    killed = subprocess.Popen(
        [sys.executable, "-c", STEPPING, server.grpc_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    states = []
    for _ in range(2):
        states.append(killed.stdout.readline())
        killed.stdin.write("\n")
        killed.stdin.flush()
    killed.kill()
    killed.communicate()
    with TrireelClient(server.http_url, protocol="http") as client:
        rest = client.step(
            ServerPath(CLIP),
            chunk_seconds=SECONDS,
            sequence_id="killed",
            start_state=base64.b64decode(states[-1]),
            first_chunk=2,
        )
        assert list(rest) == alone[2:]
        stale = client.step(
            ServerPath(CLIP), chunk_seconds=SECONDS, start_state=b"none", first_chunk=2
        )
        with pytest.raises(InvalidRequest, match="START_STATE is not a state"):
            next(stale)
