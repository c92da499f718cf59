# SPDX-License-Identifier: Apache-2.0
"""A stream that is read slowly: its answers wait at the server, not in the client's memory."""

import threading
import time

import numpy as np
from unit.client.loopback import Loopback
from unit.client.scripted import bytes_of
from unit.client.scripted_captions import captions_answer, captions_stream

from trireel_client import ServerPath
from trireel_client._transports.inbox import MOST_ANSWERS, Inbox

CLIP_BYTES = 2**20
COUNT = 60


def many_clips(sent: list[int]):
    """Yield clips of 1 MiB, and count them."""
    for index in range(COUNT):
        sent.append(index)
        clip = captions_answer([], [0])
        clip["CLIP_DATA"] = bytes_of(["x" * CLIP_BYTES])
        yield {**clip, "CLIP_INDICES": np.array([index + 2], np.int32)}
    yield list(captions_stream())[-1]


def test_answers_that_nobody_reads_wait_at_the_server(grpc_only: Loopback) -> None:
    sent: list[int] = []
    grpc_only.script.answers["caption_extents"] = lambda asked: many_clips(sent)
    with grpc_only.client() as client:
        events = client.captions(ServerPath("a.mp4"))
        next(events)
        count = -1
        while count != len(sent):  # until no more is on its way
            count = len(sent)
            time.sleep(0.3)
        assert MOST_ANSWERS <= count < COUNT
        events.close()  # while the inbox is full
    assert grpc_only.script.cancelled.wait(5.0)


def test_a_slow_reader_gets_all_of_them(grpc_only: Loopback) -> None:
    sent: list[int] = []
    grpc_only.script.answers["caption_extents"] = lambda asked: many_clips(sent)
    with grpc_only.client() as client:
        report = list(client.captions(ServerPath("a.mp4")))[-1]
    assert report.num_clips == COUNT + 1


def test_a_closed_inbox_holds_nobody_up() -> None:
    inbox = Inbox()
    filling = threading.Thread(target=lambda: [inbox.put(i, None) for i in range(100)])
    filling.start()
    assert inbox.get(5.0) == (0, None)
    inbox.close()
    filling.join(5.0)
    assert not filling.is_alive()
