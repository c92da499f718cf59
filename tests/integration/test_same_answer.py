# SPDX-License-Identifier: Apache-2.0
"""One video, one answer: by whatever way it is asked for, whoever else asks."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from trireel_client import Analysis, AsyncTrireelClient, ServerPath, TrireelClient

TOLERANCE = 1e-5
VIDEO = ServerPath("sample.mp4")


@pytest.fixture(scope="module")
def alone(server):
    with TrireelClient(server.grpc_url) as client:
        return client.analyze(VIDEO)


def assert_scores_close(one, other):
    np.testing.assert_allclose(
        [item.score for item in one], [item.score for item in other], atol=TOLERANCE
    )


def assert_same_chunks(one, other):
    for a, b in zip(one, other, strict=True):
        assert (a.index, a.start_seconds, a.duration_seconds) == (
            b.index,
            b.start_seconds,
            b.duration_seconds,
        )
        assert a.frame_timestamps_seconds == b.frame_timestamps_seconds
        assert [tag.text for tag in a.tags] == [tag.text for tag in b.tags]
        assert a.caption.text == b.caption.text
        assert_scores_close([*a.tags, a.caption], [*b.tags, b.caption])
        np.testing.assert_allclose(a.scene_trace, b.scene_trace, atol=TOLERANCE)


def assert_same_video(one, other):
    assert [tag.text for tag in one.tags] == [tag.text for tag in other.tags]
    assert one.caption.text == other.caption.text
    assert_scores_close([*one.tags, one.caption], [*other.tags, other.caption])


def assert_same_cuts(one, other):
    def places(cuts):
        return [(cut.timestamp_seconds, cut.chunk_index, cut.frame_index) for cut in cuts]

    assert places(one) == places(other)
    assert_scores_close(one, other)


def assert_same(one, other):
    assert_same_chunks(one.chunks, other.chunks)
    assert_same_video(one, other)
    assert_same_cuts(one.scene_changes, other.scene_changes)


def test_the_sample_has_something_to_compare(alone):
    assert len(alone.chunks) >= 3
    assert len(alone.scene_changes) >= 4


def test_by_grpc_and_by_http(either_client, alone):
    assert_same(either_client.analyze(VIDEO), alone)


def test_by_path_and_by_bytes(either_client, server, alone):
    data = (server.media / "sample.mp4").read_bytes()
    assert_same(either_client.analyze(data), alone)


def test_streamed(client, alone):
    *chunks, whole = client.stream(VIDEO)
    assert isinstance(whole, Analysis)
    assert_same_chunks(chunks, alone.chunks)
    assert_same(whole, alone)
    assert_same_video(chunks[-1].video_so_far, alone)


async def test_streamed_asynchronously(server, alone):
    async with AsyncTrireelClient(server.grpc_url) as client:
        answers = [answer async for answer in client.stream(VIDEO)]
    assert_same_chunks(answers[:-1], alone.chunks)
    assert_same(answers[-1], alone)


@pytest.mark.parametrize("sequence_id", [4711, "camera-one"])
def test_stepped_by_the_client(either_client, alone, sequence_id):
    chunks = list(either_client.step(VIDEO, sequence_id=sequence_id))
    assert_same_chunks(chunks, alone.chunks)
    assert_same_cuts([cut for chunk in chunks for cut in chunk.scene_changes], alone.scene_changes)
    assert_same_video(chunks[-1].video_so_far, alone)


def ways_to_ask(server):
    """Return sixteen different requests for the same video, and others that share its batches."""

    def analyze(protocol):
        with TrireelClient(server.url(protocol), protocol=protocol) as client:
            return client.analyze(VIDEO)

    def stream():
        with TrireelClient(server.grpc_url) as client:
            return list(client.stream(VIDEO))[-1]

    def step():
        with TrireelClient(server.grpc_url) as client:
            return list(client.step(VIDEO))

    def disturb():
        with TrireelClient(server.grpc_url) as client:
            return client.analyze(ServerPath("clip.mp4"), chunk_seconds=0.7, frames_per_chunk=5)

    same = [lambda: analyze("grpc"), lambda: analyze("http"), stream, step] * 4
    return same, [disturb] * 4


def test_as_one_of_sixteen_under_load(server, alone):
    same, disturbing = ways_to_ask(server)
    with ThreadPoolExecutor(20) as pool:
        others = [pool.submit(ask) for ask in disturbing]
        answers = [future.result() for future in [pool.submit(ask) for ask in same]]
        assert all(len(future.result().chunks) == 17 for future in others)
    for answer in answers:
        if isinstance(answer, Analysis):
            assert_same(answer, alone)
        else:
            assert_same_chunks(answer, alone.chunks)


def test_frames_of_several_videos_shared_batches(server):
    """The comparison under load means something only if the batcher did merge requests."""
    import tritonclient.grpc

    with tritonclient.grpc.InferenceServerClient(server.grpc_url) as client:
        statistics = client.get_inference_statistics("siglip_vision").model_stats[0]
    assert max(batch.batch_size for batch in statistics.batch_stats) > 16


def test_free_tags_are_scored_as_the_banks(client, alone):
    ranked = client.analyze(VIDEO, tags=[tag.text for tag in reversed(alone.tags)])
    assert [tag.text for tag in ranked.tags] == [tag.text for tag in alone.tags]
    assert_scores_close(ranked.tags, alone.tags)


def test_free_descriptions_are_scored_as_the_banks(client, alone):
    captions = sorted({chunk.caption.text for chunk in alone.chunks}, reverse=True)
    free = client.analyze(VIDEO, descriptions=captions)
    assert [chunk.caption.text for chunk in free.chunks] == [
        chunk.caption.text for chunk in alone.chunks
    ]
    assert free.caption.text == alone.caption.text
    assert free.caption.score == pytest.approx(alone.caption.score, abs=TOLERANCE)
    (one,) = {chunk.caption.text for chunk in client.step(VIDEO, descriptions=["a cat asleep"])}
    assert one == "a cat asleep"


def test_a_frame_alone_and_in_any_batch_has_one_embedding(server):
    import tritonclient.grpc as grpc

    rng = np.random.default_rng(0)
    with grpc.InferenceServerClient(server.grpc_url) as client:
        shape = client.get_model_metadata("siglip_vision").inputs[0].shape[1:]
        frames = rng.integers(0, 256, (64, *shape), np.uint8)

        def embed(rows):
            tensor = grpc.InferInput("FRAMES", list(rows.shape), "UINT8")
            tensor.set_data_from_numpy(rows)
            return client.infer("siglip_vision", [tensor]).as_numpy("EMBEDDINGS")

        together = embed(frames)
        for count in (1, 2, 7, 33):
            np.testing.assert_allclose(embed(frames[:count]), together[:count], atol=TOLERANCE)
