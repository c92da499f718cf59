# SPDX-License-Identifier: Apache-2.0
"""The decoding process: it runs the tasks of one owner, and ends with its owner.

`isolation.IsolatedExtractor` starts it; never start it by hand.
"""

import gc
import json
import mmap
import select
import socket
import sys
import traceback
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
from trireel_backend.system.workers import become_worker

IDLE_SECONDS = 1.0


def main() -> None:
    """Run tasks until the owner closes the connection."""
    setup = WorkerSetup(**json.loads(sys.argv[1]))
    options = decode_options(setup.options)
    become_worker(setup.owner_pid, options.limits.memory_bytes)
    if options.on_gpu and not gpu_decodes():
        print("there is no GPU to decode on: decoding on the CPU", file=sys.stderr, flush=True)
    memory = np.frombuffer(mmap.mmap(setup.pixels_fd, setup.pixels_bytes), np.uint8)
    pixels, second = split_memory(memory, setup.second_bytes)
    extractor = Extractor(options)
    gc.freeze()  # so that the collections below scan only the objects of tasks
    with socket.socket(fileno=setup.socket_fd) as connection, connection.makefile("rb") as lines:
        connection.sendall(READY)
        while True:
            _wait_for_task(connection, extractor)
            line = lines.readline(MAX_MESSAGE_BYTES)
            if not line:
                return
            connection.sendall(_answer(extractor, line, pixels, second))
            gc.collect()  # a frame whose side data was read refers to itself


def _wait_for_task(connection: socket.socket, extractor: Extractor) -> None:
    """Wait for a task, and meanwhile close files that have been removed."""
    while not select.select([connection], [], [], IDLE_SECONDS)[0]:
        extractor.close_vanished()


def _answer(extractor: Extractor, line: bytes, pixels: NDArray[Any], second: NDArray[Any]) -> bytes:
    number, task = decode_task(line)
    try:
        result = extractor.run(task, as_frames(pixels, task.view), second)
        return encode_result(number, result, is_worn_out=extractor.is_worn_out())
    except RequestError as error:
        return encode_error(number, error, is_worn_out=extractor.is_worn_out())
    except Exception as error:
        traceback.print_exc()  # a bug: the traceback goes to the server's log
        name = type(error).__name__
        failure = StageFailed(f"internal error ({name}): see the server's log")
        return encode_error(number, failure, is_worn_out=True)


if __name__ == "__main__":
    main()
