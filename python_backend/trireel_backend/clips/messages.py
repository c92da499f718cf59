# SPDX-License-Identifier: Apache-2.0
"""Tasks and answers between a clip encoder's process and its owner.

A task is a line of JSON, sent with the descriptor of the memory that holds its times and pixels. An
answer is a line of JSON and, if it is a clip, the clip's bytes.
"""

import dataclasses
import json
import mmap
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.clips.options import ClipOptions
from trireel_backend.errors import RequestError, StageFailed, TooMuchWork, Unavailable

MAX_LINE_BYTES = 2**14
TIME_BYTES = 8
SPARE_BYTES = 2**20  # a file of tiny frames is longer than their pixels
READY = b'{"ready": true}\n'
"""First line of a worker: it accepts tasks."""
WORKER_ERRORS = {error.__name__: error for error in (StageFailed, TooMuchWork)}
"""The errors that a worker may report, by name."""


@dataclass(frozen=True)
class WorkerSetup:
    """Parameters of a worker process."""

    socket_fd: int
    """Descriptor of the socket for tasks and answers."""
    owner_pid: int
    """Process id of the owner, with which the worker ends."""
    memory_bytes: int
    """Memory in bytes that the worker may use, beside the frames of its task."""


@dataclass(frozen=True)
class ClipTask:
    """One clip to encode."""

    frames: NDArray[np.uint8]
    """[f, h, w, 3] RGB frames."""
    times_ms: NDArray[np.int64]
    """[f] PTS of each frame in the clip."""
    options: ClipOptions
    """Codec, speed and quality."""


def send_task(connection: socket.socket, task: ClipTask) -> None:
    """Send a task.

    Raises:
        Unavailable: if there is no memory for the frames.
        OSError: if the worker is gone.
    """
    message = {"shape": task.frames.shape, "options": dataclasses.asdict(task.options)}
    descriptor = os.memfd_create("trireel-clip", os.MFD_CLOEXEC)
    try:
        _fill(descriptor, task)
        line = json.dumps(message).encode() + b"\n"
        socket.send_fds(connection, [line], [descriptor])
    finally:
        os.close(descriptor)


def _fill(descriptor: int, task: ClipTask) -> None:
    size_bytes = len(task.times_ms) * TIME_BYTES + task.frames.nbytes
    try:
        os.posix_fallocate(descriptor, 0, size_bytes)  # an error now, and no SIGBUS later
    except OSError as error:
        raise Unavailable(
            f"there is no memory for the {size_bytes} bytes of a clip's frames: try again"
        ) from error
    with mmap.mmap(descriptor, size_bytes) as memory:
        times, frames = _views(memory, task.frames.shape)
        times[:], frames[:] = task.times_ms, task.frames
        del times, frames  # otherwise the memory could not be closed


def receive_task(connection: socket.socket) -> ClipTask | None:
    """Wait for a task; None if the owner has closed the connection."""
    line, descriptors, _, _ = socket.recv_fds(connection, MAX_LINE_BYTES, 1)
    if not line:
        return None
    (descriptor,) = descriptors
    message = json.loads(line)
    memory = mmap.mmap(descriptor, 0)  # closed with the arrays
    os.close(descriptor)
    times, frames = _views(memory, message["shape"])
    return ClipTask(frames, times, ClipOptions(**message["options"]))


def encode_clip_answer(clip: bytes) -> bytes:
    """Return the answer that holds a clip."""
    return json.dumps({"size_bytes": len(clip)}).encode() + b"\n" + clip


def encode_error(error: RequestError) -> bytes:
    """Return the answer that holds an error; its name is a key of WORKER_ERRORS."""
    return json.dumps({"error": type(error).__name__, "message": str(error)}).encode() + b"\n"


def decode_head(line: bytes, task: ClipTask) -> int | RequestError:
    """Return the number of bytes of the clip behind an answer's line, or the error that it holds.

    Raises:
        ValueError: if a correct worker would not write the line.
    """
    values = json.loads(line)
    if not isinstance(values, dict):
        raise ValueError("the answer is no object")
    if "error" in values:
        return WORKER_ERRORS.get(values["error"], StageFailed)(str(values.get("message")))
    size_bytes = values.get("size_bytes")
    if not isinstance(size_bytes, int) or not 0 < size_bytes <= task.frames.nbytes + SPARE_BYTES:
        raise ValueError(f"a clip of {size_bytes!r} bytes")
    return size_bytes


def _views(memory: mmap.mmap, shape: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Return the arrays in a task's memory: times [f], then frames [f, h, w, 3]."""
    count = shape[0]
    times = np.frombuffer(memory, np.int64, count)
    pixels = np.frombuffer(memory, np.uint8, int(np.prod(shape)), count * TIME_BYTES)
    return times, pixels.reshape(shape)
