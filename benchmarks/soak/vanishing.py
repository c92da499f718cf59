# SPDX-License-Identifier: Apache-2.0
"""Clients that disconnect early, or do not read their answers."""

import json
import random
import socket
import time
import uuid
from collections.abc import Callable, Iterator

import grpc
import numpy as np
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

from benchmarks.soak.place import HANG_SECONDS, Clients, Place
from trireel_client import ServerPath

SILENT_SECONDS = 4.0
LONG = "sample.mp4"


def http_hangs_up(place: Place, own: Clients, rng: random.Random) -> None:
    """Send a whole HTTP request, and close the connection before its answer."""
    with _connected(place) as connection:
        connection.sendall(_request(len(_body()), _body()))
        time.sleep(rng.uniform(0.0, 0.6))


def http_half_a_request(place: Place, own: Clients, rng: random.Random) -> None:
    """Announce a body, send half of it, and close the connection."""
    with _connected(place) as connection:
        connection.sendall(_request(2**20, bytes(2**19)))
        time.sleep(rng.uniform(0.0, 0.3))


def stream_dropped(place: Place, own: Clients, rng: random.Random) -> None:
    """Drop a stream after its first answer."""
    answers = own.grpc.stream(ServerPath(LONG))
    next(answers)
    answers.close()


def stream_not_read(place: Place, own: Clients, rng: random.Random) -> None:
    """Read nothing of a stream for a while, then all of it or nothing.

    tritonclient always reads, in a thread of its own; this uses gRPC directly.
    """
    with grpc.insecure_channel(place.grpc_url) as channel:
        answers = GRPCInferenceServiceStub(channel).ModelStreamInfer(
            _large_answers(), timeout=HANG_SECONDS
        )
        time.sleep(rng.uniform(0.0, SILENT_SECONDS))
        if rng.random() < 0.5:
            answers.cancel()
            return
        errors = [answer.error_message for answer in answers if answer.error_message]
        if errors:
            raise RuntimeError(errors[0])


def _connected(place: Place) -> socket.socket:
    host, port = place.http_url.split(":")
    return socket.create_connection((host, int(port)), HANG_SECONDS)


def _body() -> bytes:
    video = {"name": "VIDEO", "datatype": "BYTES", "shape": [1], "data": [LONG]}
    return json.dumps({"inputs": [video]}).encode()


def _request(length: int, body: bytes) -> bytes:
    head = (
        "POST /v2/models/video_analysis/infer HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    return head.encode() + body


def _large_answers() -> "Iterator[messages.ModelInferRequest]":
    """Yield a request whose answers fill the connection."""
    request = messages.ModelInferRequest(model_name="video_analysis_stream", id=uuid.uuid4().hex)
    inputs = {
        "VIDEO": ("BYTES", len(LONG).to_bytes(4, "little") + LONG.encode()),
        "FRAMES_PER_CHUNK": ("INT32", np.array([128], np.int32).tobytes()),
        "WITH_EMBEDDINGS": ("BOOL", b"\x01"),
    }
    for name, (kind, data) in inputs.items():
        tensor = request.inputs.add()
        tensor.name, tensor.datatype = name, kind
        tensor.shape.append(1)
        request.raw_input_contents.append(data)
    yield request


UNREAD = "stream not read"
"""When such a stream is cancelled, Triton 2.51 keeps its answers, and the model does not unload at
the stop. The fault is Triton's, so it is not part of the load by default."""
VANISHING: dict[str, Callable[[Place, Clients, random.Random], None]] = {
    "HTTP client hangs up": http_hangs_up,
    "half an HTTP request": http_half_a_request,
    "stream dropped": stream_dropped,
    UNREAD: stream_not_read,
}
