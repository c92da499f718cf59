# SPDX-License-Identifier: Apache-2.0
"""The bundled sample against what was drawn in it."""

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http

from trireel_client import ServerPath

SAMPLING_INTERVAL_SECONDS = 10.0 / 16


@pytest.fixture(scope="module")
def analysis(server):
    from trireel_client import TrireelClient

    with TrireelClient(server.grpc_url) as client:
        return client.analyze(ServerPath("sample.mp4"), with_embeddings=True)


def overlap_seconds(segment, chunk):
    start = max(segment["start_seconds"], chunk.start_seconds)
    return min(segment["end_seconds"], chunk.end_seconds) - start


def test_every_chunk_of_one_place_has_its_tag(analysis, truth):
    checked = 0
    for chunk in analysis.chunks:
        shown = [segment for segment in truth if overlap_seconds(segment, chunk) > 0]
        if len(shown) == 1:
            assert chunk.tags[0].text == shown[0]["tag"]
            assert chunk.caption.text == shown[0]["description"]
            checked += 1
    assert checked >= 2


def test_every_cut_is_found_at_its_first_frame_and_no_other(analysis, truth):
    cuts = [segment["start_seconds"] for segment in truth[1:]]
    assert analysis.scene_mode == "refined"
    assert [change.timestamp_seconds for change in analysis.scene_changes] == cuts
    assert {change.kind for change in analysis.scene_changes} == {"cut"}


def test_scenes_are_the_segments_that_were_drawn(analysis, truth):
    assert len(analysis.shots) == len(truth)
    for shot, segment in zip(analysis.shots, truth, strict=True):
        assert shot.start_seconds == segment["start_seconds"]
        assert shot.end_seconds == pytest.approx(segment["end_seconds"], abs=0.05)
        assert shot.tags[0].text == segment["tag"]
        assert shot.caption.text == segment["description"]
        assert shot.start_seconds <= shot.representative_seconds < shot.end_seconds


def test_sampled_scenes_are_right_to_a_sampling_interval(server, truth):
    from trireel_client import TrireelClient

    with TrireelClient(server.grpc_url) as client:
        sampled = client.analyze(ServerPath("sample.mp4"), scenes="sampled", find=["scenes"])
    cuts = [segment["start_seconds"] for segment in truth[1:]]
    for change, cut in zip(sampled.scene_changes, cuts, strict=True):
        assert 0 <= change.timestamp_seconds - cut <= SAMPLING_INTERVAL_SECONDS


def test_the_best_tags_are_of_places_that_are_shown(analysis, truth):
    places = {segment["tag"] for segment in truth}
    assert {tag.text for tag in analysis.tags[:2]} <= places
    assert analysis.caption.text in {segment["description"] for segment in truth}
    assert all(0 <= tag.probability <= 1 for tag in analysis.tags)


def test_the_video_is_covered_from_end_to_end(analysis, truth):
    assert analysis.duration_seconds == pytest.approx(truth[-1]["end_seconds"], abs=0.05)
    assert analysis.chunks[0].start_seconds == 0.0
    assert analysis.chunks[-1].end_seconds == pytest.approx(analysis.duration_seconds)
    for chunk in analysis.chunks:
        times = np.array(chunk.frame_timestamps_seconds)
        assert ((chunk.start_seconds <= times) & (times < chunk.end_seconds)).all()


def test_embeddings_are_of_unit_length_and_pooled_as_stated(analysis):
    for chunk in analysis.chunks:
        np.testing.assert_allclose(np.linalg.norm(chunk.frame_embeddings, axis=1), 1, atol=1e-5)
        mean = chunk.frame_embeddings.mean(axis=0)
        np.testing.assert_allclose(chunk.embedding, mean / np.linalg.norm(mean), atol=1e-5)


def test_each_stage_has_its_time(analysis):
    timing = analysis.timing
    assert min(timing.extract_ms, timing.encode_ms, timing.decode_ms) > 0
    assert timing.fetch_ms >= 0
    assert timing.total_ms < analysis.client_ms


@pytest.mark.parametrize("transport", [tritonclient.grpc, tritonclient.http])
def test_the_server_that_answers_is_triton(server, transport, analysis):
    url = server.grpc_url if transport is tritonclient.grpc else server.http_url
    with transport.InferenceServerClient(url) as client:
        metadata = client.get_server_metadata()
    name = metadata["name"] if isinstance(metadata, dict) else metadata.name
    assert name == analysis.server.name == "triton"
