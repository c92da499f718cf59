# SPDX-License-Identifier: Apache-2.0
"""Findings by name: only those that a request names, the same by every way of requesting them."""

from dataclasses import replace

import numpy as np
import pytest
from support.exposition import Scrape
from support.raw import Raw, number, texts, video
from support.videos import numbered_frame, write_video

from trireel_client import InvalidRequest, ServerPath
from trireel_schema.catalogue import DEFAULT_FINDINGS, FINDINGS

from .conftest import SERVED_FINDINGS

VIDEO = ServerPath("sample.mp4")
ALL = list(SERVED_FINDINGS)
FIRST, LAST = {"sequence_start": True}, {"sequence_end": True}


@pytest.fixture(params=["grpc", "http"])
def raw(server, request):
    raw = Raw(server, request.param)
    yield raw
    raw.close()


@pytest.fixture(scope="module")
def parts(media):
    """A video of 3 s of black, 3 s of a still picture and 4 s of changing ones."""
    black = np.zeros((48, 64, 3), np.uint8)
    moving = [numbered_frame(index) for index in range(100)]
    return write_video(media / "parts.mp4", [black] * 75 + [numbered_frame(0b1010)] * 75 + moving)


def without_reports(chunks):
    """Return chunks without what an answer reports beside its chunk: a whole video's has it once.

    A scene change, and a scene, may be reported with the chunk behind it.
    """
    reports = {"video_so_far": None, "scene_changes": (), "shots": (), "objects": None}
    return tuple(replace(chunk, **reports) for chunk in chunks)


def reported(chunks):
    """Return all scene changes and all scenes that the answers for chunks report, in order."""
    changes = tuple(change for chunk in chunks for change in chunk.scene_changes)
    return changes, tuple(shot for chunk in chunks for shot in chunk.shots)


def detected(chunks):
    """Return all detections that the answers for chunks report, in order."""
    return tuple(one for chunk in chunks for one in chunk.objects.detections)


def test_quality_alone(either_client):
    analysis = either_client.analyze(VIDEO, find=["quality"])
    assert (analysis.tags, analysis.caption, analysis.scene_changes) == ((), None, ())
    assert analysis.quality.black_intervals == ()
    for chunk in analysis.chunks:
        assert (chunk.tags, chunk.caption, chunk.scene_trace) == ((), None, ())
        assert chunk.quality.black_share == 0.0
        assert 0.0 <= chunk.quality.frozen_share <= 1.0
        assert chunk.quality.sharpness > 0.0
        assert 0.0 < chunk.quality.luma < 255.0


def test_quality_changes_no_other_finding(client):
    every = client.analyze(VIDEO, find=ALL)
    default = client.analyze(VIDEO)
    assert default.quality is None
    assert every.quality == client.analyze(VIDEO, find=["quality"]).quality
    chunks = tuple(replace(chunk, quality=None) for chunk in every.chunks)
    assert chunks == default.chunks
    assert (every.tags, every.caption) == (default.tags, default.caption)
    assert every.scene_changes == default.scene_changes


@pytest.mark.parametrize("find", [ALL, ["quality"], ["scenes"]], ids="-".join)
def test_stepped_and_streamed_as_whole(client, find):
    whole = client.analyze(VIDEO, find=find)
    stepped = tuple(client.step(VIDEO, find=find))
    *streamed, last = client.stream(VIDEO, find=find)
    assert without_reports(stepped) == without_reports(streamed) == without_reports(whole.chunks)
    assert whole.chunks == last.chunks
    assert reported(stepped) == reported(streamed) == (whole.scene_changes, whole.shots)
    assert (last.quality, last.objects) == (whole.quality, whole.objects)
    if "objects" in find:
        assert detected(stepped) == detected(streamed) == whole.objects.detections != ()
    for chunks in (stepped, streamed):
        so_far = chunks[-1].video_so_far
        assert (so_far.tags, so_far.caption) == (whole.tags, whole.caption)
        assert so_far.quality == whole.quality


@pytest.mark.parametrize("chunk_seconds", [10.0, 4.0])
def test_black_and_frozen_stretches(client, parts, chunk_seconds):
    analysis = client.analyze(parts, find=["quality"], chunk_seconds=chunk_seconds)
    # Four frames a second are looked at: the first lies at 0.12 s, the others 0.24 or 0.28 s apart.
    assert analysis.quality.black_intervals == ((0.12, 3.12),)
    assert analysis.quality.freeze_intervals == ((0.12, 3.12), (3.12, 6.12))


def test_shares_of_black_and_frozen_frames(client, parts):
    (chunk,) = client.analyze(parts, find=["quality"]).chunks
    # Of 40 frames 12 are black; the first of the black and of the still ones begins its stretch.
    assert chunk.quality.black_share == pytest.approx(12 / 40)
    assert chunk.quality.frozen_share == pytest.approx(22 / 40)


def test_a_finding_there_is_not(either_client):
    message = "FIND names 'smells': give some of caption, description, objects, quality"
    with pytest.raises(InvalidRequest, match=message):
        either_client.analyze(VIDEO, find=["quality", "smells"])
    with pytest.raises(InvalidRequest, match=message):
        list(either_client.step(VIDEO, find=["smells"]))


def test_findings_stay_the_same_within_a_sequence(raw):
    inputs = {"CHUNK_SECONDS": number("FP64", 10.0), "START_SECONDS": number("FP64", 0.0)}
    chunk = video("sample.mp4", **inputs)
    raw.infer("video_chunk", {**chunk, "FIND": texts("tags")}, sequence_id=77, **FIRST)
    message = raw.refused(
        400, "video_chunk", {**chunk, "FIND": texts("tags", "scenes")}, sequence_id=77
    )
    assert (
        "FIND names tags, scenes after tags: send the same FIND with every chunk of a video"
        in message
    )
    raw.infer("video_chunk", {**chunk, "FIND": texts("tags")}, sequence_id=77, **LAST)


def test_findings_not_named_are_empty_in_a_chunk(raw):
    answer = raw.infer(
        "video_chunk",
        video("clip.mp4", FIND=texts("scenes")),
        **{"sequence_id": 78, **FIRST, **LAST},
    )
    for name in ("tags", "caption", "quality"):
        for output in FINDINGS[name].outputs:
            assert set(answer.as_numpy(output).shape) == {0}
    assert answer.as_numpy("SCENE_TRACE").size == 16


def test_frames_of_a_camera_have_no_quality(raw):
    frames = {
        "FRAMES": ("UINT8", np.zeros((2, 96, 96, 3), np.uint8)),
        "TIMESTAMPS": number("FP64", [0.0, 1.0]),
    }
    once = {"sequence_id": 79, **FIRST, **LAST}
    message = raw.refused(400, "frame_chunk", {**frames, "FIND": texts("quality")}, **once)
    assert "FIND names quality, which needs frames of its own" in message
    answer = raw.infer("frame_chunk", {**frames, "FIND": texts("tags")}, **once)
    assert answer.as_numpy("CHUNK_TAG_TEXTS").size > 0


@pytest.mark.parametrize("find", [list(DEFAULT_FINDINGS), ["quality"]], ids="-".join)
def test_a_video_stopped_early_leaves_no_state(server, client, find):
    before = Scrape(server.metrics_url).total("trireel_live_sequences")
    steps = client.step(VIDEO, find=find)
    next(steps)
    assert Scrape(server.metrics_url).total("trireel_live_sequences") == before + 1
    steps.close()
    assert Scrape(server.metrics_url).total("trireel_live_sequences") == before
