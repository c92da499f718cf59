# SPDX-License-Identifier: Apache-2.0
"""Random requests of every extension of the KServe protocol.

Each is small, and cheap if the server accepts it: a model that answers in milliseconds, or a video
that does not exist.
"""

from collections.abc import Callable

from benchmarks.hostile.over_grpc import GRPC_MAKERS, GrpcRequest
from benchmarks.hostile.over_http import HTTP_MAKERS, HttpRequest
from benchmarks.hostile.values import Random


def random_request(rng: Random) -> HttpRequest | GrpcRequest:
    """Return a random request; two of three go over HTTP, which has more extensions."""
    makers: tuple[Callable[[Random], HttpRequest | GrpcRequest], ...] = GRPC_MAKERS
    if rng.random() < 2 / 3:
        makers = HTTP_MAKERS
    return rng.choice(makers)(rng)
