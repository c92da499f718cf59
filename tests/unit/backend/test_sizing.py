# SPDX-License-Identifier: Apache-2.0
"""How many instances and threads a machine gets."""

import pytest

from trireel_backend.serving.model_options import ModelOptions
from trireel_backend.serving.sizing import Sizing


@pytest.mark.parametrize(
    ("cpus", "extractors", "videos", "spans"),
    [(1, 2, 4, 2), (2, 2, 4, 2), (4, 4, 8, 4), (16, 16, 32, 8), (128, 32, 32, 8)],
)
def test_extractors_follow_the_cpus_and_videos_the_extractors(cpus, extractors, videos, spans):
    sizing = Sizing.of(cpus)
    assert sizing.instances() == {"frame_extractor": extractors, "video_analysis": videos}
    assert sizing.parameters()["spans_in_flight"] == str(spans)
    assert sizing.parameters()["threads"] == str(cpus)


def test_what_the_operator_says_comes_first():
    options = ModelOptions(extractors=7, others={"threads": "3"}, sizing=Sizing.of(16))
    assert options.instances() == {"frame_extractor": 7, "video_analysis": 32}
    assert options.parameters()["threads"] == "3"
    assert options.parameters()["spans_in_flight"] == "8"
