# SPDX-License-Identifier: Apache-2.0
"""An extractor in a separate process.

Decoders are C code that reads files from strangers. A decoder that crashes, hangs or fills the
memory must fail one request, not the server's model, which Triton would never restart. The process
has no credentials in its environment, a memory limit, and is killed when its time is up. It runs as
the server's user: a compromised decoder can read every file that this user can read.
"""

import fcntl
import json
import mmap
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from trireel_backend.errors import (
    Cancelled,
    DecoderCrashed,
    MissingPart,
    RequestError,
    TooMuchWork,
    Unavailable,
)
from trireel_backend.extraction.process.messages import (
    MAX_MESSAGE_BYTES,
    READY,
    Answer,
    Nonsense,
    WorkerSetup,
    as_frames,
    decode_answer,
    encode,
    encode_task,
    split_memory,
)
from trireel_backend.extraction.task import Extracted, ExtractionTask, ExtractorOptions
from trireel_backend.system.workers import start_worker

WORKER_MODULE = "trireel_backend.extraction.process.worker"
POLL_SECONDS = 0.5  # between checks that the client is still there
START_SECONDS = 60.0  # to load NumPy and FFmpeg, on a machine that may be busy
MOST_TIMEOUTS = 4  # most chunks for which a request gets time


class _Deadline:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.0, self._end - time.monotonic())


class IsolatedExtractor:
    """Runs tasks one after the other in a worker process, which is replaced when it dies.

    Use it only in the thread that created it: the kernel ends a worker with the thread that started
    it.
    """

    def __init__(
        self, options: ExtractorOptions, max_pixels_bytes: int, second_bytes: int = 0
    ) -> None:
        """Start the worker.

        Args:
            max_pixels_bytes: memory for the frames of one task.
            second_bytes: memory for the frames of second views of one task.

        Raises:
            MissingPart: if the worker does not start.
        """
        self._options = options
        self._second_bytes = second_bytes
        self._pixels_bytes = max_pixels_bytes + second_bytes
        self._pixels_fd = _sealed_memory(self._pixels_bytes)
        self._pixels = np.frombuffer(mmap.mmap(self._pixels_fd, self._pixels_bytes), np.uint8)
        self._tasks = 0
        self._is_ready = False
        self._start()
        try:
            self._await_ready()
        except Unavailable as error:
            self.close()
            raise MissingPart(str(error)) from error

    def run(
        self, task: ExtractionTask, is_cancelled: Callable[[], bool] = lambda: False
    ) -> Extracted:
        """Run a task.

        Args:
            is_cancelled: returns whether the client has gone away.

        Raises:
            TooMuchWork: if the time limit has passed.
            DecoderCrashed: if the worker crashed.
            Unavailable: if the worker was killed or does not start.
            Cancelled: if the client has gone away.
            RequestError: if `Extractor.run` raises it.
        """
        if self._process.poll() is not None:  # killed while idle
            self._restart()
        answer = self._exchange(task, is_cancelled)
        if answer.is_worn_out:
            self._restart()
        if isinstance(answer.result, RequestError):
            raise answer.result
        return answer.result

    def close(self) -> None:
        """End the worker."""
        self._stop()
        self._pixels = np.empty(0, np.uint8)  # releases the shared memory
        os.close(self._pixels_fd)

    def _exchange(self, task: ExtractionTask, is_cancelled: Callable[[], bool]) -> Answer:
        """Send a task and read its answer; if that fails, the worker is replaced."""
        self._tasks += 1
        try:
            self._await_ready()
            self._connection.sendall(encode_task(self._tasks, task))
            line = self._line(self._deadline(task), is_cancelled)
            first, second = split_memory(self._pixels, self._second_bytes)
            pixels = as_frames(first, task.view)
            return decode_answer(line, self._tasks, task, pixels, second)
        except (EOFError, OSError) as error:
            raise _death(self._restart(grace_seconds=1.0)) from error
        except Nonsense as error:
            self._restart()
            raise DecoderCrashed(
                "the decoder's process returned an invalid answer for this video: the file is"
                " damaged or hostile"
            ) from error
        except BaseException:
            self._restart()
            raise

    def _deadline(self, task: ExtractionTask) -> _Deadline:
        chunks = min(len(task.starts_seconds), MOST_TIMEOUTS) if task.sampling.count(1.0) else 1
        return _Deadline(self._options.limits.timeout_seconds * max(1, chunks))

    def _line(self, deadline: _Deadline, is_cancelled: Callable[[], bool]) -> bytes:
        """Read a line, however slowly it comes, until the deadline."""
        received = bytearray()
        while not received.endswith(b"\n"):
            if select.select([self._connection], [], [], min(POLL_SECONDS, deadline.left()))[0]:
                piece = self._connection.recv(2**16)
                if not piece or len(received) > MAX_MESSAGE_BYTES:
                    raise EOFError
                received += piece
                continue
            if deadline.left() <= 0:
                raise TooMuchWork(
                    f"the frames were not there after {deadline.seconds:g} s: request shorter"
                    " chunks or keyframes only, or scale the video down"
                )
            if is_cancelled():
                raise Cancelled("the client has gone away")
        return bytes(received)

    def _await_ready(self) -> None:
        """Wait until the worker accepts tasks; raises Unavailable if it does not start."""
        if self._is_ready:
            return
        try:
            self._is_ready = self._line(_Deadline(START_SECONDS), lambda: False) == READY
        except (EOFError, OSError, TooMuchWork):
            self._is_ready = False
        if not self._is_ready:
            raise Unavailable(
                "the decoder's process does not start: try again, or see the server's log"
            )

    def _restart(self, grace_seconds: float = 0.0) -> int:
        """Replace the worker; return the exit status of the old worker."""
        status = self._stop(grace_seconds)
        self._start()
        return status

    def _stop(self, grace_seconds: float = 0.0) -> int:
        self._connection.close()
        try:
            return self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def _start(self) -> None:
        self._is_ready = False
        self._connection, worker_socket = socket.socketpair()
        with worker_socket:
            setup = WorkerSetup(
                socket_fd=worker_socket.fileno(),
                pixels_fd=self._pixels_fd,
                pixels_bytes=self._pixels_bytes,
                second_bytes=self._second_bytes,
                owner_pid=os.getpid(),
                options=encode(self._options),
            )
            try:
                self._process = start_worker(
                    WORKER_MODULE,
                    json.dumps(asdict(setup)),
                    (setup.socket_fd, setup.pixels_fd),
                )
            except FileNotFoundError as error:
                raise MissingPart(str(error)) from error


def _sealed_memory(size_bytes: int) -> int:
    """Return anonymous shared memory of a fixed size, which never leaves a file behind.

    A worker that shortened it would crash its owner with SIGBUS.
    """
    descriptor = os.memfd_create("trireel-frames", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size_bytes)
    seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


def _death(status: int) -> RequestError:
    """Return the error of a request whose worker ended with an exit status, negative by a signal.

    A decoder does not send itself SIGKILL: an operator did, or the kernel for lack of memory.
    """
    if status == -signal.SIGKILL:
        return Unavailable(
            "the decoder's process was killed while it worked on the video: try again"
        )
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return DecoderCrashed(
        f"the decoder's process died ({how}) of this video: the file is damaged or hostile"
    )
