# SPDX-License-Identifier: Apache-2.0
"""From the tensors of scenes to scene changes, scenes and signals, of older servers too."""

from dataclasses import replace

import numpy as np
import pytest
from unit.client.loopback import Loopback
from unit.client.scenes import ended_scene, with_scenes
from unit.client.scripted import Asked, Tensors, bytes_of, one_chunk, whole_video

from trireel_client import (
    Analysis,
    AsyncTrireelClient,
    Caption,
    SceneChange,
    SceneSignals,
    ServerInfo,
    Shot,
    Tag,
    TrireelClient,
    UnexpectedAnswer,
)
from trireel_client._flows.parse import parse_analysis, parse_chunk
from trireel_schema.catalogue import DEFAULT_FINDINGS


def analysis_of(tensors: Tensors) -> Analysis:
    server = ServerInfo("triton", "2.51.0")
    return parse_analysis(tensors, DEFAULT_FINDINGS, stream_id="id", server=server, client_ms=1.0)


def test_scene_changes_have_kinds_and_spans() -> None:
    dissolve, cut = analysis_of(with_scenes()).scene_changes
    assert dissolve == SceneChange(
        timestamp_seconds=13.75,
        score=0.4,
        chunk_index=1,
        frame_index=1,
        kind="dissolve",
        begin_seconds=13.5,
        end_seconds=14.0,
        reason="blend of both sides",
    )
    assert (cut.kind, cut.begin_seconds, cut.end_seconds) == ("cut", 23.75, 23.75)


def test_scenes_have_tags_captions_and_a_frame() -> None:
    analysis = analysis_of(with_scenes())
    assert analysis.scene_mode == "refined"
    assert len(analysis.shots) == 3
    shot = analysis.shots[1]
    assert (shot.start_seconds, shot.end_seconds) == (13.75, 23.75)
    assert shot.representative_seconds == 18.75
    assert [tag.text for tag in shot.tags] == ["kitchen", "café"]
    assert shot.caption == Caption("a kitchen", 0.85, 0.425)
    assert analysis.shots[0].tags[0] == Tag("beach", 0.9, 0.45)
    assert all(chunk.shots == () for chunk in analysis.chunks)


def test_an_older_server_answers_with_less() -> None:
    analysis = analysis_of(whole_video())
    (first, _) = analysis.scene_changes
    assert (first.kind, first.reason) == ("cut", "")
    assert first.begin_seconds == first.end_seconds == first.timestamp_seconds == 13.75
    assert (analysis.shots, analysis.scene_mode, analysis.scene_signals) == ((), "", None)
    assert (analysis.frame_rate, analysis.is_vfr, analysis.picture_size_px) == (None, False, None)


def test_scenes_without_tags_and_captions() -> None:
    tensors = with_scenes()
    tensors["SCENE_TAG_TEXTS"] = np.zeros((3, 0), np.object_)
    tensors["SCENE_CAPTION_TEXTS"] = np.zeros(0, np.object_)
    shots = analysis_of(tensors).shots
    assert [(shot.tags, shot.caption) for shot in shots] == [((), None)] * 3
    del tensors["SCENE_TAG_TEXTS"], tensors["SCENE_CAPTION_TEXTS"]
    assert analysis_of(tensors).shots == shots


def test_a_chunk_reports_scenes_and_signals() -> None:
    chunk = parse_chunk(ended_scene(one_chunk(1)), DEFAULT_FINDINGS)
    assert chunk.shots == (Shot(start_seconds=0.0, end_seconds=13.75, representative_seconds=6.25),)
    assert chunk.scene_signals == SceneSignals(
        timestamps_seconds=(0.0, 0.04, 0.08),
        changes=(0.5, 0.25, 0.125),
        transition_scores=(None, 0.75, 0.9),
    )
    assert parse_chunk(one_chunk(1), DEFAULT_FINDINGS).scene_signals is None


def test_a_scene_change_may_come_with_the_next_chunk() -> None:
    late = {**one_chunk(2), "SCENE_CHUNK_INDICES": np.array([1], np.int32)}
    (change,) = parse_chunk(late, DEFAULT_FINDINGS).scene_changes
    assert change.chunk_index == 1
    early = {**one_chunk(1), "SCENE_CHUNK_INDICES": np.array([2], np.int32)}
    with pytest.raises(UnexpectedAnswer, match=r"chunks it does not hold: \[2\]"):
        parse_chunk(early, DEFAULT_FINDINGS)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"SCENE_KINDS": bytes_of(["cut"])}, r"SCENE_KINDS has shape \[1\], not \[2\]"),
        ({"SCENE_SPANS": np.array([[5.0, 1.0]] * 3)}, "SCENE_SPANS has a span from 5.0 to 1.0 s"),
        ({"SCENE_SPANS": np.full((3, 2), np.nan)}, "SCENE_SPANS holds .* not a finite number"),
        ({"SCENE_REPRESENTATIVE_SECONDS": np.array([1.0])}, r"has shape \[1\], not \[3\]"),
        ({"SCENE_TAG_SCORES": np.zeros((3, 1))}, r"SCENE_TAG_SCORES has shape \[3, 1\]"),
        ({"SCENE_REASONS": np.array([b"\xff", b""], np.object_)}, "not UTF-8"),
        ({"PICTURE_SIZE_PX": np.array([1.5, 2.0])}, "PICTURE_SIZE_PX is of type float64"),
    ],
)
def test_tensors_that_do_not_fit_are_reported(changed: Tensors, message: str) -> None:
    with pytest.raises(UnexpectedAnswer, match=message):
        analysis_of({**with_scenes(), **changed})


def test_scenes_in_json() -> None:
    analysis = analysis_of(with_scenes())
    answer = analysis.to_json_dict("r0")
    assert answer["scene_changes"][0] == {
        "timestamp": 13.75,
        "score": 0.4,
        "chunk_index": 1,
        "frame_index": 1,
        "kind": "dissolve",
        "begin": 13.5,
        "end": 14.0,
        "reason": "blend of both sides",
    }
    assert answer["scene_mode"] == "refined"
    assert answer["shots"][1]["start_seconds"] == 13.75
    assert answer["shots"][1]["caption"]["text"] == "a kitchen"
    assert (answer["frame_rate"], answer["is_vfr"]) == ([25, 1], False)
    assert answer["picture_size_px"] == [1280, 720]
    unknown = replace(analysis, frame_rate=None, picture_size_px=None, scene_mode="")
    answer = unknown.to_json_dict("r0")
    assert (answer["frame_rate"], answer["picture_size_px"]) == (None, None)
    assert "scene_mode" not in answer


async def test_thumbnails_by_both_clients(grpc_only: Loopback, video: str) -> None:
    grpc_only.script.answers["video_analysis"] = lambda asked: with_scenes()
    grpc_only.script.answers["frame_extractor"] = one_frame_each
    async with AsyncTrireelClient(grpc_only.url) as client:
        analysis = await client.analyze(video)
        found = await client.thumbnails(video, analysis)
    with TrireelClient(grpc_only.url) as client:
        assert client.thumbnails(video, analysis) == found
    assert [thumbnail.timestamp_seconds for thumbnail in found] == [6.25, 18.75, 26.25]
    assert found[0].pixels.shape == (512, 512, 3)
    assert found[0].picture_size_px == (1280, 720)


def one_frame_each(asked: Asked) -> Tensors:
    """Answer with a frame for each chunk that has the frame's PTS in its middle."""
    shots = analysis_of(with_scenes()).shots
    times = np.array([shot.representative_seconds for shot in shots])
    middles = asked.inputs["START_SECONDS"] + asked.inputs["CHUNK_SECONDS"] / 2
    assert (middles > times).all()
    assert (middles - times < 0.001).all()
    return {
        "FRAMES": np.zeros((3, 512, 512, 3), np.uint8),
        "TIMESTAMPS": times,
        "CHUNK_NUM_FRAMES": np.ones(3, np.int32),
        "PICTURE_SIZE_PX": np.array([1280, 720], np.int32),
    }
