# SPDX-License-Identifier: Apache-2.0
"""An extractor in a process of its own.

Decoders are C code that reads what strangers made: one that crashes, hangs or fills the memory must
take one request with it, not the server's model, which Triton would never start again. The process
has no credentials in its environment, a bound on its memory, and is killed when its time is up.
"""

import json
import mmap
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from trireel_backend.errors import (
    Cancelled,
    DecoderCrashed,
    MissingPart,
    RequestError,
    TooMuchWork,
    Unavailable,
)
from trireel_backend.extraction.messages import (
    MAX_MESSAGE_BYTES,
    WorkerSetup,
    as_frames,
    decode_result,
    encode,
)
from trireel_backend.extraction.task import Extracted, ExtractionTask, ExtractorOptions

WORKER_MODULE = "trireel_backend.extraction.worker"
POLL_SECONDS = 0.5  # between looks whether the client is still there
PASSED_ON = (
    *("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CUDA_VISIBLE_DEVICES"),
)
"""What a worker sees of the environment: nothing that opens a door."""


def _never() -> bool:
    return False


class IsolatedExtractor:
    """Does tasks one after the other in a worker process, which is replaced when it dies."""

    def __init__(self, options: ExtractorOptions, max_pixels_bytes: int) -> None:
        """Start the worker.

        Args:
            max_pixels_bytes: room for the frames of one task.
        """
        self._options = options
        self._pixels_bytes = max_pixels_bytes
        self._pixels_fd = os.memfd_create("trireel-frames")  # in no folder: it cannot be left over
        os.ftruncate(self._pixels_fd, max_pixels_bytes)
        self._pixels = np.frombuffer(mmap.mmap(self._pixels_fd, max_pixels_bytes), np.uint8)
        self._start()

    def run(self, task: ExtractionTask, is_cancelled: Callable[[], bool] = _never) -> Extracted:
        """Do a task.

        Args:
            is_cancelled: tells whether nobody waits for the result any more.

        Raises:
            TooMuchWork: the time was up.
            DecoderCrashed, Unavailable: the worker died.
            Cancelled: nobody waits for the result.
            RequestError: what `Extractor.run` raises.
        """
        if self._process.poll() is not None:  # killed while it had nothing to do
            self._restart()
        try:
            self._connection.send_bytes(encode(task))
            self._wait(len(task.starts_seconds), is_cancelled)
            message = self._connection.recv_bytes(MAX_MESSAGE_BYTES)
        except (EOFError, ConnectionError) as error:
            raise _death(self._restart()) from error
        return decode_result(message, as_frames(self._pixels, task.view.size_px))

    def close(self) -> None:
        """End the worker."""
        self._connection.close()
        self._process.kill()
        self._process.wait()
        self._pixels = np.empty(0, np.uint8)  # lets go of the shared memory
        os.close(self._pixels_fd)

    def _wait(self, num_chunks: int, is_cancelled: Callable[[], bool]) -> None:
        timeout_seconds = self._options.limits.timeout_seconds * max(1, num_chunks)
        deadline = time.monotonic() + timeout_seconds
        while not self._connection.poll(min(POLL_SECONDS, timeout_seconds)):
            if time.monotonic() > deadline:
                self._restart()
                raise TooMuchWork(
                    f"the frames were not there after {timeout_seconds:g} s: ask for shorter"
                    " chunks or for keyframes only, or scale the video down"
                )
            if is_cancelled():
                self._restart()
                raise Cancelled("the client has gone away")

    def _restart(self) -> int:
        """Put a new worker in the place of the old one; return the old one's exit status."""
        self._connection.close()
        self._process.kill()
        status = self._process.wait()
        self._start()
        return status

    def _start(self) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            self._process = _start_worker(theirs, self._setup(theirs))

    def _setup(self, theirs: Connection) -> WorkerSetup:
        return WorkerSetup(
            socket_fd=theirs.fileno(),
            pixels_fd=self._pixels_fd,
            pixels_bytes=self._pixels_bytes,
            owner_pid=os.getpid(),
            options=encode(self._options).decode(),
        )


def _death(status: int) -> RequestError:
    """Return the error of a request whose worker ended with an exit status, negative by a signal.

    A decoder does not kill itself outright: that was somebody, or the want of memory.
    """
    if status == -signal.SIGKILL:
        return Unavailable(
            "the decoder's process was killed while it worked on the video: try again"
        )
    how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return DecoderCrashed(
        f"the decoder's process died ({how}) of this video: the file is damaged or hostile"
    )


def _start_worker(theirs: Connection, setup: WorkerSetup) -> "subprocess.Popen[bytes]":
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    package_parent = str(Path(__file__).parents[2])
    search = [package_parent, *filter(None, [environment.get("PYTHONPATH")])]
    return subprocess.Popen(
        [_python(), "-P", "-m", WORKER_MODULE, json.dumps(asdict(setup))],
        pass_fds=(setup.socket_fd, setup.pixels_fd),
        env=environment | {"PYTHONPATH": os.pathsep.join(search)},
        stdin=subprocess.DEVNULL,
    )


def _python() -> str:
    """Return the interpreter; where Python is embedded, as in Triton's stub, the first on PATH."""
    if Path(sys.executable or "").name.startswith("python"):
        return sys.executable
    found = shutil.which("python3")
    if found is None:
        raise MissingPart("there is no python3 on PATH to run the decoder's process with")
    return found
