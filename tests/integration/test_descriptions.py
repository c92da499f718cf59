# SPDX-License-Identifier: Apache-2.0
"""The finding `description` of the sample, by the bundled tiny model, at once and streamed."""

import pytest
from integration.conftest import ROOT, SAMPLE, served

from trireel_client import TrireelClient, TrireelError
from trireel_drawings.describing.questions import described
from trireel_drawings.places.register import PAIRS

BACKENDS = ROOT / "export/vlm/backends.json"
FIND = ["scenes", "description"]
LEAST_RIGHT = 0.8


@pytest.fixture(scope="module")
def describing(media, tmp_path_factory):
    with served(media, tmp_path_factory.mktemp("describing"), describe=BACKENDS) as running:
        yield running


@pytest.fixture(scope="module")
def analysis(describing):
    with TrireelClient(describing.grpc_url) as client:
        return client.analyze(SAMPLE, find=FIND)


def test_every_scene_has_a_description(analysis):
    spans = [(shot.start_seconds, shot.end_seconds) for shot in analysis.shots]
    assert [(d.start_seconds, d.end_seconds) for d in analysis.descriptions] == spans


def test_the_descriptions_are_true(analysis, truth):
    right = []
    for scene in truth:
        middle = (scene["start_seconds"] + scene["end_seconds"]) / 2
        (found,) = [
            each
            for each in analysis.descriptions
            if each.start_seconds <= middle < each.end_seconds
        ]
        right.append(found.text == described(PAIRS.index((scene["tag"], scene["description"]))))
    assert sum(right) / len(right) >= LEAST_RIGHT


def test_the_summary_says_that_no_model_made_it(analysis):
    assert analysis.summary.startswith("No model summarised this video")
    assert analysis.descriptions[0].text in analysis.summary


def test_descriptions_are_streamed_as_scenes_end(describing, analysis):
    with TrireelClient(describing.grpc_url) as client:
        *chunks, whole = client.stream(SAMPLE, find=FIND)
    counts = [len(chunk.video_so_far.descriptions) for chunk in chunks]
    assert counts == sorted(counts)
    assert 0 < counts[len(counts) // 2] < counts[-1]
    assert whole.descriptions == analysis.descriptions


def test_sampled_scenes_without_the_finding_scenes(describing):
    with TrireelClient(describing.grpc_url) as client:
        alone = client.analyze(SAMPLE, find=["description"], description_frames=1)
    assert alone.shots == ()
    assert len(alone.descriptions) > 5


def test_a_server_without_a_model_says_so(server):
    with (
        TrireelClient(server.grpc_url) as client,
        pytest.raises(TrireelError, match="no model that describes pictures"),
    ):
        client.analyze(SAMPLE, find=["description"])
