# SPDX-License-Identifier: Apache-2.0
"""The process that decodes: it does the tasks of one owner, and ends with it.

Started by `isolation.IsolatedExtractor`, never by hand.
"""

import ctypes
import json
import mmap
import os
import resource
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import RequestError, StageFailed
from trireel_backend.extraction.container import gpu_decodes
from trireel_backend.extraction.extractor import Extractor
from trireel_backend.extraction.messages import (
    MAX_MESSAGE_BYTES,
    WorkerSetup,
    as_frames,
    decode_options,
    decode_task,
    encode_error,
    encode_result,
)

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
MAX_OPEN_FILES = 256


def main() -> None:
    """Do tasks until the owner closes the connection."""
    setup = WorkerSetup(**json.loads(sys.argv[1]))
    _end_with(setup.owner_pid)
    options = decode_options(setup.options)
    _restrict(options.limits.memory_bytes)
    if options.on_gpu and not gpu_decodes():
        print("there is no GPU to decode on: decoding on the CPU", file=sys.stderr, flush=True)
    pixels = np.frombuffer(mmap.mmap(setup.pixels_fd, setup.pixels_bytes), np.uint8)
    extractor = Extractor(options)
    with Connection(setup.socket_fd) as connection:
        while True:
            try:
                message = connection.recv_bytes(MAX_MESSAGE_BYTES)
            except (EOFError, ConnectionError):
                return
            connection.send_bytes(_answer(extractor, message, pixels))


def _answer(extractor: Extractor, message: bytes, pixels: NDArray[Any]) -> bytes:
    try:
        task = decode_task(message)
        return encode_result(extractor.run(task, as_frames(pixels, task.view.size_px)))
    except RequestError as error:
        return encode_error(error)
    except Exception as error:
        traceback.print_exc()  # a bug: the server's log gets all of it
        name = type(error).__name__
        return encode_error(StageFailed(f"internal error ({name}): see the server's log"))


def _end_with(owner_pid: int) -> None:
    """Let the kernel end this process with its owner's, whatever it is doing."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != owner_pid:  # it died before that
        sys.exit()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the owner


def _restrict(memory_bytes: int) -> None:
    """Bound what a hostile file can make of this process."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN_FILES, MAX_OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
