# SPDX-License-Identifier: Apache-2.0
"""The encoding process: it encodes the clips of one owner, and ends with its owner.

`isolation.IsolatedEncoder` starts it; never start it by hand.
"""

import json
import socket
import sys
import traceback

from trireel_backend.clips.encode import encode_clip
from trireel_backend.clips.messages import (
    READY,
    ClipTask,
    WorkerSetup,
    encode_clip_answer,
    encode_error,
    receive_task,
)
from trireel_backend.errors import RequestError, StageFailed, TooMuchWork
from trireel_backend.system.workers import become_worker


def main() -> None:
    """Encode clips until the owner closes the connection."""
    setup = WorkerSetup(**json.loads(sys.argv[1]))
    become_worker(setup.owner_pid, setup.memory_bytes)
    with socket.socket(fileno=setup.socket_fd) as connection:
        connection.sendall(READY)
        while (task := receive_task(connection)) is not None:
            connection.sendall(_answer(task, setup.memory_bytes))
            del task  # its memory is that of the frames


def _answer(task: ClipTask, memory_bytes: int) -> bytes:
    try:
        clip = encode_clip(task.frames, task.times_ms.tolist(), task.options)
        return encode_clip_answer(clip)
    except MemoryError:
        return encode_error(
            TooMuchWork(
                f"a clip of {task.frames.shape[2]} x {task.frames.shape[1]} needs more than the"
                f" {memory_bytes} bytes that an encoder may use: send smaller frames"
            )
        )
    except RequestError as error:
        return encode_error(error)
    except Exception as error:
        traceback.print_exc()  # a bug: the traceback goes to the server's log
        name = type(error).__name__
        return encode_error(StageFailed(f"internal error ({name}): see the server's log"))


if __name__ == "__main__":
    main()
