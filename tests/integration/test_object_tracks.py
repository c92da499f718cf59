# SPDX-License-Identifier: Apache-2.0
"""Tracks of drawn figures by the bundled detector, over the borders of chunks: MOTA.

`python -m benchmarks.object_tracks` measures twenty such videos.
"""

import pytest
from support.drawn_tracks import SECONDS, count, write_drawn_video
from support.mota import Accuracy
from support.raw import Raw, number, texts, video

from trireel_schema.catalogue import FINDINGS

from .conftest import DETECTOR, served

VIDEOS = (0, 1, 5)  # people and cars, outdoors
LEAST_MOTA, MOST_SWITCHES = 0.9, 6
CHUNK_SECONDS = 10.0


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """A folder of videos, and the true boxes of each."""
    folder = tmp_path_factory.mktemp("drawn")
    return folder, {index: write_drawn_video(folder / f"{index}.mp4", index) for index in VIDEOS}


def test_drawn_figures_keep_their_tracks_over_chunks(footage, tmp_path_factory):
    folder, truths = footage
    accuracy = Accuracy()
    with served(folder, tmp_path_factory.mktemp("log"), detector=DETECTOR) as server:
        raw = Raw(server, "grpc")
        for index, truth in truths.items():
            inputs = {"FIND": texts("objects"), "CHUNK_SECONDS": number("FP64", CHUNK_SECONDS)}
            response = raw.infer("video_analysis", video(f"{index}.mp4", **inputs))
            answer = {name: response.as_numpy(name) for name in FINDINGS["objects"].outputs}
            assert len(answer["OBJECT_FRAME_TIMESTAMPS"]) == 2 * SECONDS
            assert len(answer["OBJECT_MODE"]) == 3  # chunks
            count(accuracy, answer, truth)
        raw.close()
    assert accuracy.things > 500
    assert accuracy.switches <= MOST_SWITCHES
    assert accuracy.mota >= LEAST_MOTA
