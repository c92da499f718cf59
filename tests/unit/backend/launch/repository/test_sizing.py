# SPDX-License-Identifier: Apache-2.0
"""The number of instances and threads on a machine."""

import pytest

from trireel_backend.launch.model_options import ModelOptions
from trireel_backend.launch.repository.sizing import Sizing


@pytest.mark.parametrize(
    ("cpus", "extractors", "videos", "spans", "clips"),
    [(1, 2, 4, 2, 1), (2, 2, 4, 2, 2), (4, 4, 8, 4, 4), (16, 16, 32, 8, 16), (128, 32, 32, 8, 32)],
)
def test_extractors_follow_the_cpus_and_videos_them(cpus, extractors, videos, spans, clips):
    sizing = Sizing.of(cpus)
    assert sizing.instances() == {
        "frame_extractor": extractors,
        "video_analysis": videos,
        "clip_encoder": clips,
    }
    assert sizing.parameters()["spans_in_flight"] == str(spans)
    assert sizing.parameters()["threads"] == str(cpus)


@pytest.mark.parametrize(
    ("memory_gib", "extractors"), [(2, 2), (8, 4), (16, 8), (31, 15), (40, 16), (None, 16)]
)
def test_memory_limits_the_extractors_of_a_container(memory_gib, extractors):
    memory_bytes = memory_gib and memory_gib * 2**30
    sizing = Sizing.of(16, memory_bytes)
    assert sizing.extractors == extractors
    assert sizing.clip_encoders == min(16, memory_gib or 16)


def test_the_operators_settings_come_first():
    options = ModelOptions(extractors=3, others={"threads": "5"}, cpus=16, memory_bytes=2 * 2**30)
    assert options.instances() == {
        "frame_extractor": 3,
        "video_analysis": 6,
        "clip_encoder": 2,
    }
    assert options.parameters()["threads"] == "5"
    assert options.parameters()["spans_in_flight"] == "3"
