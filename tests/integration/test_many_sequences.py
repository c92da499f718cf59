# SPDX-License-Identifier: Apache-2.0
"""Many videos open at once: each is answered as if it were alone."""

import numpy as np
import pytest
from support.exposition import Scrape
from support.raw import Raw

VIDEOS, CHUNKS, FRAMES, WIDTH = 200, 3, 4, 128
OUTPUTS = (
    *("CHUNK_INDICES", "CHUNK_TAG_TEXTS", "CHUNK_TAG_SCORES", "CHUNK_CAPTION_TEXTS"),
    *("TAG_TEXTS", "TAG_SCORES", "CAPTION_TEXT", "CAPTION_SCORE"),
    *("SCENE_TIMESTAMPS", "SCENE_SCORES", "SCENE_TRACE"),
)


@pytest.fixture(scope="module")
def raw(server):
    raw = Raw(server, "grpc")
    yield raw
    raw.close()


@pytest.fixture(scope="module")
def videos():
    """Frames [videos, chunks, frames, width], no two alike, some with cuts."""
    rng = np.random.default_rng(11)
    scenes = rng.normal(size=(VIDEOS, CHUNKS, 1, WIDTH))
    frames = scenes + rng.normal(scale=0.1, size=(VIDEOS, CHUNKS, FRAMES, WIDTH))
    frames[::3] = frames[::3, :1]  # one scene in all chunks
    return (frames / np.linalg.norm(frames, axis=-1, keepdims=True)).astype(np.float32)


def step(raw, videos, video, number):
    answer = raw.infer(
        "temporal_decoder",
        {
            "EMBEDDINGS": ("FP32", videos[video, number]),
            "TIMESTAMPS": ("FP64", 10.0 * number + np.arange(FRAMES)),
        },
        sequence_id=video + 1,
        sequence_start=number == 0,
        sequence_end=number == CHUNKS - 1,
    )
    return {name: answer.as_numpy(name) for name in OUTPUTS}


def test_two_hundred_videos_in_turn_are_answered_as_each_alone(raw, videos, server):
    alone = [[step(raw, videos, v, n) for n in range(CHUNKS)] for v in range(VIDEOS)]
    order = np.random.default_rng(3)
    in_turn = [[] for _ in range(VIDEOS)]
    for number in range(CHUNKS):
        for video in order.permutation(VIDEOS):
            in_turn[video].append(step(raw, videos, int(video), number))
        live = Scrape(server.metrics_url).total("trireel_live_sequences")
        assert live == (VIDEOS if number < CHUNKS - 1 else 0)
    assert any(len(chunks[1]["SCENE_TIMESTAMPS"]) for chunks in alone)
    for video in range(VIDEOS):
        for one, other in zip(alone[video], in_turn[video], strict=True):
            for name in OUTPUTS:
                np.testing.assert_array_equal(one[name], other[name], err_msg=f"{video} {name}")
