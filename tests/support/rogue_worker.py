# SPDX-License-Identifier: Apache-2.0
"""A worker that a hostile file has taken over: the file's name says what it does then."""

import contextlib
import json
import os
import socket
import sys
import time

from trireel_backend.extraction.extractor import Extractor
from trireel_backend.extraction.process.messages import (
    READY,
    WorkerSetup,
    decode_task,
    encode_result,
)
from trireel_backend.extraction.task import ExtractorOptions

LONG_SECONDS = 60


def changed(line, **changes):
    return json.dumps(json.loads(line) | changes).encode() + b"\n"


def answers(kind, number, honest):
    """Return what is sent, piece by piece."""
    values = json.loads(honest)
    frames = values["frames"]
    endless = {**values["chunks"][0], "duration_seconds": 1e9}
    many = [{**frames[0], "pts": list(range(5000))}]
    return {
        "half": [honest[:10]],
        "endless": [b"x" * 2**16] * 40,
        "null": [b"null\n"],
        "list": [b"[1]\n"],
        "deep": [b"[" * 100_000 + b"\n"],
        "earlier": [changed(honest, number=number - 1)],
        "no chunks": [changed(honest, chunks=[], frames=[])],
        "many frames": [changed(honest, frames=many)],
        "long chunk": [changed(honest, frames=many, chunks=[endless])],
        "nan": [changed(honest, info={**values["info"], "start_seconds": float("nan")})],
        "no time": [changed(honest, frames=[{**frames[0], "time_base": [1, 0]}])],
        "huge pts": [changed(honest, frames=[{**frames[0], "pts": [2**70]}])],
        "not an error": [changed(honest, error="SystemExit", message="x")],
    }.get(kind, [honest])


def main():
    setup = WorkerSetup(**json.loads(sys.argv[1]))
    extractor = Extractor(ExtractorOptions())
    with socket.socket(fileno=setup.socket_fd) as connection, connection.makefile("rb") as lines:
        connection.sendall(READY)
        while line := lines.readline():
            number, task = decode_task(line)
            kind = task.path.stem
            honest = encode_result(number, extractor.run(task), is_worn_out=False)
            if kind == "shrink":
                with contextlib.suppress(PermissionError):
                    os.ftruncate(setup.pixels_fd, 0)
            if kind == "exit":
                connection.close()
                sys.exit(3)
            for piece in answers(kind, number, honest):
                connection.sendall(piece)
            if kind == "half":
                time.sleep(LONG_SECONDS)


main()
