# SPDX-License-Identifier: Apache-2.0
"""The encoder's process: its answers, its end, and everything that may go wrong with it."""

import os
import signal
import time

import numpy as np
import psutil
import pytest

from trireel_backend.clips import isolation
from trireel_backend.clips.encode import encode_clip
from trireel_backend.clips.isolation import EncoderSettings, IsolatedEncoder
from trireel_backend.clips.messages import ClipTask, decode_head
from trireel_backend.clips.options import ClipOptions
from trireel_backend.errors import Cancelled, StageFailed, TooMuchWork, Unavailable


def clip_task(count=6, height=64, width=96):
    generator = np.random.default_rng(3)
    frames = generator.integers(0, 255, (count, height, width, 3), np.uint8)
    return ClipTask(frames, np.arange(count) * 100, ClipOptions())


def expected(task):
    return encode_clip(task.frames, task.times_ms.tolist(), task.options)


def worker():
    """The encoder's process that this test has started."""
    (process,) = [
        child for child in psutil.Process().children() if isolation.WORKER_MODULE in child.cmdline()
    ]
    return process


@pytest.fixture
def start():
    encoders = []

    def started(**settings):
        encoders.append(IsolatedEncoder(EncoderSettings(**settings)))
        return encoders[-1]

    yield started
    for encoder in encoders:
        encoder.close()


def test_its_clips_are_those_of_this_process(start):
    encoder = start()
    for task in (clip_task(), clip_task(1, 3, 5), clip_task(40)):
        assert encoder.encode(task) == expected(task)


def test_no_process_runs_before_the_first_clip(start):
    start()
    assert not psutil.Process().children()


def test_nothing_is_left(start):
    encoder = start()
    encoder.encode(clip_task())
    files, process = len(os.listdir("/proc/self/fd")), worker()
    encoder.encode(clip_task(40))
    assert len(os.listdir("/proc/self/fd")) == files
    encoder.close()
    assert not process.is_running()
    assert len(os.listdir("/proc/self/fd")) == files - 1


def killed_at_work(encoder, task, numbers):
    """Encode a task with workers that get these signals, one after the other, at their work."""
    left = list(numbers)
    hit = set()

    def kill():
        process = worker()
        if left and process.pid not in hit:
            hit.add(process.pid)
            os.kill(process.pid, left.pop(0))
        return False

    return encoder.encode(task, kill)


def test_a_crash_costs_one_clip(start):
    encoder, long = start(), clip_task(200)
    encoder.encode(clip_task())
    with pytest.raises(StageFailed, match=r"died \(SIGSEGV\): try another CLIP_CODEC"):
        killed_at_work(encoder, long, [signal.SIGSEGV])
    assert encoder.encode(clip_task()) == expected(clip_task())


def test_a_worker_killed_at_work_gets_a_successor(start):
    encoder, long = start(), clip_task(200)
    encoder.encode(clip_task())
    assert killed_at_work(encoder, long, [signal.SIGKILL]) == expected(long)


def test_a_worker_killed_again_is_worth_another_try(start):
    encoder, long = start(), clip_task(200)
    encoder.encode(clip_task())
    with pytest.raises(Unavailable, match="was killed at its work: try again"):
        killed_at_work(encoder, long, [signal.SIGKILL, signal.SIGKILL])


def test_a_worker_killed_at_rest_is_replaced_unnoticed(start):
    encoder, task = start(), clip_task()
    encoder.encode(task)
    worker().kill()
    time.sleep(0.1)
    assert encoder.encode(task) == expected(task)


def test_time_is_bounded(start):
    encoder, task = start(encode_timeout_seconds=1.0), clip_task()
    encoder.encode(task)
    os.kill(worker().pid, signal.SIGSTOP)
    with pytest.raises(TooMuchWork, match=r"not encoded after 1 s.*CLIP_CPU_USED"):
        encoder.encode(task)
    assert encoder.encode(task) == expected(task)


def test_no_clip_is_made_for_a_client_that_has_gone(start):
    encoder = start()
    encoder.encode(clip_task())
    process = worker()
    with pytest.raises(Cancelled):
        encoder.encode(clip_task(400), lambda: True)
    assert not process.is_running()


def test_memory_is_bounded(start):
    encoder = start(encoder_memory_bytes=150 * 2**20)
    with pytest.raises((TooMuchWork, StageFailed, Unavailable)):
        encoder.encode(clip_task(2, 4096, 4096))
    task = clip_task()
    assert encoder.encode(task) == expected(task)


def test_an_encoders_error_comes_through(start):
    task = ClipTask(np.zeros((1, 2, 2, 3), np.uint8), np.zeros(1, np.int64), ClipOptions("av1"))
    encoder = start()
    with pytest.raises(StageFailed, match="cannot be encoded as av1"):
        encoder.encode(task)
    process = worker()
    encoder.encode(clip_task())
    assert worker() == process  # its worker goes on


def test_a_worker_that_does_not_start_says_so(start, monkeypatch):
    monkeypatch.setattr(isolation, "WORKER_MODULE", "no.such.module")
    with pytest.raises(Unavailable, match="does not start"):
        start().encode(clip_task())


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"nonsense",
        b'{"size_bytes": 0}',
        b'{"size_bytes": "9"}',
        b'{"size_bytes": 999999999}',
    ],
)
def test_a_line_that_no_worker_writes_is_an_error(line):
    with pytest.raises(ValueError, match=r".*"):
        decode_head(line, clip_task())


def test_an_error_of_its_own_invention_is_an_internal_one():
    assert isinstance(
        decode_head(b'{"error": "SystemExit", "message": "x"}', clip_task()), StageFailed
    )


def test_a_worker_sees_no_credentials(start, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    start().encode(clip_task())
    assert "AWS_SECRET_ACCESS_KEY" not in worker().environ()
