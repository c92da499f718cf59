# SPDX-License-Identifier: Apache-2.0
"""The number of instances and threads on a machine."""

import pytest

from trireel_backend.launch.model_options import ModelOptions
from trireel_backend.launch.repository.sizing import Sizing


@pytest.mark.parametrize(
    ("cpus", "extractors", "videos", "spans"),
    [(1, 2, 4, 2), (2, 2, 4, 2), (4, 4, 8, 4), (16, 16, 32, 8), (128, 32, 32, 8)],
)
def test_extractors_follow_the_cpus_and_videos_the_extractors(cpus, extractors, videos, spans):
    sizing = Sizing.of(cpus)
    assert sizing.instances() == {"frame_extractor": extractors, "video_analysis": videos}
    assert sizing.parameters()["spans_in_flight"] == str(spans)
    assert sizing.parameters()["threads"] == str(cpus)


@pytest.mark.parametrize(
    ("memory_gib", "extractors"), [(2, 2), (8, 4), (16, 8), (31, 15), (40, 16), (None, 16)]
)
def test_memory_limits_the_extractors_of_a_container(memory_gib, extractors):
    memory_bytes = memory_gib and memory_gib * 2**30
    assert Sizing.of(16, memory_bytes).extractors == extractors


def test_the_operators_settings_come_first():
    options = ModelOptions(extractors=3, others={"threads": "5"}, cpus=16, memory_bytes=2 * 2**30)
    assert options.instances() == {"frame_extractor": 3, "video_analysis": 6}
    assert options.parameters()["threads"] == "5"
    assert options.parameters()["spans_in_flight"] == "3"
