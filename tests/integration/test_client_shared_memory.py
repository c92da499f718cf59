# SPDX-License-Identifier: Apache-2.0
"""Shared memory that clients may name: closed by default, and opened by an option."""

import os

import httpx
import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException, shared_memory

from .test_lifecycle import serving


def test_clients_may_not_name_memory_by_default(server):
    url = f"http://{server.http_url}/v2/systemsharedmemory"
    assert httpx.get(f"{url}/status").status_code == 403
    assert httpx.post(f"{url}/region/x/register").status_code == 403
    with (
        InferenceServerClient(server.grpc_url) as raw,
        pytest.raises(InferenceServerException, match="restricted"),
    ):
        raw.get_system_shared_memory_status()


def test_the_option_opens_memory_of_clients_and_nothing_else(media):
    frames = np.random.default_rng(5).integers(0, 256, (3, 96, 96, 3), np.uint8)
    name = f"/trireel_test_{os.getpid()}"
    given = InferInput("FRAMES", frames.shape, "UINT8")
    with (
        serving(media, "--allow-client-shared-memory") as (_, _, ports),
        InferenceServerClient(f"127.0.0.1:{ports.grpc}") as raw,
    ):
        given.set_data_from_numpy(frames)
        sent = raw.infer("siglip_vision", [given]).as_numpy("EMBEDDINGS")
        region = shared_memory.create_shared_memory_region("frames", name, frames.nbytes)
        try:
            shared_memory.set_shared_memory_region(region, [frames])
            raw.register_system_shared_memory("frames", name, frames.nbytes)
            given.set_shared_memory("frames", frames.nbytes)
            shared = raw.infer("siglip_vision", [given]).as_numpy("EMBEDDINGS")
            raw.unregister_system_shared_memory()
        finally:
            shared_memory.destroy_shared_memory_region(region)
        closed = httpx.post(f"http://127.0.0.1:{ports.http}/v2/repository/index")
    np.testing.assert_allclose(shared, sent, atol=1e-6)
    assert closed.status_code == 403
