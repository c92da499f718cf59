# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the flows' tests."""

from collections.abc import Iterator

import numpy as np
import pytest
from unit.client.either import Either
from unit.client.loopback import SERVERS, Loopback
from unit.client.scripted import Script, plan, stepped_chunk


@pytest.fixture(params=["grpc", "http", "async"])
def stepping(request) -> Iterator[Either]:
    """A server that is asked chunk by chunk, over either protocol and by both clients."""
    script = Script()
    script.answers.update(
        frame_extractor=lambda asked: plan(),
        video_chunk=stepped_chunk,
        temporal_decoder=lambda asked: {"CHUNK_INDICES": np.array([9], np.int32)},
    )
    protocol = "http" if request.param == "http" else "grpc"
    with SERVERS[protocol](script) as url:
        yield Either(Loopback(url, protocol, script), request.param != "async")
