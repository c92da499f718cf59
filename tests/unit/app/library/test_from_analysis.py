# SPDX-License-Identifier: Apache-2.0
"""An answer of the client becomes a record of the library."""

import dataclasses
import json
from fractions import Fraction

import numpy as np
import pytest

from trireel_app.errors import InvalidOption, LibraryError
from trireel_app.library import Library, record_of
from trireel_client import Analysis, ChunkAnalysis, SceneChange, ServerInfo, Shot, Tag, Timing
from trireel_client._findings import (
    BestView,
    Detection,
    LabelOnScreen,
    Objects,
    SceneDescription,
    ScreenCaption,
    TimeSpan,
    Track,
)
from trireel_schema.vectors import unit

WIDTH = 8
BOX = (0.1, 0.1, 0.2, 0.2)
EMBEDDINGS = unit(np.random.default_rng(0).normal(size=(8, WIDTH)).astype(np.float32))


def chunk(index):
    """Return a chunk of four seconds with a frame in the middle of each."""
    rows = EMBEDDINGS[4 * index : 4 * index + 4]
    seconds = tuple(4.0 * index + i + 0.5 for i in range(4))
    return ChunkAnalysis(
        index=index,
        start_seconds=4.0 * index,
        duration_seconds=4.0,
        tags=(Tag("park", 0.5, 0.9),),
        frame_timestamps_seconds=seconds,
        frame_pts=tuple(int(t * 1000) for t in seconds),
        time_base=Fraction(1, 1000),
        damaged_packets=0,
        num_chunks=2,
        embedding=unit(rows.mean(axis=0)),
        frame_embeddings=rows,
    )


def dissolve(begin_seconds, seconds, end_seconds):
    return SceneChange(
        timestamp_seconds=seconds,
        score=0.9,
        chunk_index=0,
        frame_index=2,
        kind="dissolve",
        begin_seconds=begin_seconds,
        end_seconds=end_seconds,
    )


def shot(start_seconds, end_seconds):
    return Shot(
        start_seconds=start_seconds,
        end_seconds=end_seconds,
        representative_seconds=start_seconds + 0.5,
    )


def analysis(changes=(), shots=(), **fields):
    return Analysis(
        stream_id="a",
        start_seconds=0.0,
        duration_seconds=8.0,
        time_base=Fraction(1, 1000),
        stream_index=0,
        video_stream_indices=(0,),
        decoder="h264",
        scene_changes=tuple(changes),
        shots=tuple(shots),
        chunks=(chunk(0), chunk(1)),
        timing=Timing(1, 2, 3, 4, 5),
        embedding_dim=WIDTH,
        server=ServerInfo("triton", "2.51.0"),
        checkpoint="toy",
        client_ms=3.0,
        **fields,
    )


def record(answer, **more):
    return record_of("/clips/a.mp4", answer, "2e0abb", **more)


def test_frames_belong_to_their_scene_and_chunk():
    found = record(analysis(shots=[shot(0, 2), shot(2, 8)]), thumbnails=[b"first"])
    assert found.frames.scene_indices.tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    assert found.frames.chunk_indices.tolist() == [0] * 4 + [1] * 4
    assert [scene.thumbnail for scene in found.scenes] == [b"first", None]
    assert np.array_equal(found.frames.embeddings, EMBEDDINGS)


def test_frames_within_a_transition_do_not_count():
    """As on the server: the frame at 1.5 s lies in the dissolve that ends the first scene."""
    found = record(analysis([dissolve(1.2, 2.0, 2.8)], [shot(0, 2), shot(2, 8)]))
    assert np.allclose(found.scenes[0].embedding, EMBEDDINGS[0], atol=1e-6)
    assert np.allclose(found.scenes[1].embedding, unit(EMBEDDINGS[2:].mean(axis=0)), atol=1e-6)


def test_a_scene_within_a_transition_has_its_frames():
    found = record(analysis([dissolve(0.0, 2.0, 2.8)], [shot(0, 2), shot(2, 8)]))
    assert np.allclose(found.scenes[0].embedding, unit(EMBEDDINGS[:2].mean(axis=0)), atol=1e-6)


def test_a_scene_without_frames_has_the_one_before_it():
    found = record(analysis(shots=[shot(0, 2.6), shot(2.6, 3.4), shot(3.4, 8)]))
    assert np.array_equal(found.scenes[1].embedding, EMBEDDINGS[2])


def test_objects_and_captions_are_labels():
    detection = Detection(timestamp_seconds=1, chunk_index=0, label="car", score=0.7, box=BOX)
    track = Track(
        track_id=1,
        label="car",
        start_seconds=1,
        end_seconds=3,
        score=0.7,
        best=BestView(timestamp_seconds=1, box=BOX),
    )
    span = TimeSpan(start_seconds=1.0, end_seconds=3.0)
    objects = Objects(
        mode="combined",
        labels_on_screen=(LabelOnScreen(label="car", intervals=(span,)),),
        tracks=(track,),
        detections=(detection, dataclasses.replace(detection, score=0.4)),
        frame_timestamps_seconds=(1.0, 2.0, 3.0),
    )
    caption = ScreenCaption(
        text="SALE",
        confidence=0.9,
        box=BOX,
        start_seconds=4.0,
        end_seconds=6.0,
        first_frame_seconds=4.0,
        last_frame_seconds=5.96,
        first_frame_pts=4000,
        last_frame_pts=5960,
    )
    found = record(analysis(objects=objects, captions=(caption,)))
    labels = [(label.kind, label.text, label.end_seconds, label.score) for label in found.labels]
    assert labels == [("object", "car", 3.0, 0.7), ("text", "SALE", 5.96, 0.9)]


def test_descriptions_are_labels():
    description = SceneDescription(text="A cat sleeps.", start_seconds=2.0, end_seconds=8.0)
    (found,) = record(analysis(descriptions=(description,))).labels
    assert (found.kind, found.text) == ("description", "A cat sleeps.")
    assert (found.start_seconds, found.end_seconds, found.score) == (2.0, 8.0, 1.0)


def test_what_differs_from_run_to_run_is_left_out(tmp_path):
    first = Library(tmp_path / "a").put(record(analysis()))
    later = dataclasses.replace(analysis(), client_ms=9.0, stream_id="b")
    second = Library(tmp_path / "b").put(record(later, facts={"stamp": "other"}))
    assert first.generation == second.generation
    answer = json.loads((tmp_path / "a" / first.folder / "answer.json").read_text())
    assert answer["chunks"][1]["tags"][0]["text"] == "park"
    assert "frame_embeddings" not in answer["chunks"][0]


def test_an_answer_without_embeddings_is_rejected():
    bare = dataclasses.replace(chunk(0), frame_embeddings=None)
    with pytest.raises(LibraryError, match="no embeddings"):
        record(dataclasses.replace(analysis(), chunks=(bare,)))


def test_an_address_with_a_credential_is_rejected():
    with pytest.raises(InvalidOption, match="user or password"):
        record_of("https://me:secret@host/a.mp4", analysis(), "2e0abb")
