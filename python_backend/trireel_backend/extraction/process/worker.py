# SPDX-License-Identifier: Apache-2.0
"""The process that decodes: it does the tasks of one owner, and ends with it.

Started by `isolation.IsolatedExtractor`, never by hand.
"""

import gc
import json
import mmap
import os
import resource
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import RequestError, StageFailed
from trireel_backend.extraction.extractor import Extractor
from trireel_backend.extraction.process.messages import (
    MAX_MESSAGE_BYTES,
    READY,
    WorkerSetup,
    as_frames,
    decode_options,
    decode_task,
    encode_error,
    encode_result,
    split_memory,
)
from trireel_backend.extraction.reading.opening import gpu_decodes
from trireel_backend.system.processes import end_with_parent

MAX_OPEN_FILES = 256
IDLE_SECONDS = 1.0
OUT_OF_MEMORY_SCORE = Path("/proc/self/oom_score_adj")
FIRST_TO_GO = 1000  # of proc(5): the most there is


def main() -> None:
    """Do tasks until the owner closes the connection."""
    setup = WorkerSetup(**json.loads(sys.argv[1]))
    _end_with(setup.owner_pid)
    _volunteer()
    options = decode_options(setup.options)
    _restrict(options.limits.memory_bytes)
    if options.on_gpu and not gpu_decodes():
        print("there is no GPU to decode on: decoding on the CPU", file=sys.stderr, flush=True)
    memory = np.frombuffer(mmap.mmap(setup.pixels_fd, setup.pixels_bytes), np.uint8)
    pixels, second = split_memory(memory, setup.second_bytes)
    extractor = Extractor(options)
    gc.freeze()  # what is here stays: the collections below look at what tasks leave alone
    with socket.socket(fileno=setup.socket_fd) as connection, connection.makefile("rb") as lines:
        connection.sendall(READY)
        while True:
            _wait_for_task(connection, extractor)
            line = lines.readline(MAX_MESSAGE_BYTES)
            if not line:
                return
            connection.sendall(_answer(extractor, line, pixels, second))
            gc.collect()  # a frame that was asked for its side data refers to itself


def _wait_for_task(connection: socket.socket, extractor: Extractor) -> None:
    """Wait, and meanwhile let go of files that have been removed."""
    while not select.select([connection], [], [], IDLE_SECONDS)[0]:
        extractor.close_vanished()


def _answer(extractor: Extractor, line: bytes, pixels: NDArray[Any], second: NDArray[Any]) -> bytes:
    number, task = decode_task(line)
    try:
        result = extractor.run(task, as_frames(pixels, task.view.size_px), second)
        return encode_result(number, result, is_worn_out=extractor.is_worn_out())
    except RequestError as error:
        return encode_error(number, error, is_worn_out=extractor.is_worn_out())
    except Exception as error:
        traceback.print_exc()  # a bug: the server's log gets all of it
        name = type(error).__name__
        refusal = StageFailed(f"internal error ({name}): see the server's log")
        return encode_error(number, refusal, is_worn_out=True)


def _end_with(owner_pid: int) -> None:
    """Let the kernel end this process with its owner's, whatever it is doing."""
    end_with_parent(signal.SIGKILL)
    if os.getppid() != owner_pid:  # it died before that
        sys.exit()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the owner


def _volunteer() -> None:
    """Be the one that the kernel kills when memory runs out: it costs one request, not a server."""
    with suppress(OSError):  # a system that hides it from its processes
        OUT_OF_MEMORY_SCORE.write_text(str(FIRST_TO_GO))


def _restrict(memory_bytes: int) -> None:
    """Bound what a hostile file can make of this process."""
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN_FILES, MAX_OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
