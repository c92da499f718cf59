# SPDX-License-Identifier: Apache-2.0
"""An encoder of clips in a separate process.

The frames come from our own decoder or from a client as plain pixels, so they cannot attack an
encoder as a file attacks a decoder. But an encoder is C code with much memory: if it crashes, hangs
or is killed, one clip must fail, not the server's model, which Triton would never restart. The
process starts with the first clip: a server that makes no clips does not pay for it.
"""

import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from trireel_backend.clips.messages import (
    MAX_LINE_BYTES,
    READY,
    ClipTask,
    WorkerSetup,
    decode_head,
    send_task,
)
from trireel_backend.errors import Cancelled, RequestError, StageFailed, TooMuchWork, Unavailable
from trireel_backend.system.workers import start_worker

WORKER_MODULE = "trireel_backend.clips.worker"
START_SECONDS = 60.0  # to load NumPy and FFmpeg, on a machine that may be busy
POLL_SECONDS = 0.5  # between checks that the client is still there
GRACE_SECONDS = 1.0  # for a worker that is ending
WORKER_ENVIRONMENT = {"SVT_LOG": "1"}  # errors only: SVT-AV1 describes itself with each clip


@dataclass(frozen=True)
class EncoderSettings:
    """Operator's limits on one clip."""

    encode_timeout_seconds: float = 120.0
    """Time limit in seconds for one clip."""
    max_clip_bytes: int = 256 * 2**20
    """Most bytes of the frames of one clip."""
    encoder_memory_bytes: int = 2 * 2**30
    """Memory in bytes that the encoding process may use, beside the frames of its clip."""


class IsolatedEncoder:
    """Encodes clips one after the other in a worker process, which is replaced when it dies.

    Use it in one thread: the kernel ends a worker with the thread that started it.
    """

    def __init__(self, settings: EncoderSettings) -> None:
        """Make an encoder; its worker starts with the first clip."""
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def encode(self, task: ClipTask, is_cancelled: Callable[[], bool] = lambda: False) -> bytes:
        """Return a clip, as `encode_clip` does; a worker that is killed gets one successor.

        Args:
            is_cancelled: returns whether the client has gone away.

        Raises:
            TooMuchWork: if the time limit has passed, or the memory does not suffice.
            StageFailed: if the encoder failed, or its process crashed.
            Unavailable: if the process was killed twice or does not start.
            Cancelled: if the client has gone away.
        """
        try:
            answer = self._exchange(task, is_cancelled)
        except _Killed:
            answer = self._exchange(task, is_cancelled)
        if isinstance(answer, RequestError):
            raise answer
        return answer

    def close(self) -> None:
        """End the worker; the next clip starts another one."""
        self._stop()

    def _exchange(self, task: ClipTask, is_cancelled: Callable[[], bool]) -> bytes | RequestError:
        """Send a task and read its answer; if that fails, the worker is ended."""
        try:
            connection = self._connected()
            wait = _Wait(self._settings.encode_timeout_seconds, is_cancelled)
            send_task(connection, task)
            line, _, begin = _until_newline(connection, wait).partition(b"\n")
            head = decode_head(line, task)
            if isinstance(head, RequestError):
                return head
            return _until(connection, wait, begin, head)
        except (EOFError, OSError) as error:
            raise _death(self._stop(GRACE_SECONDS)) from error
        except ValueError as error:
            self._stop()
            raise StageFailed("the clip encoder's process returned an invalid answer") from error
        except BaseException:
            self._stop()
            raise

    def _connected(self) -> socket.socket:
        """Return the connection to a worker that accepts tasks, which may be a new one."""
        if self._process is not None and self._process.poll() is not None:  # killed while idle
            self._stop()
        if self._process is None:
            self._start()
        return self._connection

    def _start(self) -> None:
        self._connection, worker_socket = socket.socketpair()
        with worker_socket:
            setup = WorkerSetup(
                worker_socket.fileno(), os.getpid(), self._settings.encoder_memory_bytes
            )
            self._process = start_worker(
                WORKER_MODULE,
                json.dumps(asdict(setup)),
                (setup.socket_fd,),
                WORKER_ENVIRONMENT,
            )
        try:
            is_ready = (
                _until_newline(self._connection, _Wait(START_SECONDS, lambda: False)) == READY
            )
        except (EOFError, OSError, TooMuchWork):
            is_ready = False
        if not is_ready:
            raise Unavailable(
                "the clip encoder's process does not start: try again, or see the server's log"
            )

    def _stop(self, grace_seconds: float = 0.0) -> int:
        """End the worker; return its exit status, 0 if there was none."""
        process, self._process = self._process, None
        if process is None:
            return 0
        self._connection.close()
        try:
            return process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


class _Killed(Unavailable):
    """The worker was killed from outside; the clip is not to blame."""


class _Wait:
    """How long to wait for a worker, and for whom."""

    def __init__(self, seconds: float, is_cancelled: Callable[[], bool]) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._is_cancelled = is_cancelled

    def poll_seconds(self) -> float:
        """Return how long to wait now; raises TooMuchWork or Cancelled."""
        left_seconds = self._end - time.monotonic()
        if left_seconds <= 0:
            raise TooMuchWork(
                f"the clip was not encoded after {self._seconds:g} s: send fewer or smaller frames,"
                " or a higher CLIP_CPU_USED"
            )
        if self._is_cancelled():
            raise Cancelled("the client has gone away")
        return min(POLL_SECONDS, left_seconds)


def _until_newline(connection: socket.socket, wait: _Wait) -> bytes:
    received = b""
    while b"\n" not in received:
        if len(received) > MAX_LINE_BYTES:
            raise ValueError("the line has no end")
        received += _piece(connection, wait, MAX_LINE_BYTES)
    return received


def _until(connection: socket.socket, wait: _Wait, begin: bytes, size_bytes: int) -> bytes:
    received = bytearray(begin)
    while len(received) < size_bytes:
        received += _piece(connection, wait, size_bytes - len(received))
    return bytes(received)


def _piece(connection: socket.socket, wait: _Wait, most_bytes: int) -> bytes:
    """Return the next bytes; raises EOFError at the worker's end, and the errors of `_Wait`."""
    while not select.select([connection], [], [], wait.poll_seconds())[0]:
        pass
    piece = connection.recv(most_bytes)
    if not piece:
        raise EOFError
    return piece


def _death(status: int) -> RequestError:
    """Return the error of a clip whose worker ended with an exit status, negative by a signal.

    An encoder does not send itself SIGKILL: an operator did, or the kernel for lack of memory.
    """
    if status == -signal.SIGKILL:
        return _Killed("the clip encoder's process was killed at its work: try again")
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return StageFailed(f"the clip encoder's process died ({how}): try another CLIP_CODEC")
