# SPDX-License-Identifier: Apache-2.0
"""The model's process: reads questions from its owner, and sends pieces of answers.

python -m trireel_backend.describing.local.worker SETUP
"""

import json
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Sequence
from typing import Any

from trireel_backend.describing.local.batches import Batches, Waiting
from trireel_backend.describing.local.messages import (
    HEADER,
    WorkerSetup,
    failure_message,
    packed,
    piece_message,
    read_question_message,
    sizes,
)
from trireel_backend.describing.question import Piece
from trireel_backend.system.processes import end_with_parent


def main() -> None:
    """Load the model, and answer until the owner ends."""
    setup = WorkerSetup(**json.loads(sys.argv[1]))
    end_with_parent(signal.SIGKILL)
    if os.getppid() != setup.owner_pid:  # the owner ended before that
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=setup.socket_fd)
    warnings.simplefilter("ignore")  # advice of transformers is no matter of the server's log
    from trireel_backend.describing.local.generate import CannotLoad, Model, load

    try:
        model = Model(load(setup))
    except CannotLoad as error:
        connection.sendall(packed({"failed": str(error)}))
        return
    batches = Batches(setup.most_batch)
    threading.Thread(target=_read, args=(connection, batches), daemon=True).start()
    connection.sendall(packed({"ready": True}))
    while True:
        _answer(model, batches, connection, setup.most_batch)


def _read(connection: socket.socket, batches: Batches) -> None:
    while True:
        json_bytes, data_bytes = sizes(_received(connection, HEADER.size))
        message = json.loads(_received(connection, json_bytes))
        data = _received(connection, data_bytes)
        if "cancel" in message:
            batches.cancel(message["cancel"])
        else:
            batches.add(Waiting(message["number"], read_question_message(message, data)))


def _received(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(min(count - len(data), 2**20))
        if not part:  # the owner needs the model no more
            os._exit(0)
        data += part
    return bytes(data)


def _answer(model: Any, batches: Batches, connection: socket.socket, most: int) -> None:
    batch = batches.next()
    fitting = model.rows_that_fit([each.question for each in batch], most)
    if fitting < len(batch):
        batches.put_back(batch[fitting:])
        batch = batch[:fitting]

    _answer_batch(model, batches, connection, batch)
    batches.done(batch)


def _answer_batch(
    model: Any, batches: Batches, connection: socket.socket, batch: Sequence[Waiting]
) -> None:
    """Answer a batch; if it fails before its first piece, each question alone."""
    from trireel_backend.describing.local.generate import TooLarge

    has_begun = False

    def send(index: int, piece: Piece) -> None:
        nonlocal has_begun
        has_begun = True
        connection.sendall(piece_message(batch[index].number, piece))

    try:
        model.answer(
            [each.question for each in batch],
            send,
            lambda index: batches.is_cancelled(batch[index].number),
        )
    except TooLarge:
        half = len(batch) // 2
        _answer_batch(model, batches, connection, batch[:half])
        _answer_batch(model, batches, connection, batch[half:])
    except Exception as error:
        if len(batch) > 1 and not has_begun:
            for each in batch:
                _answer_batch(model, batches, connection, [each])
            return
        print(f"describe: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        for each in batch:
            sentence = f"failed on the question ({type(error).__name__})"
            connection.sendall(failure_message(each.number, sentence, is_fault=len(batch) > 1))


if __name__ == "__main__":
    main()
